// The kernels for one instruction set.
#ifndef GAZE_KERNEL_SET_H
#define GAZE_KERNEL_SET_H

#include "attention.h"
#include "gemm.h"
#include "layer_norm.h"
#include "parallel.h"

// Kernels return false if memory ran out.
typedef struct {
	const char* name;
	int lanes; // float32s of a vector
	// gemm also returns false if a dimension is 0.
	bool (*gemm)(const thread_pool* pool, const gemm* g);
	// prepack_b packs B [k, columns], once, for gemm. out has room for columns rounded up to a
	// multiple of lanes.
	void (*prepack_b)(matrix b, int64_t k, int64_t columns, float* out);
	// attention sets out. attention_backward sets dqkv from qkv and dout; it doesn't read out.
	bool (*attention)(const thread_pool* pool, const attention* a);
	bool (*attention_backward)(const thread_pool* pool, const attention* a);
	// layer_norm sets y. layer_norm_backward sets dx, dgamma and dbeta; it doesn't read beta.
	bool (*layer_norm)(const thread_pool* pool, const layer_norm* l);
	bool (*layer_norm_backward)(const thread_pool* pool, const layer_norm* l);
	// activations sets the values and derivatives of an activation function at n numbers;
	// function -1 is e^x. For tests.
	void (*activations)(int function, const float* x, float* values, float* derivatives, int64_t n);
} kernel_set;

// The sets of this architecture, the best first. Not all may work on the processor: see
// processor.h.
extern const kernel_set* const gaze_kernel_sets[];

// gaze_prepack_b calls a set's prepack_b, since Go can't call a pointer.
static inline void gaze_prepack_b(const kernel_set* set, matrix b, int64_t k, int64_t columns, float* out) { set->prepack_b(b, k, columns, out); }

#if defined(__x86_64__)
enum { GAZE_KERNEL_SETS = 2 };
extern const kernel_set gaze_avx512, gaze_avx2;
#elif defined(__aarch64__)
enum { GAZE_KERNEL_SETS = 1 };
extern const kernel_set gaze_neon;
#endif

#endif
