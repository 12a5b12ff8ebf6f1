// The kernels as a table of functions. Package kernelstest, which calls them without XLA,
// can't link to another package's C functions.
#ifndef GAZE_FUNCTIONS_H
#define GAZE_FUNCTIONS_H

#include <stddef.h>

#include "kernel_set.h"

typedef struct {
	const kernel_set* const* sets;
	bool (*processor_runs)(const kernel_set* set);
	bool (*has_amx)(void);
	bool (*amx_gemm)(const thread_pool* pool, const gemm* g);
	bool (*parallel_for)(const thread_pool* pool, const parallel_loop* loop, void* data);
	void* (*scratch)(size_t bytes);
} kernel_functions;

extern const kernel_functions gaze_kernel_functions;

#endif
