//go:build cgo && linux && !noxla && amd64

// GEMM of float32 matrices on AMX tiles, which multiply bfloat16 and accumulate in float32 at
// sixteen times the rate of AVX-512.
//
// A float32 has a significand of 24 bits, a bfloat16 one of 8. Every float32 is the exact sum of
// three bfloat16s, x = h + m + l, each at most 2^-8 of the one before. A product of two such
// sums has nine terms, of which six are computed: hh, hm, mh, hl, lh and mm. The other three
// are together at most 2^-24 of the product, which is what rounding to float32 changes, and
// sums of 32 and more products come out closer than when they are added one by one in
// float32. (Henry, Tang, Heinecke: Leveraging the bfloat16 Artificial Intelligence Datatype For
// Higher-Precision Computations, ARITH 2019.)
//
// There are two differences from float32 arithmetic: an infinite factor gives NaN, and
// numbers below 2^-126 count as zero.

#include "amx.h"

#if defined(__clang__) ? __clang_major__ < 12 : __GNUC__ < 11

// This compiler doesn't know the instructions.
bool gaze_has_amx(void) { return false; }
bool gaze_amx_gemm(const thread_pool* pool, const gemm* g) { return false; }

#else

#include <cpuid.h>
#include <immintrin.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define GAZE_AVX512
#ifdef __clang__
#pragma clang attribute push(__attribute__((target("amx-tile,amx-bf16,avx512f,avx512bw,avx512vl,avx512dq,fma,prfchw"))), apply_to = function)
#else
#pragma GCC target("amx-tile,amx-bf16,avx512f,avx512bw,avx512vl,avx512dq,fma,prfchw")
#endif

#include "fusion.h"
#include "processor.h"
#include "scratch.h"

// A tile has 16 rows of 64 bytes. A tile of A holds 16 rows of 32 bfloat16s. A tile of B holds
// 32 rows of 16 columns, as 16 pairs of rows whose numbers alternate. A tile of C holds 16 by
// 16 float32s.
enum {
	TILE_ROWS = 16,
	TILE_K = 32,
	SPLITS = 3, // bfloat16s per float32
	TILE_BYTES = 1024,
	K_STEP_BYTES = SPLITS * TILE_BYTES, // the tiles of 16 lines, 32 numbers of each

	// A is packed MAX_BLOCK numbers and MAX_MC rows at a time, which stay in the second-level
	// cache. B is packed in panels of NC columns, of which L1_K rows at a time stay in the
	// first-level cache. On a Xeon with caches of 2 MiB and 48 KiB, half or twice of either
	// is 5 to 30 % slower.
	MAX_BLOCK = 160 * 1024,
	MAX_MC = 384,
	MAX_KC = 1024,
	L1_K = 128,
	NC = 2 * TILE_ROWS,
};

bool gaze_has_amx(void) {
	enum { ARCH_REQ_XCOMP_PERM = 0x1023, XFEATURE_XTILEDATA = 18 };
	unsigned a, b, c, d;
	if (!gaze_processor_runs(&gaze_avx512) || !__get_cpuid_count(7, 0, &a, &b, &c, &d))
		return false;
	bool bf16 = d >> 22 & 1, tile = d >> 24 & 1;
	return bf16 && tile && syscall(SYS_arch_prctl, ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA) == 0;
}

// part_size divides size into equal parts of at most most, and rounds their size up to a
// multiple of unit.
static int64_t part_size(int64_t size, int64_t most, int64_t unit) {
	int64_t parts = (size + most - 1) / most;
	return round_up((size + parts - 1) / parts, unit);
}

typedef struct {
	uint8_t palette, start, reserved[14];
	uint16_t bytes[16];
	uint8_t rows[16];
} tile_config;

static const tile_config full_tiles = {
	.palette = 1,
	.bytes = {64, 64, 64, 64, 64, 64, 64, 64},
	.rows = {TILE_ROWS, TILE_ROWS, TILE_ROWS, TILE_ROWS, TILE_ROWS, TILE_ROWS, TILE_ROWS, TILE_ROWS},
};

// compiler_barrier makes the compiler finish its stores: it doesn't know that tiles are loaded
// from memory.
static inline void compiler_barrier(void) { __asm__ volatile("" ::: "memory"); }

// split splits float32s into bfloat16s, h, m and l, each in the upper half of 32 bits.
static inline void split(__m512 x, __m512i part[SPLITS]) {
	const __m512i half = _mm512_set1_epi32(0x8000), upper = _mm512_set1_epi32((int)0xffff0000);
	for (int i = 0; i < 2; i++) {
		part[i] = _mm512_and_si512(_mm512_add_epi32(_mm512_castps_si512(x), half), upper);
		x = _mm512_sub_ps(x, _mm512_castsi512_ps(part[i]));
	}
	part[2] = _mm512_castps_si512(x);
}

// A line is a row of A or a column of B; the numbers along a line are the ones that are
// multiplied and added up. The four functions below make the three tiles of 16 lines' 32
// numbers, for A or for B. Either the numbers along a line are contiguous, or the lines are
// next to each other.

static void pack_a_contiguous(const float* from, int64_t line_stride, __m512i out[SPLITS][TILE_ROWS]) {
	const __m512i odd = _mm512_set_epi16(63, 61, 59, 57, 55, 53, 51, 49, 47, 45, 43, 41, 39, 37, 35, 33,
		31, 29, 27, 25, 23, 21, 19, 17, 15, 13, 11, 9, 7, 5, 3, 1);
	for (int i = 0; i < TILE_ROWS; i++, from += line_stride) {
		__m512i a[SPLITS], b[SPLITS];
		split(_mm512_loadu_ps(from), a);
		split(_mm512_loadu_ps(from + 16), b);
		for (int p = 0; p < SPLITS; p++)
			out[p][i] = _mm512_permutex2var_epi16(a[p], odd, b[p]);
	}
}

static void pack_b_contiguous(const float* from, int64_t line_stride, __m512i out[SPLITS][TILE_ROWS]) {
	// The pairs of lines 0, 1, 4, 5, 8, 9, 12, 13 come first, then those of the others.
	const __m512i order = _mm512_set_epi16(63, 61, 59, 57, 31, 29, 27, 25, 55, 53, 51, 49, 23, 21, 19, 17,
		47, 45, 43, 41, 15, 13, 11, 9, 39, 37, 35, 33, 7, 5, 3, 1);
	// The hardware prefetcher can't follow so many lines.
	for (int i = 0; i < TILE_ROWS; i++) {
		_mm_prefetch((const char*)(from + i * line_stride + 2 * TILE_K), _MM_HINT_T1);
		_mm_prefetch((const char*)(from + i * line_stride + 2 * TILE_K + 16), _MM_HINT_T1);
	}
	for (int i = 0; i < TILE_ROWS; i += 2, from += 4) {
		__m512d z0 = _mm512_castps_pd(load_4x4(from, line_stride)), z1 = _mm512_castps_pd(load_4x4(from + line_stride, line_stride)), z2 = _mm512_castps_pd(load_4x4(from + 2 * line_stride, line_stride)), z3 = _mm512_castps_pd(load_4x4(from + 3 * line_stride, line_stride));
		__m512i a[SPLITS], b[SPLITS], c[SPLITS], d[SPLITS];
		split(_mm512_castpd_ps(_mm512_unpacklo_pd(z0, z1)), a);
		split(_mm512_castpd_ps(_mm512_unpacklo_pd(z2, z3)), b);
		split(_mm512_castpd_ps(_mm512_unpackhi_pd(z0, z1)), c);
		split(_mm512_castpd_ps(_mm512_unpackhi_pd(z2, z3)), d);
		for (int p = 0; p < SPLITS; p++) {
			out[p][i] = _mm512_permutex2var_epi16(a[p], order, b[p]);
			out[p][i + 1] = _mm512_permutex2var_epi16(c[p], order, d[p]);
		}
	}
}

static void pack_b_adjacent(const float* from, int64_t k_stride, __m512i out[SPLITS][TILE_ROWS]) {
	for (int i = 0; i < TILE_ROWS; i++, from += 2 * k_stride) {
		_mm_prefetch((const char*)(from + 2 * TILE_ROWS), _MM_HINT_T1);
		_mm_prefetch((const char*)(from + k_stride + 2 * TILE_ROWS), _MM_HINT_T1);
		__m512i a[SPLITS], b[SPLITS];
		split(_mm512_loadu_ps(from), a);
		split(_mm512_loadu_ps(from + k_stride), b);
		for (int p = 0; p < SPLITS; p++)
			out[p][i] = _mm512_or_si512(_mm512_srli_epi32(a[p], 16), b[p]);
	}
}

static void pack_a_adjacent(const float* from, int64_t k_stride, __m512i out[SPLITS][TILE_ROWS]) {
	pack_b_adjacent(from, k_stride, out);
	for (int p = 0; p < SPLITS; p++) {
		vf r[TILE_ROWS];
		for (int i = 0; i < TILE_ROWS; i++)
			r[i] = _mm512_castsi512_ps(out[p][i]);
		transpose_square(r);
		memcpy(out[p], r, sizeof r);
	}
}

// pack makes the tiles of up to 16 lines of kc numbers each, for A or for B, and returns the end
// of its output. Incomplete tiles are padded with zeros; they and other layouts are copied
// first.
static char* pack(const float* from, int64_t line_stride, int64_t k_stride, int64_t lines, int64_t kc, bool is_b, char* out) {
	for (int64_t k = 0; k < kc; k += TILE_K, from += TILE_K * k_stride, out += K_STEP_BYTES) {
		__m512i(*tiles)[TILE_ROWS] = (__m512i(*)[TILE_ROWS])out;
		bool full = lines >= TILE_ROWS && kc - k >= TILE_K;
		if (full && k_stride == 1) {
			(is_b ? pack_b_contiguous : pack_a_contiguous)(from, line_stride, tiles);
		} else if (full && line_stride == 1) {
			(is_b ? pack_b_adjacent : pack_a_adjacent)(from, k_stride, tiles);
		} else {
			float copy[TILE_ROWS * TILE_K] = {0};
			for (int64_t i = 0; i < TILE_ROWS && i < lines; i++)
				for (int64_t j = 0; j < TILE_K && j < kc - k; j++)
					copy[i * TILE_K + j] = from[i * line_stride + j * k_stride];
			(is_b ? pack_b_contiguous : pack_a_contiguous)(copy, TILE_K, tiles);
		}
	}
	return out;
}

// microkernel_2x2 sets, or adds to, 2 by 2 tiles of C the products of steps K steps. a0 and a1
// are the packed rows 0 to 15 and 16 to 31 of A, b0 and b1 the packed columns of B.
static void microkernel_2x2(const char* a0, const char* a1, const char* b0, const char* b1, int64_t steps, float* c, int64_t c_stride, bool add) {
	int64_t bytes = c_stride * sizeof *c;
	compiler_barrier();
	if (add) {
		_tile_loadd(0, c, bytes);
		_tile_loadd(1, c + TILE_ROWS, bytes);
		_tile_loadd(2, c + TILE_ROWS * c_stride, bytes);
		_tile_loadd(3, c + TILE_ROWS * c_stride + TILE_ROWS, bytes);
	} else {
		_tile_zero(0);
		_tile_zero(1);
		_tile_zero(2);
		_tile_zero(3);
	}
// Tiles 0 to 3 hold C, 4 and 5 one of the three parts of A, 6 and 7 one of those of B.
#define LOAD_A(p) _tile_loadd(4, a0 + p * TILE_BYTES, 64); _tile_loadd(5, a1 + p * TILE_BYTES, 64)
#define LOAD_B(p) _tile_loadd(6, b0 + p * TILE_BYTES, 64); _tile_loadd(7, b1 + p * TILE_BYTES, 64)
#define MULTIPLY _tile_dpbf16ps(0, 4, 6); _tile_dpbf16ps(1, 4, 7); _tile_dpbf16ps(2, 5, 6); _tile_dpbf16ps(3, 5, 7)
	for (; steps > 0; steps--) {
		LOAD_B(0); LOAD_A(2); MULTIPLY; LOAD_A(1); MULTIPLY; LOAD_A(0); MULTIPLY;
		LOAD_B(1); MULTIPLY; LOAD_A(1); MULTIPLY;
		LOAD_B(2); LOAD_A(0); MULTIPLY;
		a0 += K_STEP_BYTES;
		a1 += K_STEP_BYTES;
		b0 += K_STEP_BYTES;
		b1 += K_STEP_BYTES;
	}
	_tile_stored(0, c, bytes);
	_tile_stored(1, c + TILE_ROWS, bytes);
	_tile_stored(2, c + TILE_ROWS * c_stride, bytes);
	_tile_stored(3, c + TILE_ROWS * c_stride + TILE_ROWS, bytes);
}

// microkernel_1x2 computes 1 by 2 tiles of C, each as two sums that the caller adds. With one
// sum per tile, each instruction would wait for the one before.
static void microkernel_1x2(const char* a, const char* b0, const char* b1, int64_t steps, float* sums) {
	compiler_barrier();
	_tile_zero(0);
	_tile_zero(1);
	_tile_zero(2);
	_tile_zero(3);
	for (; steps > 0; steps--) {
		LOAD_B(0);
		_tile_loadd(4, a + 2 * TILE_BYTES, 64);
		_tile_loadd(5, a + TILE_BYTES, 64);
		MULTIPLY;
		_tile_loadd(4, a, 64);
		_tile_dpbf16ps(0, 4, 6);
		_tile_dpbf16ps(1, 4, 7);
		LOAD_B(1);
		MULTIPLY;
		LOAD_B(2);
		_tile_dpbf16ps(0, 4, 6);
		_tile_dpbf16ps(1, 4, 7);
		a += K_STEP_BYTES;
		b0 += K_STEP_BYTES;
		b1 += K_STEP_BYTES;
	}
	_tile_stored(0, sums, 4 * NC);
	_tile_stored(1, sums + TILE_ROWS, 4 * NC);
	_tile_stored(2, sums + NC * TILE_ROWS, 4 * NC);
	_tile_stored(3, sums + NC * TILE_ROWS + TILE_ROWS, 4 * NC);
}

// macrokernel sets c_panel [rows, NC] to the product of a packed block of A and a packed panel
// of B, of steps K steps each.
static void macrokernel(const char* a_packed, const char* b_packed, int64_t rows, int64_t steps, float* c_panel) {
	for (int64_t k = 0; k < steps; k += L1_K / TILE_K) {
		int64_t count = min_i64(L1_K / TILE_K, steps - k);
		const char *b0 = b_packed + k * K_STEP_BYTES, *b1 = b0 + steps * K_STEP_BYTES, *a = a_packed + k * K_STEP_BYTES;
		float* c = c_panel;
		for (int64_t i = 0; i < rows; i += 2 * TILE_ROWS, a += 2 * steps * K_STEP_BYTES, c += 2 * TILE_ROWS * NC) {
			if (rows - i > TILE_ROWS) {
				microkernel_2x2(a, a + steps * K_STEP_BYTES, b0, b1, count, c, NC, k > 0);
				continue;
			}
			_Alignas(64) float sums[2 * TILE_ROWS * NC];
			microkernel_1x2(a, b0, b1, count, sums);
			for (int x = 0; x < TILE_ROWS * NC; x += LANES) {
				__m512 sum = _mm512_add_ps(_mm512_load_ps(sums + x), _mm512_load_ps(sums + TILE_ROWS * NC + x));
				_mm512_store_ps(c + x, k > 0 ? _mm512_add_ps(_mm512_load_ps(c + x), sum) : sum);
			}
		}
	}
}

// Each thread's scratch memory.
typedef struct {
	char a_packed[MAX_BLOCK / TILE_ROWS / TILE_K * K_STEP_BYTES], b_packed[2 * MAX_KC / TILE_K * K_STEP_BYTES];
	float c_panel[MAX_MC * NC], prologue_rows[TILE_ROWS * MAX_KC];
	row_stats stats[MAX_MC];
} workspace;

// A product, cut into ranges of rows or of columns that are computed independently.
typedef struct {
	const gemm* g;
	int64_t cuts;
	bool by_columns;
	atomic_bool failed;
} gemm_job;

// How many rows and columns of A are packed at a time. It depends on the whole product, so
// that the order of sums doesn't depend on the number of threads.
typedef struct {
	int64_t mc, kc;
} block_size;

static block_size block_size_of(const gemm* g) {
	block_size s = {part_size(g->m, MAX_MC, 2 * TILE_ROWS), 0};
	s.kc = part_size(g->k, min_i64(MAX_KC, MAX_BLOCK / s.mc / TILE_K * TILE_K), TILE_K);
	return s;
}

// pack_block packs columns k to k+kc of rows of A, from row i on.
static void pack_block(workspace* own, const gemm* g, int64_t i, int64_t rows, int64_t k, int64_t kc, bool store_sums) {
	const fusion* f = &g->fusion;
	char* out = own->a_packed;
	for (int64_t r = 0; r < rows; r += TILE_ROWS) {
		int64_t count = min_i64(TILE_ROWS, rows - r);
		matrix a = {g->a.data + (i + r) * g->a.row_stride + k * g->a.col_stride, g->a.row_stride, g->a.col_stride};
		if (store_sums)
			sum_rows(a, count, kc, f->row_sums + i + r, k > 0);
		if (has_prologue(f)) {
			for (int64_t q = 0; q < count; q++) {
				const float* row = g->a.data + (i + r + q) * g->a.row_stride;
				if (f->gamma && k == 0)
					own->stats[r + q] = row_statistics(row, g->k, f->epsilon);
				apply_prologue(f, row, own->stats[r + q], k, kc, own->prologue_rows + q * kc);
			}
			a = (matrix){own->prologue_rows, kc, 1};
		}
		out = pack(a.data, a.row_stride, a.col_stride, count, kc, false, out);
	}
}

// multiply_range computes m rows of C from row i0 on, and n columns from column j0 on.
static bool multiply_range(const gemm* g, int64_t i0, int64_t m, int64_t j0, int64_t n) {
	workspace* own = gaze_scratch(sizeof *own);
	if (!own)
		return false;
	_tile_loadconfig(&full_tiles);
	const block_size size = block_size_of(g);
	const matrix b = g->b;
	for (int64_t i = 0; i < m; i += size.mc) {
		int64_t rows = min_i64(size.mc, m - i);
		for (int64_t k = 0; k < g->k; k += size.kc) {
			int64_t kc = min_i64(size.kc, g->k - k), steps = (kc + TILE_K - 1) / TILE_K;
			pack_block(own, g, i0 + i, rows, k, kc, g->fusion.row_sums && j0 == 0);
			for (int64_t j = 0; j < n; j += NC) {
				const float* from = b.data + k * b.row_stride + (j0 + j) * b.col_stride;
				char* half = pack(from, b.col_stride, b.row_stride, n - j, kc, true, own->b_packed);
				pack(from + TILE_ROWS * b.col_stride, b.col_stride, b.row_stride, n - j - TILE_ROWS, kc, true, half);
				macrokernel(own->a_packed, own->b_packed, rows, steps, own->c_panel);
				const epilogue finish = {&g->fusion, g->c, g->n, k > 0, k + kc == g->k};
				apply_epilogue(&finish, own->c_panel, NC, i0 + i, j0 + j, rows, min_i64(NC, n - j));
			}
		}
	}
	_tile_release();
	return true;
}

// cut_at is where the i-th range of rows or columns begins, a multiple of two tiles.
static int64_t cut_at(int64_t size, int64_t cuts, int64_t i) {
	int64_t units = (size + 2 * TILE_ROWS - 1) / (2 * TILE_ROWS);
	return min_i64(size, units * i / cuts * 2 * TILE_ROWS);
}

static long iterations(const void* data, int phase) { return ((const gemm_job*)data)->cuts; }

static void iterate(void* data, int phase, long i) {
	gemm_job* job = data;
	const gemm* g = job->g;
	int64_t size = job->by_columns ? g->n : g->m, from = cut_at(size, job->cuts, i), count = cut_at(size, job->cuts, i + 1) - from;
	if (count <= 0)
		return;
	if (!(job->by_columns ? multiply_range(g, 0, g->m, from, count) : multiply_range(g, from, count, 0, g->n)))
		atomic_store(&job->failed, true);
}

bool gaze_amx_gemm(const thread_pool* pool, const gemm* g) {
	if (g->b_packed || g->windows)
		return false;
	gemm_job job = {.g = g, .cuts = pool->threads, .by_columns = g->n > g->m};
	const parallel_loop loop = {1, iterations, iterate};
	return gaze_parallel_for(pool, &loop, &job) && !atomic_load(&job.failed);
}

#ifdef __clang__
#pragma clang attribute pop
#endif

#endif
