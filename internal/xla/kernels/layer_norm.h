// Layer normalisation and its gradient.
#ifndef GAZE_LAYER_NORM_H
#define GAZE_LAYER_NORM_H

#include <stdint.h>

// y = (x - mean)/std·gamma + beta for each row of x [rows, n], as torch's LayerNorm computes it.
typedef struct {
	const float *x, *gamma, *beta;
	float epsilon;
	int64_t rows, n;
	float* y;        // [rows, n]
	const float* dy; // [rows, n]: the gradient for y
	float* dx;       // [rows, n]
	float *dgamma, *dbeta; // [n]
} layer_norm;

#endif
