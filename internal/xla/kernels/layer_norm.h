// Layer normalisation and its gradient.
#ifndef GAZE_LAYER_NORM_H
#define GAZE_LAYER_NORM_H

#include <stdint.h>

#include "parallel.h"

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

// gaze_layer_norm sets y. It returns false if memory ran out.
bool gaze_layer_norm(const thread_pool* pool, const layer_norm* l);

// gaze_layer_norm_backward sets dx, dgamma and dbeta; it doesn't read beta. It returns false if
// memory ran out.
bool gaze_layer_norm_backward(const thread_pool* pool, const layer_norm* l);

#endif
