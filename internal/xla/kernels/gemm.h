// Products of float32 matrices (GEMM), with a fused prologue and epilogue.
#ifndef GAZE_GEMM_H
#define GAZE_GEMM_H

#include <stdbool.h>
#include <stdint.h>

#include "matrix.h"
#include "parallel.h"

// What a GEMM C = A·B does on the way: a prologue on A while it is packed, an epilogue on C
// while it is written.
typedef struct {
	// Prologue: layer norm of A's rows, as torch computes it. gamma is NULL if there is none.
	const float *gamma, *beta;
	float epsilon;
	// Prologue: the activation function is applied to A. If pre_activation [m, n] is given,
	// that is an epilogue instead: C is multiplied by the function's derivative there, and
	// the function's values go to activated [m, n].
	int activation;
	const float* pre_activation;
	float* activated;

	// Epilogue; what is NULL is left out.
	const float* bias;     // [n], added to each row of C
	const float* scale;    // [n], multiplies each row of C after that
	const float* shift;    // [n], added to each row of C after that
	const float* residual; // [m, n], added to C after that
	bool relu;             // negative numbers become 0 after that
	int result_activation; // and this function is applied at last
	float* row_sums;       // [m], receives the sums of A's rows
} fusion;

// What a kernel meets in pictures [batch, rows, columns, channels] at each of its positions, as
// the rows of a matrix: a row has the channels of kernel_rows by kernel_columns pixels. What lies
// outside of a picture is zero.
typedef struct {
	const float* pictures;
	int64_t rows, columns, channels;
	int64_t kernel_rows, kernel_columns;
	int64_t out_rows, out_columns; // positions in each picture
	int64_t stride, dilation;      // from one position to the next, and from one element of the kernel to the next
	int64_t top, left;             // the first position begins this far outside of the picture
} windows;

// The most rows for which packing B takes longer than multiplying.
enum { MAX_FEW_ROWS = 15 };

// C [m, n] = A [m, k] · B [k, n]; C's rows are contiguous, and C is none of the other arrays.
typedef struct {
	matrix a, b;
	bool b_packed; // the same kernels' prepack_b has written b; AMX can't read that
	float* c;
	int64_t m, n, k;
	fusion fusion;
	bool few_rows; // read B as it is, if A has at most MAX_FEW_ROWS rows; other bits; not for AMX
	const windows* windows; // if given, these are A, and not a; without a prologue, and not for AMX
} gemm;

#endif
