#ifndef GAZE_KERNELSTEST_H
#define GAZE_KERNELSTEST_H

#include "../functions.h"

// The kernels, set before anything else is called.
extern const kernel_functions* kernelstest_functions;

#if defined(__x86_64__)
bool emulated_has_amx(void);
bool emulated_amx_gemm(const thread_pool* pool, const gemm* g);
#else
static inline bool emulated_amx_gemm(const thread_pool* pool, const gemm* g) { return false; }
#endif

// What computes a product: AMX, its emulation, or the kernel set of an index.
enum { ON_AMX = -1, ON_EMULATED_AMX = -2 };

// kernelstest_set_name is the name of a set, NULL if there is none of that index.
const char* kernelstest_set_name(int set);
bool kernelstest_runs(int set);
bool kernelstest_has_amx(void);
bool kernelstest_gemm(const gemm* g, int threads, int on);
// These compute the gradient if the one for their output is given.
bool kernelstest_attention(int set, const attention* a, int threads);
bool kernelstest_layer_norm(int set, const layer_norm* l, int threads);

// kernelstest_activation sets the values and derivatives of an activation function at n numbers;
// function -1 is e^x.
void kernelstest_activation(int set, int function, const float* x, float* values, float* derivatives, int64_t n);

#endif
