// The microkernel: products of a few rows of A with a packed micropanel of B, whose sums stay in
// registers. A isn't packed: its rows are contiguous, and each is read as it lies.
#ifndef GAZE_MICROKERNEL_H
#define GAZE_MICROKERNEL_H

#include "pack.h"
#include "vector.h"

// What to prefetch while a product is computed.
typedef struct {
	// Cache lines of a later part of B, by their offsets from base: per_step of them for every
	// 8 columns of A.
	const char* base;
	const int32_t *next, *end;
	int per_step;
} prefetch;

// The compiler keeps the sums in registers only if all loops over them are unrolled.
#define UNROLL _Pragma("GCC unroll 8")

// rank_1_update adds the terms of one column of A and one row of B.
INLINE void rank_1_update(int rows, int vectors, const float* a, int64_t a_stride, const float* b, vf sum[MR][VECTORS]) {
	// Keeps the compiler from mixing updates, for which there aren't enough registers.
	__asm__ volatile("" ::: "memory");
	vf b_row[VECTORS];
	UNROLL for (int j = 0; j < vectors; j++)
		b_row[j] = vload(b + j * LANES);
	UNROLL for (int i = 0; i < rows; i++) {
		const vf a_i = vset(a[i * a_stride]);
		UNROLL for (int j = 0; j < vectors; j++)
			vadd_product(&sum[i][j], a_i, b_row[j]);
	}
}

// multiply_rows multiplies up to MR rows of A, a_stride numbers apart, with up to VECTORS vectors of
// a micropanel of B, whose rows are b_stride numbers apart, and sets tile or adds to it.
INLINE void multiply_rows(int rows, int vectors, const float* a, int64_t a_stride, const float* b, int64_t b_stride, int64_t kc, float* tile, int64_t tile_stride, bool add, prefetch* ahead) {
	vf sum[MR][VECTORS];
	UNROLL for (int i = 0; i < rows; i++)
		UNROLL for (int j = 0; j < vectors; j++)
			sum[i][j] = vzero();
	const char* base = ahead->base;
	const int32_t* next = ahead->next;
	const int per_step = ahead->per_step;
	for (; kc >= 8; kc -= 8) {
		for (int i = 0; i < per_step; i++)
			__builtin_prefetch(base + *next++, 0, 2);
		UNROLL for (int k = 0; k < 8; k++, a++, b += b_stride)
			rank_1_update(rows, vectors, a, a_stride, b, sum);
	}
	ahead->next = next;
	for (; kc > 0; kc--, a++, b += b_stride)
		rank_1_update(rows, vectors, a, a_stride, b, sum);
	UNROLL for (int i = 0; i < rows; i++)
		UNROLL for (int j = 0; j < vectors; j++) {
			float* to = tile + i * tile_stride + j * LANES;
			vstore(to, add ? sum[i][j] + vload(to) : sum[i][j]);
		}
}

// A microkernel is multiply_rows for some numbers of rows and vectors.
typedef void microkernel(const float* a, int64_t a_stride, const float* b, int64_t b_stride, int64_t kc, float* tile, int64_t tile_stride, bool add, prefetch* ahead);

#define MICROKERNEL(ROWS, COUNT) \
	static void microkernel_##ROWS##x##COUNT(const float* a, int64_t a_stride, const float* b, int64_t b_stride, int64_t kc, float* tile, int64_t tile_stride, bool add, prefetch* ahead) { \
		multiply_rows(ROWS, COUNT, a, a_stride, b, b_stride, kc, tile, tile_stride, add, ahead); \
	}

#define MICROKERNELS(ROWS) MICROKERNEL(ROWS, 1) MICROKERNEL(ROWS, 2) MICROKERNEL(ROWS, 3)
#define ALL_WIDTHS(ROWS) {microkernel_##ROWS##x1, microkernel_##ROWS##x2, microkernel_##ROWS##x3}

MICROKERNELS(1) MICROKERNELS(2) MICROKERNELS(3) MICROKERNELS(4)
#if MR == 8
MICROKERNELS(5) MICROKERNELS(6) MICROKERNELS(7) MICROKERNELS(8)
#endif

static microkernel* const microkernels[MR][VECTORS] = {
	ALL_WIDTHS(1), ALL_WIDTHS(2), ALL_WIDTHS(3), ALL_WIDTHS(4),
#if MR == 8
	ALL_WIDTHS(5), ALL_WIDTHS(6), ALL_WIDTHS(7), ALL_WIDTHS(8),
#endif
};

// Where the sums of a macrokernel go: a tile [rows, columns], written up to a multiple of LANES
// columns, whose rows are stride numbers apart.
typedef struct {
	float* tile;
	int64_t stride;
	bool add; // to what the tile holds
} sums;

// macrokernel multiplies rows of A, a_stride numbers apart, with one micropanel of B, whose rows are
// b_stride numbers apart. ahead may be NULL.
static void macrokernel(const float* a, int64_t a_stride, const float* b, int64_t b_stride, int64_t rows, int64_t columns, int64_t kc, const sums* to, prefetch* ahead) {
	prefetch none = {0};
	const int64_t parts = (kc + MAX_TERMS - 1) / MAX_TERMS, part = parts > 0 ? round_up((kc + parts - 1) / parts, 8) : 0;
	const int vectors = (int)((columns + LANES - 1) / LANES);
	for (int64_t k = 0; k < kc; k += part) {
		const int64_t terms = min_i64(part, kc - k);
		// As few calls as can be, of about as many rows each: a call for one row would take as long as
		// one for three.
		for (int64_t i = 0, count; i < rows; i += count) {
			count = (rows - i) / ((rows - i + MR - 1) / MR);
			float* tile = to->tile + i * to->stride;
			for (int64_t r = 0; ahead && r < count; r++)
				for (int64_t v = 0; v < columns; v += LINE)
					__builtin_prefetch(tile + r * to->stride + v, 1, 2);
			prefetch* with = ahead && ahead->end - ahead->next >= terms / 8 * ahead->per_step ? ahead : &none;
			microkernels[count - 1][vectors - 1](a + i * a_stride + k, a_stride, b + k * b_stride, b_stride, terms, tile, to->stride, to->add || k > 0, with);
		}
	}
}

#endif
