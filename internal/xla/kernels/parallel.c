//go:build cgo && linux && !noxla && (amd64 || arm64)

#include "parallel.h"

#include <linux/futex.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

// The iterations of a phase: how many there are, the next that no thread has taken, and how many
// are left, to which WAITED is added as soon as a thread sleeps until there are none.
typedef struct {
	long iterations;
	atomic_long next;
	_Atomic uint32_t left;
} phase_state;

#define WAITED (1u << 31)

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
#define PAUSE() ({ __asm__ volatile("yield"); })
#endif

// SPINS is how often a thread looks before it sleeps, some fifty microseconds.
enum { SPINS = 3000 };

// spin waits for iterations that other threads are running, but not for long.
static bool spin(phase_state* p) {
	for (int i = 0; i < SPINS; i++, PAUSE())
		if ((atomic_load_explicit(&p->left, memory_order_acquire) & ~WAITED) == 0)
			return true;
	return false;
}

// wait_for waits for iterations that other threads are running. They are short, so spinning is
// cheaper than sleeping, unless another process has taken a thread's core. Then this thread
// sleeps: that thread can run on this one's core, whereas spinning would keep it away.
static void wait_for(phase_state* p) {
	if (spin(p))
		return;
	for (uint32_t left; ((left = atomic_fetch_or(&p->left, WAITED)) & ~WAITED) != 0;)
		syscall(SYS_futex, &p->left, FUTEX_WAIT_PRIVATE, left | WAITED, NULL, NULL, 0);
}

// finish_one counts an iteration as done and wakes those who wait for the last.
static void finish_one(phase_state* p) {
	if (atomic_fetch_sub_explicit(&p->left, 1, memory_order_acq_rel) == (WAITED | 1))
		syscall(SYS_futex, &p->left, FUTEX_WAKE_PRIVATE, INT32_MAX, NULL, NULL, 0);
}

// run_phases runs iterations of all phases. Only the caller has to wait for the end of the last;
// another thread that waits a little is still awake when the next loop begins.
static void run_phases(loop_state* s, bool caller) {
	for (int i = 0; i < s->phases; i++) {
		phase_state* p = &s->phase[i];
		for (long k; (k = atomic_fetch_add(&p->next, 1)) < p->iterations; finish_one(p))
			s->loop->body(s->data, i, k);
		if (caller || i + 1 < s->phases)
			wait_for(p);
		else
			spin(p);
	}
}

static void run_task(void* data) {
	run_phases(data, false);
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
		atomic_init(&s->phase[i].left, (uint32_t)s->phase[i].iterations);
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
	run_phases(s, true);
	release(s);
	return true;
}
