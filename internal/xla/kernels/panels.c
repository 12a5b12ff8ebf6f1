//go:build cgo && linux && !noxla && amd64

#include "panels.h"

#include <cpuid.h>
#include <stddef.h>

#include "vector.h"

// Asked of the processor itself: __builtin_cpu_supports needs libgcc, which Go's linker
// would search in each of a notebook's cells.
bool gaze_vectors_ready(void) {
	const unsigned kept = 0xe6, all = bit_AVX512F | bit_AVX512DQ | bit_AVX512BW | bit_AVX512VL;
	unsigned a, b, c, d;
	if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & bit_OSXSAVE) || !(c & bit_FMA))
		return false;
	__asm__("xgetbv" : "=a"(a), "=d"(d) : "c"(0));
	if ((a & kept) != kept) // by the system, when it turns from one program to another
		return false;
	return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b & all) == all;
}

// each4 holds four numbers of every fourth line.
VECTOR __m512 each4(const float* from, int64_t apart) {
	__m512 x = _mm512_castps128_ps512(_mm_loadu_ps(from));
	x = _mm512_mask_broadcast_f32x4(x, 0x00f0, _mm_loadu_ps(from + 4 * apart));
	x = _mm512_mask_broadcast_f32x4(x, 0x0f00, _mm_loadu_ps(from + 8 * apart));
	return _mm512_mask_broadcast_f32x4(x, 0xf000, _mm_loadu_ps(from + 12 * apart));
}

// turn writes four numbers of 16 lines as four vectors.
VECTOR void turn(const float* from, int64_t apart, float* to, int64_t row) {
	__m512 a = each4(from, apart), b = each4(from + apart, apart), c = each4(from + 2 * apart, apart), d = each4(from + 3 * apart, apart);
	__m512d e = _mm512_castps_pd(_mm512_unpacklo_ps(a, b)), f = _mm512_castps_pd(_mm512_unpackhi_ps(a, b));
	__m512d g = _mm512_castps_pd(_mm512_unpacklo_ps(c, d)), h = _mm512_castps_pd(_mm512_unpackhi_ps(c, d));
	_mm512_storeu_ps(to, _mm512_castpd_ps(_mm512_unpacklo_pd(e, g)));
	_mm512_storeu_ps(to + row, _mm512_castpd_ps(_mm512_unpackhi_pd(e, g)));
	_mm512_storeu_ps(to + 2 * row, _mm512_castpd_ps(_mm512_unpacklo_pd(f, h)));
	_mm512_storeu_ps(to + 3 * row, _mm512_castpd_ps(_mm512_unpackhi_pd(f, h)));
}

VECTORS void gaze_pack_right(matrix b, int64_t depth, int64_t columns, float* to) {
	if (b.col == 1) {
		// Row by row, or each is found in the tables of pages three times.
		const __mmask16 some[PANEL / LANES] = {first(columns), first(columns - LANES), first(columns - 2 * LANES)};
		for (int64_t k = 0; k < depth; k++, to += PANEL)
			for (int j = 0; j < PANEL / LANES; j++)
				_mm512_store_ps(to + j * LANES, _mm512_maskz_loadu_ps(some[j], b.data + k * b.row + j * LANES));
		return;
	}
	// Kernels leave vectors out that no column needs.
	for (int64_t j = 0; j < columns; j += LANES, to += LANES) {
		const float* from = b.data + j * b.col;
		int64_t some = columns - j, k = 0;
		if (b.row == 1 && some >= LANES)
			for (; k + 4 <= depth; k += 4)
				turn(from + k, b.col, to + k * PANEL, PANEL);
		for (; k < depth; k++)
			for (int64_t i = 0; i < LANES; i++)
				to[k * PANEL + i] = i < some ? from[k * b.row + i * b.col] : 0;
	}
}

VECTORS void gaze_pack_weights(matrix b, int64_t depth, int64_t columns, float* to) {
	for (int64_t j = 0; j < columns; j += PANEL) {
		int64_t wide = least(PANEL, columns - j);
		for (int64_t c = 0; c < wide; c += LANES) {
			const float* from = b.data + (j + c) * b.col;
			int64_t k = 0;
			if (b.row == 1)
				for (; k + 4 <= depth; k += 4)
					turn(from + k, b.col, to + k * wide + c, wide);
			for (; k < depth; k++)
				for (int64_t i = 0; i < LANES; i++)
					to[k * wide + c + i] = from[k * b.row + i * b.col];
		}
		to += depth * wide;
	}
}

// strip8 packs 8 rows that are dense: four numbers of each at a time.
VECTOR void strip8(const float* from, int64_t apart, int64_t depth, float* to) {
	int64_t k = 0;
	for (; k + 4 <= depth; k += 4, from += 4, to += 4 * STRIP) {
		// Rows i and i+4 side by side.
		__m256 r[4];
		for (int i = 0; i < 4; i++)
			r[i] = _mm256_insertf128_ps(_mm256_castps128_ps256(_mm_loadu_ps(from + i * apart)), _mm_loadu_ps(from + (i + 4) * apart), 1);
		__m256d e = _mm256_castps_pd(_mm256_unpacklo_ps(r[0], r[1])), f = _mm256_castps_pd(_mm256_unpackhi_ps(r[0], r[1]));
		__m256d g = _mm256_castps_pd(_mm256_unpacklo_ps(r[2], r[3])), h = _mm256_castps_pd(_mm256_unpackhi_ps(r[2], r[3]));
		_mm256_storeu_ps(to, _mm256_castpd_ps(_mm256_unpacklo_pd(e, g)));
		_mm256_storeu_ps(to + STRIP, _mm256_castpd_ps(_mm256_unpackhi_pd(e, g)));
		_mm256_storeu_ps(to + 2 * STRIP, _mm256_castpd_ps(_mm256_unpacklo_pd(f, h)));
		_mm256_storeu_ps(to + 3 * STRIP, _mm256_castpd_ps(_mm256_unpackhi_pd(f, h)));
	}
	for (; k < depth; k++, from++, to += STRIP)
		for (int i = 0; i < STRIP; i++)
			to[i] = from[i * apart];
}

// beside packs up to 32 rows that lie side by side, number by number: else each number
// is found in the tables of pages for each strip.
VECTOR void beside(const float* from, int64_t along, int64_t rows, int64_t depth, float* to) {
	enum { MOST = 4 };
	__mmask8 some[MOST];
	for (int i = 0; i < MOST; i++)
		some[i] = (__mmask8)first(rows - i * STRIP);
	const int strips = (int)((rows + STRIP - 1) / STRIP);
	for (int64_t k = 0; k < depth; k++)
		for (int i = 0; i < strips; i++)
			_mm256_storeu_ps(to + (i * depth + k) * STRIP, _mm256_maskz_loadu_ps(some[i], from + k * along + i * STRIP));
}

VECTORS void gaze_pack_left(matrix a, int64_t rows, int64_t depth, float* to) {
	if (a.row == 1) {
		for (int64_t i = 0; i < rows; i += 4 * STRIP)
			beside(a.data + i, a.col, least(rows - i, 4 * STRIP), depth, to + i * depth);
		return;
	}
	for (int64_t i = 0; i < rows; i += STRIP, to += depth * STRIP) {
		const float* from = a.data + i * a.row;
		int64_t some = least(rows - i, STRIP);
		if (a.col == 1 && some == STRIP) {
			strip8(from, a.row, depth, to);
			continue;
		}
		for (int64_t k = 0; k < depth; k++)
			for (int64_t r = 0; r < STRIP; r++)
				to[k * STRIP + r] = r < some ? from[r * a.row + k * a.col] : 0;
	}
}

// A kernel multiplies some rows of a strip by some vectors of a panel.
typedef void kernel(const float* left, const float* right, int64_t wide, int64_t depth, float* out, int64_t row, bool add, ahead* more);

// The sums stay in registers only if the compiler sees each of them.
#define UNROLL _Pragma("GCC unroll 8")

#define STEP(ROWS, WIDE) \
	{ \
		__m512 b[WIDE]; \
		UNROLL for (int j = 0; j < WIDE; j++) \
			b[j] = _mm512_loadu_ps(right + j * LANES); \
		UNROLL for (int i = 0; i < ROWS; i++) { \
			__m512 a = _mm512_set1_ps(left[i]); \
			UNROLL for (int j = 0; j < WIDE; j++) \
				sum[i][j] = _mm512_fmadd_ps(a, b[j], sum[i][j]); \
		} \
		left += STRIP; \
		right += wide; \
	}

#define KERNEL(ROWS, WIDE) \
	VECTORS static void kernel_##ROWS##_##WIDE(const float* left, const float* right, int64_t wide, int64_t depth, float* out, int64_t row, bool add, ahead* more) { \
		__m512 sum[ROWS][WIDE]; \
		UNROLL for (int i = 0; i < ROWS; i++) \
			UNROLL for (int j = 0; j < WIDE; j++) \
				sum[i][j] = _mm512_setzero_ps(); \
		const char* base = more->base; \
		const int32_t* next = more->next; \
		int each = more->each; \
		for (; depth >= 8; depth -= 8) { \
			for (int i = 0; i < each; i++) \
				_mm_prefetch(base + *next++, _MM_HINT_T1); \
			STEP(ROWS, WIDE) STEP(ROWS, WIDE) STEP(ROWS, WIDE) STEP(ROWS, WIDE) \
			STEP(ROWS, WIDE) STEP(ROWS, WIDE) STEP(ROWS, WIDE) STEP(ROWS, WIDE) \
		} \
		more->next = next; \
		for (; depth > 0; depth--) \
			STEP(ROWS, WIDE) \
		UNROLL for (int i = 0; i < ROWS; i++) \
			UNROLL for (int j = 0; j < WIDE; j++) { \
				float* to = out + i * row + j * LANES; \
				_mm512_storeu_ps(to, add ? _mm512_add_ps(sum[i][j], _mm512_loadu_ps(to)) : sum[i][j]); \
			} \
	}

#define KERNELS(ROWS) KERNEL(ROWS, 1) KERNEL(ROWS, 2) KERNEL(ROWS, 3)
KERNELS(1) KERNELS(2) KERNELS(3) KERNELS(4) KERNELS(5) KERNELS(6) KERNELS(7) KERNELS(8)

#define ALL(ROWS) {kernel_##ROWS##_1, kernel_##ROWS##_2, kernel_##ROWS##_3}
static kernel* const kernels[STRIP][PANEL / LANES] = {ALL(1), ALL(2), ALL(3), ALL(4), ALL(5), ALL(6), ALL(7), ALL(8)};

// One sum is of at most so many terms, then sums are added up: rounding errors grow
// with a sum's length.
enum { LONGEST = 512 };

VECTORS void gaze_panel(const float* left, int64_t apart, const float* right, int64_t wide, int64_t rows, int64_t columns, int64_t depth, float* out, int64_t row, bool add, ahead* more) {
	ahead none = {0};
	int64_t parts = (depth + LONGEST - 1) / LONGEST, part = parts > 0 ? up((depth + parts - 1) / parts, 8) : 0;
	int vectors = (int)((columns + LANES - 1) / LANES);
	for (int64_t i = 0; i < rows; i += STRIP, left += apart) {
		kernel* multiply = kernels[least(rows - i, STRIP) - 1][vectors - 1];
		for (int64_t r = i; more && more->result && r < least(rows, i + STRIP); r++)
			for (int v = 0; v < vectors; v++)
				__builtin_prefetch(more->result + r * more->row + v * LANES, 1, 2);
		for (int64_t k = 0; k < depth; k += part) {
			int64_t some = least(part, depth - k);
			ahead* with = more && more->end - more->next >= some / 8 * more->each ? more : &none;
			multiply(left + k * STRIP, right + k * wide, wide, some, out + i * row, row, add || k > 0, with);
		}
	}
}
