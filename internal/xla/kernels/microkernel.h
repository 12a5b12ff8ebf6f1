// The AVX-512 microkernel for products of float32 matrices.
#ifndef GAZE_MICROKERNEL_H
#define GAZE_MICROKERNEL_H

#include <stdbool.h>
#include <stdint.h>

#include "pack.h"

// gaze_has_avx512 says whether the processor and the system support the instructions used.
bool gaze_has_avx512(void);

// What to prefetch while a product is computed.
typedef struct {
	// Cache lines of a later part of B, by their offsets from base: per_step of them for every
	// 8 columns of A.
	const char* base;
	const int32_t *next, *end;
	int per_step;
	// Where the tile of C will be written; NULL: not in this call.
	const float* c;
	int64_t c_stride;
} prefetch;

// gaze_macrokernel multiplies micropanels of A, a_stride numbers apart, with one micropanel
// of B, whose rows are b_stride numbers apart. It sets tile [rows, columns], or adds to it.
// tile's rows are tile_stride apart and are written up to a multiple of 16 columns. prefetch
// may be NULL.
void gaze_macrokernel(const float* a, int64_t a_stride, const float* b, int64_t b_stride, int64_t rows, int64_t columns, int64_t kc, float* tile, int64_t tile_stride, bool add, prefetch* ahead);

#endif
