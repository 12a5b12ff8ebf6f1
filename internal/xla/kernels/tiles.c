//go:build cgo && linux && !noxla && amd64

// Products of float32 matrices on a processor's AMX tiles, which multiply bfloat16
// and add up in float32, at sixteen times the rate of float32 vectors.
//
// A float32 has 24 bits of mantissa, a bfloat16 has 8: each number is the exact sum of
// three bfloat16s, x = h + m + l, each at most 2^-8 of the one before. Of the nine
// products of two such sums six are taken: hh, hm, mh, hl, lh and mm. The three left
// out are together at most 2^-24 of the product, what float32 rounds off once; sums of
// 32 and more terms come out closer than by adding in float32 one by one. (Henry, Tang,
// Heinecke: Leveraging the bfloat16 Artificial Intelligence Datatype For Higher-Precision
// Computations, ARITH 2019.)
//
// What differs from float32 arithmetic: an infinite factor gives NaN, and numbers
// below 2^-126 count as zero.

#include "tiles.h"

#ifdef GAZE_EMULATED
#include "emulated.h"
#endif

#if defined(__clang__) ? __clang_major__ < 12 : __GNUC__ < 11

// This compiler doesn't know the instructions.
bool gaze_tiles_ready(void) { return false; }
bool gaze_in_tiles(const scheduler* s, const product* p) { return false; }

#else

#include <cpuid.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "panels.h"
#include "scratch.h"

// A tile has 16 rows of 64 bytes. Of the left matrix it holds 16 rows of 32
// bfloat16s; of the right one 16 pairs of rows by 16 columns, a pair's two numbers
// side by side; of the product 16 by 16 float32s.
enum {
	SIDE = 16,
	DEPTH = 32,
	PIECES = 3,
	TILE = 1024, // bytes
	STEP = PIECES * TILE, // what 16 lines take up, 32 numbers of each

	// How many numbers of the left matrix are packed, ROWS rows at most: what stays in
	// the second cache beside the rest. The right one is packed 32 columns at a time,
	// of which BLOCK rows stay in the first cache. Measured on a Xeon with 2 MiB and
	// 48 KiB: half of either, or twice, is 5 to 30 % slower.
	KEPT = 160 * 1024,
	ROWS = 384,
	DEEPEST = 1024,
	BLOCK = 128,
};

#define TILES __attribute__((target("amx-tile,amx-bf16,avx512f,avx512bw,avx512vl,avx512dq,fma,prfchw")))

bool gaze_tiles_ready(void) {
	enum { ARCH_REQ_XCOMP_PERM = 0x1023, XFEATURE_XTILEDATA = 18 };
	unsigned a, b, c, d;
	if (!gaze_vectors_ready() || !__get_cpuid_count(7, 0, &a, &b, &c, &d))
		return false;
	bool bf16 = d >> 22 & 1, tile = d >> 24 & 1;
	return bf16 && tile && syscall(SYS_arch_prctl, ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA) == 0;
}

// part says how much of size is taken at a time, in equal parts of at most so much.
static int64_t part(int64_t size, int64_t most, int64_t unit) {
	int64_t times = (size + most - 1) / most;
	return up((size + times - 1) / times, unit);
}

typedef struct {
	uint8_t palette, start, reserved[14];
	uint16_t bytes[16];
	uint8_t rows[16];
} tile_config;

static const tile_config all_full = {
	.palette = 1,
	.bytes = {64, 64, 64, 64, 64, 64, 64, 64},
	.rows = {SIDE, SIDE, SIDE, SIDE, SIDE, SIDE, SIDE, SIDE},
};

// Compilers don't know that tiles are loaded from what was just written.
static inline void written(void) { __asm__ volatile("" ::: "memory"); }

// split makes three numbers of which only the upper halves are not zero.
VECTORS static inline void split(__m512 x, __m512i piece[PIECES]) {
	const __m512i half = _mm512_set1_epi32(0x8000), upper = _mm512_set1_epi32((int)0xffff0000);
	for (int i = 0; i < 2; i++) {
		piece[i] = _mm512_and_si512(_mm512_add_epi32(_mm512_castps_si512(x), half), upper);
		x = _mm512_sub_ps(x, _mm512_castsi512_ps(piece[i]));
	}
	piece[2] = _mm512_castps_si512(x);
}

// A line is a row of the left matrix or a column of the right one; along it run the
// numbers that are multiplied and added up. The four functions below make a step's
// three tiles of 16 lines' 32 numbers: lines come dense, or side by side, and tiles are
// wanted in the order of the left or of the right matrix.

VECTORS static void pack_dense_left(const float* from, int64_t apart, __m512i out[PIECES][SIDE]) {
	const __m512i odd = _mm512_set_epi16(63, 61, 59, 57, 55, 53, 51, 49, 47, 45, 43, 41, 39, 37, 35, 33,
		31, 29, 27, 25, 23, 21, 19, 17, 15, 13, 11, 9, 7, 5, 3, 1);
	for (int i = 0; i < SIDE; i++, from += apart) {
		__m512i a[PIECES], b[PIECES];
		split(_mm512_loadu_ps(from), a);
		split(_mm512_loadu_ps(from + 16), b);
		for (int p = 0; p < PIECES; p++)
			out[p][i] = _mm512_permutex2var_epi16(a[p], odd, b[p]);
	}
}

// each4 holds four numbers of every fourth line.
VECTORS static inline __m512d each4(const float* from, int64_t apart) {
	__m512 x = _mm512_castps128_ps512(_mm_loadu_ps(from));
	x = _mm512_insertf32x4(x, _mm_loadu_ps(from + 4 * apart), 1);
	x = _mm512_insertf32x4(x, _mm_loadu_ps(from + 8 * apart), 2);
	return _mm512_castps_pd(_mm512_insertf32x4(x, _mm_loadu_ps(from + 12 * apart), 3));
}

VECTORS static void pack_dense_right(const float* from, int64_t apart, __m512i out[PIECES][SIDE]) {
	// Pairs of numbers of lines 0, 1, 4, 5, 8, 9, 12, 13, and of the others.
	const __m512i order = _mm512_set_epi16(63, 61, 59, 57, 31, 29, 27, 25, 55, 53, 51, 49, 23, 21, 19, 17,
		47, 45, 43, 41, 15, 13, 11, 9, 39, 37, 35, 33, 7, 5, 3, 1);
	// Many lines at once are too many for the processor to foresee.
	for (int i = 0; i < SIDE; i++) {
		_mm_prefetch((const char*)(from + i * apart + 2 * DEPTH), _MM_HINT_T1);
		_mm_prefetch((const char*)(from + i * apart + 2 * DEPTH + 16), _MM_HINT_T1);
	}
	for (int i = 0; i < SIDE; i += 2, from += 4) {
		__m512d z0 = each4(from, apart), z1 = each4(from + apart, apart), z2 = each4(from + 2 * apart, apart), z3 = each4(from + 3 * apart, apart);
		__m512i a[PIECES], b[PIECES], c[PIECES], d[PIECES];
		split(_mm512_castpd_ps(_mm512_unpacklo_pd(z0, z1)), a);
		split(_mm512_castpd_ps(_mm512_unpacklo_pd(z2, z3)), b);
		split(_mm512_castpd_ps(_mm512_unpackhi_pd(z0, z1)), c);
		split(_mm512_castpd_ps(_mm512_unpackhi_pd(z2, z3)), d);
		for (int p = 0; p < PIECES; p++) {
			out[p][i] = _mm512_permutex2var_epi16(a[p], order, b[p]);
			out[p][i + 1] = _mm512_permutex2var_epi16(c[p], order, d[p]);
		}
	}
}

VECTORS static void pack_beside_right(const float* from, int64_t along, __m512i out[PIECES][SIDE]) {
	for (int i = 0; i < SIDE; i++, from += 2 * along) {
		_mm_prefetch((const char*)(from + 2 * SIDE), _MM_HINT_T1);
		_mm_prefetch((const char*)(from + along + 2 * SIDE), _MM_HINT_T1);
		__m512i a[PIECES], b[PIECES];
		split(_mm512_loadu_ps(from), a);
		split(_mm512_loadu_ps(from + along), b);
		for (int p = 0; p < PIECES; p++)
			out[p][i] = _mm512_or_si512(_mm512_srli_epi32(a[p], 16), b[p]);
	}
}

VECTORS static void pack_beside_left(const float* from, int64_t along, __m512i out[PIECES][SIDE]) {
	pack_beside_right(from, along, out);
	for (int p = 0; p < PIECES; p++) {
		__m512 r[SIDE];
		for (int i = 0; i < SIDE; i++)
			r[i] = _mm512_castsi512_ps(out[p][i]);
		transpose(r);
		memcpy(out[p], r, sizeof r);
	}
}

// pack makes the tiles of up to 16 lines and so many numbers of each; it says where
// the next would begin. What isn't 16 lines by 32 numbers, or neither dense nor
// side by side, is first made so, with zeros.
VECTORS static char* pack(const float* from, int64_t apart, int64_t along, int64_t lines, int64_t depth, bool right, char* to) {
	for (int64_t k = 0; k < depth; k += DEPTH, from += DEPTH * along, to += STEP) {
		__m512i(*tiles)[SIDE] = (__m512i(*)[SIDE])to;
		bool whole = lines >= SIDE && depth - k >= DEPTH;
		if (whole && along == 1) {
			(right ? pack_dense_right : pack_dense_left)(from, apart, tiles);
		} else if (whole && apart == 1) {
			(right ? pack_beside_right : pack_beside_left)(from, along, tiles);
		} else {
			float some[SIDE * DEPTH] = {0};
			for (int64_t i = 0; i < SIDE && i < lines; i++)
				for (int64_t j = 0; j < DEPTH && j < depth - k; j++)
					some[i * DEPTH + j] = from[i * apart + j * along];
			(right ? pack_dense_right : pack_dense_left)(some, DEPTH, tiles);
		}
	}
	return to;
}

// four adds to 32 by 32 numbers of the product what so many steps give, where each of
// the left's and right's two blocks has a block's tiles.
TILES static void four(const char* a0, const char* a1, const char* b0, const char* b1, int64_t steps, float* out, int64_t row, bool add) {
	int64_t bytes = row * sizeof *out;
	written();
	if (add) {
		_tile_loadd(0, out, bytes);
		_tile_loadd(1, out + SIDE, bytes);
		_tile_loadd(2, out + SIDE * row, bytes);
		_tile_loadd(3, out + SIDE * row + SIDE, bytes);
	} else {
		_tile_zero(0);
		_tile_zero(1);
		_tile_zero(2);
		_tile_zero(3);
	}
#define LEFT(p) _tile_loadd(4, a0 + p * TILE, 64); _tile_loadd(5, a1 + p * TILE, 64)
#define RIGHT(p) _tile_loadd(6, b0 + p * TILE, 64); _tile_loadd(7, b1 + p * TILE, 64)
#define ALL _tile_dpbf16ps(0, 4, 6); _tile_dpbf16ps(1, 4, 7); _tile_dpbf16ps(2, 5, 6); _tile_dpbf16ps(3, 5, 7)
	for (; steps > 0; steps--) {
		RIGHT(0); LEFT(2); ALL; LEFT(1); ALL; LEFT(0); ALL;
		RIGHT(1); ALL; LEFT(1); ALL;
		RIGHT(2); LEFT(0); ALL;
		a0 += STEP;
		a1 += STEP;
		b0 += STEP;
		b1 += STEP;
	}
	_tile_stored(0, out, bytes);
	_tile_stored(1, out + SIDE, bytes);
	_tile_stored(2, out + SIDE * row, bytes);
	_tile_stored(3, out + SIDE * row + SIDE, bytes);
}

// two does so for the 16 upper rows alone, in two sums each, so that no sum has to
// wait for itself.
TILES static void two(const char* a, const char* b0, const char* b1, int64_t steps, float* out) {
	written();
	_tile_zero(0);
	_tile_zero(1);
	_tile_zero(2);
	_tile_zero(3);
	for (; steps > 0; steps--) {
		RIGHT(0);
		_tile_loadd(4, a + 2 * TILE, 64);
		_tile_loadd(5, a + TILE, 64);
		ALL;
		_tile_loadd(4, a, 64);
		_tile_dpbf16ps(0, 4, 6);
		_tile_dpbf16ps(1, 4, 7);
		RIGHT(1);
		ALL;
		RIGHT(2);
		_tile_dpbf16ps(0, 4, 6);
		_tile_dpbf16ps(1, 4, 7);
		a += STEP;
		b0 += STEP;
		b1 += STEP;
	}
	_tile_stored(0, out, 128);
	_tile_stored(1, out + SIDE, 128);
	_tile_stored(2, out + 2 * SIDE * SIDE, 128);
	_tile_stored(3, out + 2 * SIDE * SIDE + SIDE, 128);
}

// panel sets sum[m, 32] to the left's packed rows times the right's packed columns.
VECTORS static void panel(const char* left, const char* right, int64_t m, int64_t steps, float* sum) {
	for (int64_t at = 0; at < steps; at += BLOCK / DEPTH) {
		int64_t some = least(BLOCK / DEPTH, steps - at);
		const char *b0 = right + at * STEP, *b1 = b0 + steps * STEP, *a = left + at * STEP;
		float* to = sum;
		for (int64_t i = 0; i < m; i += 2 * SIDE, a += 2 * steps * STEP, to += 4 * SIDE * SIDE) {
			if (m - i > SIDE) {
				four(a, a + steps * STEP, b0, b1, some, to, 2 * SIDE, at > 0);
				continue;
			}
			_Alignas(64) float sums[4 * SIDE * SIDE];
			two(a, b0, b1, some, sums);
			for (int x = 0; x < 2 * SIDE * SIDE; x += LANES) {
				__m512 sum = _mm512_add_ps(_mm512_load_ps(sums + x), _mm512_load_ps(sums + 2 * SIDE * SIDE + x));
				_mm512_store_ps(to + x, at > 0 ? _mm512_add_ps(_mm512_load_ps(to + x), sum) : sum);
			}
		}
	}
}

// Each thread keeps the memory that it packs into: of the left matrix as much as is
// kept, of the right one 32 columns, and their product.
typedef struct {
	char left[KEPT / SIDE / DEPTH * STEP], right[2 * DEEPEST / DEPTH * STEP];
	float sum[ROWS * 2 * SIDE], rows[SIDE * DEEPEST];
	moments moments[ROWS];
} workspace;

// A product, cut into parts by rows or by columns that can be made in any order, by any
// thread.
typedef struct {
	const product* p;
	int64_t cuts;
	bool by_columns;
	atomic_bool failed;
} work;

// How much of a product's left matrix is packed at a time: rows, and numbers of each.
// By the whole product's size, so that its cuts don't change the order of sums.
typedef struct {
	int64_t tall, deep;
} block;

static block block_of(const product* p) {
	block b = {part(p->m, ROWS, 2 * SIDE), 0};
	b.deep = part(p->k, least(DEEPEST, KEPT / b.tall / DEPTH * DEPTH), DEPTH);
	return b;
}

// left packs rows of the left matrix from row i on, and depth numbers of each.
VECTORS static void left(workspace* own, const product* p, int64_t i, int64_t rows, int64_t from, int64_t depth, bool sums) {
	const around* w = &p->around;
	char* to = own->left;
	for (int64_t r = 0; r < rows; r += SIDE) {
		int64_t some = least(SIDE, rows - r);
		matrix a = {p->left.data + (i + r) * p->left.row + from * p->left.col, p->left.row, p->left.col};
		if (sums)
			sum_rows(a, some, depth, w->sums + i + r, from > 0);
		if (prepares(w)) {
			for (int64_t q = 0; q < some; q++) {
				const float* row = p->left.data + (i + r + q) * p->left.row;
				if (w->gamma && from == 0)
					own->moments[r + q] = measure(row, p->k, w->epsilon);
				prepare(w, row, own->moments[r + q], from, depth, own->rows + q * depth);
			}
			a = (matrix){own->rows, depth, 1};
		}
		to = pack(a.data, a.row, a.col, some, depth, false, to);
	}
}

// multiply makes m rows from row i0 on, and n columns from column j0 on.
TILES static bool multiply(const product* p, int64_t i0, int64_t m, int64_t j0, int64_t n) {
	workspace* own = gaze_scratch(sizeof *own);
	if (!own)
		return false;
	_tile_loadconfig(&all_full);
	const block size = block_of(p);
	const matrix b = p->right;
	for (int64_t i = 0; i < m; i += size.tall) {
		int64_t rows = least(size.tall, m - i);
		for (int64_t l = 0; l < p->k; l += size.deep) {
			int64_t depth = least(size.deep, p->k - l), steps = (depth + DEPTH - 1) / DEPTH;
			left(own, p, i0 + i, rows, l, depth, p->around.sums && j0 == 0);
			for (int64_t j = 0; j < n; j += 2 * SIDE) {
				const float* from = b.data + l * b.row + (j0 + j) * b.col;
				char* to = pack(from, b.col, b.row, n - j, depth, true, own->right);
				pack(from + SIDE * b.col, b.col, b.row, n - j - SIDE, depth, true, to);
				panel(own->left, own->right, rows, steps, own->sum);
				finish(&p->around, own->sum, 2 * SIDE, p->out, p->n, i0 + i, j0 + j, rows, least(2 * SIDE, n - j), l > 0, l + depth == p->k);
			}
		}
	}
	_tile_release();
	return true;
}

static int64_t edge(int64_t size, int64_t cuts, int64_t i) {
	int64_t tiles = (size + 2 * SIDE - 1) / (2 * SIDE);
	return least(size, tiles * i / cuts * 2 * SIDE);
}

static long pieces(const void* data, int phase) { return ((const work*)data)->cuts; }

static void piece(void* data, int phase, long i) {
	work* w = data;
	const product* p = w->p;
	int64_t size = w->by_columns ? p->n : p->m, from = edge(size, w->cuts, i), some = edge(size, w->cuts, i + 1) - from;
	if (some <= 0)
		return;
	if (!(w->by_columns ? multiply(p, 0, p->m, from, some) : multiply(p, from, some, 0, p->n)))
		atomic_store(&w->failed, true);
}

bool gaze_in_tiles(const scheduler* s, const product* p) {
	if (p->packed)
		return false;
	work w = {.p = p, .cuts = s->threads, .by_columns = p->n > p->m};
	const plan all = {1, pieces, piece};
	return gaze_share(s, &all, &w) && !atomic_load(&w.failed);
}

#endif
