//go:build cgo && linux && !noxla && (amd64 || arm64)

#include "kernelstest.h"

#include <pthread.h>
#include <stdlib.h>

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

static const kernel_set* set_of(int i) { return kernelstest_functions->sets[i]; }

const char* kernelstest_set_name(int set) { return set < GAZE_KERNEL_SETS ? set_of(set)->name : NULL; }

bool kernelstest_runs(int set) { return kernelstest_functions->processor_runs(set_of(set)); }

bool kernelstest_has_amx(void) { return kernelstest_functions->has_amx(); }

bool kernelstest_gemm(const gemm* g, int threads, int on) {
	const thread_pool pool = on == ON_EMULATED_AMX ? (thread_pool){run_at_once, NULL, threads} : new_threads(threads);
	switch (on) {
	case ON_AMX:
		return kernelstest_functions->amx_gemm(&pool, g);
	case ON_EMULATED_AMX:
		return emulated_amx_gemm(&pool, g);
	}
	return set_of(on)->gemm(&pool, g);
}

bool kernelstest_attention(int set, const attention* a, int threads) {
	const thread_pool pool = new_threads(threads);
	return (a->dout ? set_of(set)->attention_backward : set_of(set)->attention)(&pool, a);
}

bool kernelstest_layer_norm(int set, const layer_norm* l, int threads) {
	const thread_pool pool = new_threads(threads);
	return (l->dy ? set_of(set)->layer_norm_backward : set_of(set)->layer_norm)(&pool, l);
}

void kernelstest_activation(int set, int function, const float* x, float* values, float* derivatives, int64_t n) {
	set_of(set)->activations(function, x, values, derivatives, n);
}
