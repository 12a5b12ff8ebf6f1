//go:build cgo && linux && !noxla && amd64

#include "kernelstest.h"

#include <pthread.h>
#include <stdlib.h>

#include "../avx512.h"

const kernel_functions* kernelstest_functions;

typedef struct {
	void (*task)(void*);
	void* data;
} queued_task;

static void* run(void* data) {
	queued_task q = *(queued_task*)data;
	free(data);
	q.task(q.data);
	return NULL;
}

static bool start_thread(const thread_pool* pool, void (*task)(void*), void* data) {
	queued_task* q = malloc(sizeof *q);
	pthread_t thread;
	*q = (queued_task){task, data};
	if (pthread_create(&thread, NULL, run, q)) {
		free(q);
		return false;
	}
	return pthread_detach(thread) == 0;
}

// run_at_once runs tasks on the calling thread when they are scheduled, since the emulation has
// only one set of tile registers.
static bool run_at_once(const thread_pool* pool, void (*task)(void*), void* data) {
	task(data);
	return true;
}

static thread_pool new_threads(int n) { return (thread_pool){start_thread, NULL, n}; }

bool kernelstest_has_avx512(void) { return kernelstest_functions->has_avx512(); }

bool kernelstest_has_amx(void) { return kernelstest_functions->has_amx(); }

bool kernelstest_gemm(const gemm* g, int threads, int on) {
	const thread_pool pool = on == ON_EMULATED_AMX ? (thread_pool){run_at_once, NULL, threads} : new_threads(threads);
	return on == ON_EMULATED_AMX ? emulated_amx_gemm(&pool, g) : kernelstest_functions->gemm(&pool, g, on == ON_AMX);
}

bool kernelstest_attention(const attention* a, int threads) {
	const thread_pool pool = new_threads(threads);
	return (a->dout ? kernelstest_functions->attention_backward : kernelstest_functions->attention)(&pool, a);
}

bool kernelstest_layer_norm(const layer_norm* l, int threads) {
	const thread_pool pool = new_threads(threads);
	return (l->dy ? kernelstest_functions->layer_norm_backward : kernelstest_functions->layer_norm)(&pool, l);
}

AVX512 void kernelstest_activation(int function, const float* x, float* values, float* derivatives, int64_t n) {
	for (int64_t i = 0; i < n; i += LANES) {
		__m512 in = load_lanes(x + i, n - i), derivative, value;
		value = function < 0 ? (derivative = vexp(in)) : vactivation(function, in, &derivative);
		store_lanes(values + i, n - i, value);
		store_lanes(derivatives + i, n - i, derivative);
	}
}
