// The kernels as a table of functions. Package kernelstest, which calls them without XLA,
// can't link to another package's C functions.
#ifndef GAZE_FUNCTIONS_H
#define GAZE_FUNCTIONS_H

#include "amx.h"
#include "attention.h"
#include "gemm.h"
#include "layer_norm.h"
#include "microkernel.h"
#include "scratch.h"

typedef struct {
	bool (*has_avx512)(void);
	bool (*has_amx)(void);
	bool (*gemm)(const thread_pool* pool, const gemm* g, bool amx);
	bool (*attention)(const thread_pool* pool, const attention* a);
	bool (*attention_backward)(const thread_pool* pool, const attention* a);
	bool (*layer_norm)(const thread_pool* pool, const layer_norm* l);
	bool (*layer_norm_backward)(const thread_pool* pool, const layer_norm* l);
	bool (*parallel_for)(const thread_pool* pool, const parallel_loop* loop, void* data);
	void* (*scratch)(size_t bytes);
} kernel_functions;

extern const kernel_functions gaze_kernel_functions;

#endif
