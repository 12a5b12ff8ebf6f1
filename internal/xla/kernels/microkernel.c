//go:build cgo && linux && !noxla && amd64

#include "microkernel.h"

#include <cpuid.h>
#include <stddef.h>

#include "avx512.h"

// __builtin_cpu_supports would need libgcc, which Go's linker would have to search for each of
// a notebook's cells.
bool gaze_has_avx512(void) {
	const unsigned vector_state = 0xe6, features = bit_AVX512F | bit_AVX512DQ | bit_AVX512BW | bit_AVX512VL;
	unsigned a, b, c, d;
	if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & bit_OSXSAVE) || !(c & bit_FMA))
		return false;
	__asm__("xgetbv" : "=a"(a), "=d"(d) : "c"(0));
	if ((a & vector_state) != vector_state) // the system doesn't save the registers
		return false;
	return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b & features) == features;
}

// A microkernel multiplies a micropanel of A, of up to MR rows, with one, two or three vectors
// of a micropanel of B.
typedef void microkernel(const float* a, const float* b, int64_t b_stride, int64_t kc, float* tile, int64_t tile_stride, bool add, prefetch* ahead);

// The compiler keeps the sums in registers only if all loops over them are unrolled.
#define UNROLL _Pragma("GCC unroll 8")

// The terms of one column of A and one row of B.
#define RANK_1_UPDATE(ROWS, VECTORS) \
	{ \
		__m512 b_row[VECTORS]; \
		UNROLL for (int j = 0; j < VECTORS; j++) \
			b_row[j] = _mm512_loadu_ps(b + j * LANES); \
		UNROLL for (int i = 0; i < ROWS; i++) { \
			__m512 a_i = _mm512_set1_ps(a[i]); \
			UNROLL for (int j = 0; j < VECTORS; j++) \
				sum[i][j] = _mm512_fmadd_ps(a_i, b_row[j], sum[i][j]); \
		} \
		a += MR; \
		b += b_stride; \
	}

#define MICROKERNEL(ROWS, VECTORS) \
	AVX512 static void microkernel_##ROWS##x##VECTORS(const float* a, const float* b, int64_t b_stride, int64_t kc, float* tile, int64_t tile_stride, bool add, prefetch* ahead) { \
		__m512 sum[ROWS][VECTORS]; \
		UNROLL for (int i = 0; i < ROWS; i++) \
			UNROLL for (int j = 0; j < VECTORS; j++) \
				sum[i][j] = _mm512_setzero_ps(); \
		const char* base = ahead->base; \
		const int32_t* next = ahead->next; \
		int per_step = ahead->per_step; \
		for (; kc >= 8; kc -= 8) { \
			for (int i = 0; i < per_step; i++) \
				_mm_prefetch(base + *next++, _MM_HINT_T1); \
			RANK_1_UPDATE(ROWS, VECTORS) RANK_1_UPDATE(ROWS, VECTORS) RANK_1_UPDATE(ROWS, VECTORS) RANK_1_UPDATE(ROWS, VECTORS) \
			RANK_1_UPDATE(ROWS, VECTORS) RANK_1_UPDATE(ROWS, VECTORS) RANK_1_UPDATE(ROWS, VECTORS) RANK_1_UPDATE(ROWS, VECTORS) \
		} \
		ahead->next = next; \
		for (; kc > 0; kc--) \
			RANK_1_UPDATE(ROWS, VECTORS) \
		UNROLL for (int i = 0; i < ROWS; i++) \
			UNROLL for (int j = 0; j < VECTORS; j++) { \
				float* to = tile + i * tile_stride + j * LANES; \
				_mm512_storeu_ps(to, add ? _mm512_add_ps(sum[i][j], _mm512_loadu_ps(to)) : sum[i][j]); \
			} \
	}

#define MICROKERNELS(ROWS) MICROKERNEL(ROWS, 1) MICROKERNEL(ROWS, 2) MICROKERNEL(ROWS, 3)
MICROKERNELS(1) MICROKERNELS(2) MICROKERNELS(3) MICROKERNELS(4) MICROKERNELS(5) MICROKERNELS(6) MICROKERNELS(7) MICROKERNELS(8)

#define ALL_WIDTHS(ROWS) {microkernel_##ROWS##x1, microkernel_##ROWS##x2, microkernel_##ROWS##x3}
static microkernel* const microkernels[MR][NR / LANES] = {
	ALL_WIDTHS(1), ALL_WIDTHS(2), ALL_WIDTHS(3), ALL_WIDTHS(4), ALL_WIDTHS(5), ALL_WIDTHS(6), ALL_WIDTHS(7), ALL_WIDTHS(8),
};

// At most this many terms are added up in registers. Longer sums are added up from such
// parts, because rounding errors grow with the length of a sum.
enum { MAX_TERMS = 512 };

AVX512 void gaze_macrokernel(const float* a, int64_t a_stride, const float* b, int64_t b_stride, int64_t rows, int64_t columns, int64_t kc, float* tile, int64_t tile_stride, bool add, prefetch* ahead) {
	prefetch none = {0};
	int64_t parts = (kc + MAX_TERMS - 1) / MAX_TERMS, part = parts > 0 ? round_up((kc + parts - 1) / parts, 8) : 0;
	int vectors = (int)((columns + LANES - 1) / LANES);
	for (int64_t i = 0; i < rows; i += MR, a += a_stride) {
		microkernel* multiply = microkernels[min_i64(rows - i, MR) - 1][vectors - 1];
		for (int64_t r = i; ahead && ahead->c && r < min_i64(rows, i + MR); r++)
			for (int v = 0; v < vectors; v++)
				__builtin_prefetch(ahead->c + r * ahead->c_stride + v * LANES, 1, 2);
		for (int64_t k = 0; k < kc; k += part) {
			int64_t terms = min_i64(part, kc - k);
			prefetch* with = ahead && ahead->end - ahead->next >= terms / 8 * ahead->per_step ? ahead : &none;
			multiply(a + k * MR, b + k * b_stride, b_stride, terms, tile + i * tile_stride, tile_stride, add || k > 0, with);
		}
	}
}
