// The kernels without XLA, on threads of their own: for tests.
#ifndef GAZE_CHECK_H
#define GAZE_CHECK_H

#include "attention.h"
#include "norm.h"
#include "product.h"

enum { BY_VECTORS, BY_TILES, BY_EMULATED_TILES };

bool gaze_check_product(const product* p, int threads, int by);
bool gaze_check_attention(const attention* a, int threads);
bool gaze_check_norm(const norm* l, int threads);

// gaze_check_activation sets values and slopes at n numbers; function -1 is e^x.
void gaze_check_activation(int function, const float* x, float* values, float* slopes, int64_t n);

#endif
