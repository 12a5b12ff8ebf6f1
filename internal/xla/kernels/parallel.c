//go:build cgo && linux && !noxla && (amd64 || arm64)

#include "parallel.h"

#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>

typedef struct {
	long iterations;
	atomic_long next, done;
} phase_state;

// A scheduled task may start after the loop is complete and its caller has gone on, so the
// state is counted by reference: the last thread frees it.
typedef struct {
	atomic_int references;
	const parallel_loop* loop;
	void* data;
	int phases;
	phase_state phase[];
} loop_state;

static void release(loop_state* s) {
	if (atomic_fetch_sub(&s->references, 1) == 1)
		free(s);
}

#if defined(__x86_64__)
#define PAUSE() __builtin_ia32_pause()
#else
#define PAUSE() __asm__ volatile("yield")
#endif

// wait_for waits for iterations that other threads are running. They are short, so spinning
// is cheaper than sleeping, unless the system has preempted one of those threads.
static void wait_for(const phase_state* p) {
	for (long spins = 0; atomic_load_explicit(&p->done, memory_order_acquire) < p->iterations; spins++)
		if (spins < 20000)
			PAUSE();
		else
			sched_yield();
}

static void run_phases(loop_state* s) {
	for (int i = 0; i < s->phases; i++) {
		phase_state* p = &s->phase[i];
		for (long k; (k = atomic_fetch_add(&p->next, 1)) < p->iterations; atomic_fetch_add_explicit(&p->done, 1, memory_order_release))
			s->loop->body(s->data, i, k);
		wait_for(p);
	}
}

static void run_task(void* data) {
	run_phases(data);
	release(data);
}

bool gaze_parallel_for(const thread_pool* pool, const parallel_loop* loop, void* data) {
	loop_state* s = calloc(1, sizeof *s + loop->phases * sizeof *s->phase);
	if (!s)
		return false;
	s->loop = loop;
	s->data = data;
	s->phases = loop->phases;
	long most = 0;
	for (int i = 0; i < loop->phases; i++) {
		s->phase[i].iterations = loop->iterations(data, i);
		if (most < s->phase[i].iterations)
			most = s->phase[i].iterations;
	}
	int tasks = pool->threads - 1;
	if (tasks > most - 1)
		tasks = most > 0 ? (int)most - 1 : 0;
	atomic_init(&s->references, tasks + 1);
	for (int i = 0; i < tasks; i++)
		if (!pool->schedule(pool, run_task, s))
			release(s);
	run_phases(s);
	release(s);
	return true;
}
