// Layer normalisation, and its gradient.
#ifndef GAZE_NORM_H
#define GAZE_NORM_H

#include <stdint.h>

#include "team.h"

// Rows [rows, n] are normalised to mean 0 and variance 1, multiplied by gamma and added
// to beta, as torch's LayerNorm does it.
typedef struct {
	const float *x, *gamma, *beta;
	float epsilon;
	int64_t rows, n;
	float* out;             // [rows, n]: the result
	const float* gradient;  // [rows, n]: with respect to the result
	float* x_gradient;      // [rows, n]
	float *gamma_gradient, *beta_gradient; // [n]
} norm;

// gaze_normalize sets out. False means that memory ran out.
bool gaze_normalize(const scheduler* s, const norm* l);

// gaze_normalize_back sets the gradients with respect to x, gamma and beta; beta itself
// isn't needed. False means that memory ran out.
bool gaze_normalize_back(const scheduler* s, const norm* l);

#endif
