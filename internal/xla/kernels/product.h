// Products of float32 matrices, with what is to be done before and after.
#ifndef GAZE_PRODUCT_H
#define GAZE_PRODUCT_H

#include "around.h"
#include "matrix.h"
#include "team.h"

// out[m, n] is left[m, k] times right[k, n]. A packed right matrix is one that
// gaze_pack_weights has written; tiles can't use it.
typedef struct {
	matrix left, right;
	bool packed;
	float* out;
	int64_t m, n, k;
	around around;
} product;

// gaze_multiply makes a product, with tiles where the processor has them and they may
// be used, else with vectors. False means that memory ran out, or
// there was nothing to multiply.
bool gaze_multiply(const scheduler* s, const product* p, bool tiles);

// gaze_multiply_alone makes a product on this thread.
bool gaze_multiply_alone(const product* p, bool tiles);

#endif
