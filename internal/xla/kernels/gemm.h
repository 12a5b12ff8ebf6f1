// Products of float32 matrices (GEMM), with a fused prologue and epilogue.
#ifndef GAZE_GEMM_H
#define GAZE_GEMM_H

#include "fusion.h"
#include "matrix.h"
#include "parallel.h"

// C [m, n] = A [m, k] · B [k, n]; C's rows are contiguous.
typedef struct {
	matrix a, b;
	bool b_packed; // gaze_prepack_b has written b; only the AVX-512 kernels take that
	float* c;
	int64_t m, n, k;
	fusion fusion;
} gemm;

// gaze_gemm computes a product on AMX tiles, if amx is set and the processor has them, or
// with AVX-512. It returns false if memory ran out or a dimension is 0.
bool gaze_gemm(const thread_pool* pool, const gemm* g, bool amx);

// gaze_gemm_serial computes a product on the calling thread.
bool gaze_gemm_serial(const gemm* g, bool amx);

#endif
