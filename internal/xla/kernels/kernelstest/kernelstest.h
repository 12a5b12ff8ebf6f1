#ifndef GAZE_KERNELSTEST_H
#define GAZE_KERNELSTEST_H

#include "../functions.h"

// The kernels, set before anything else is called.
extern const kernel_functions* kernelstest_functions;

bool emulated_has_amx(void);
bool emulated_amx_gemm(const thread_pool* pool, const gemm* g);

enum { ON_AVX512, ON_AMX, ON_EMULATED_AMX };

bool kernelstest_has_avx512(void);
bool kernelstest_has_amx(void);
bool kernelstest_gemm(const gemm* g, int threads, int on);
// These compute the gradient if the one for their output is given.
bool kernelstest_attention(const attention* a, int threads);
bool kernelstest_layer_norm(const layer_norm* l, int threads);

// kernelstest_activation sets the values and derivatives of an activation function at n numbers;
// function -1 is e^x.
void kernelstest_activation(int function, const float* x, float* values, float* derivatives, int64_t n);

#endif
