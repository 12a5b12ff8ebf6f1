// All kernels. An instruction set's file includes this after it has said which set it is for.
#ifndef GAZE_ALL_KERNELS_H
#define GAZE_ALL_KERNELS_H

#include "kernel_set.h"
#include "norm.h"
#include "product.h"
#include "self_attention.h"

static void activations(int function, const float* x, float* values, float* derivatives, int64_t n) {
	for (int64_t i = 0; i < n; i += LANES) {
		vf in = load_lanes(x + i, n - i), derivative, value;
		value = function < 0 ? (derivative = vexp(in)) : vactivation(function, in, &derivative);
		store_lanes(values + i, n - i, value);
		store_lanes(derivatives + i, n - i, derivative);
	}
}

#define KERNEL_SET(NAME) \
	{ NAME, LANES, product, prepack_b, self_attention, self_attention_backward, norm, norm_backward, activations }

#endif
