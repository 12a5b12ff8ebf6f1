//go:build cgo && linux && !noxla && amd64

#include "team.h"

#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>

typedef struct {
	long pieces;
	atomic_long next, done;
} phase;

// A helper may come when all is done and the work is no more: what it looks at first
// lives until the last has left.
typedef struct {
	atomic_int users;
	const plan* plan;
	void* work;
	int phases;
	phase phase[];
} team;

static void leave(team* t) {
	if (atomic_fetch_sub(&t->users, 1) == 1)
		free(t);
}

// wait waits for pieces that others have begun. They run, unless the system took a
// processor from one of them.
static void wait(const phase* p) {
	for (long spins = 0; atomic_load_explicit(&p->done, memory_order_acquire) < p->pieces; spins++)
		if (spins < 20000)
			__builtin_ia32_pause();
		else
			sched_yield();
}

static void help(team* t) {
	for (int i = 0; i < t->phases; i++) {
		phase* p = &t->phase[i];
		for (long k; (k = atomic_fetch_add(&p->next, 1)) < p->pieces; atomic_fetch_add_explicit(&p->done, 1, memory_order_release))
			t->plan->piece(t->work, i, k);
		wait(p);
	}
}

static void task(void* data) {
	help(data);
	leave(data);
}

bool gaze_share(const scheduler* s, const plan* p, void* work) {
	team* t = calloc(1, sizeof *t + p->phases * sizeof *t->phase);
	if (!t)
		return false;
	t->plan = p;
	t->work = work;
	t->phases = p->phases;
	long most = 0;
	for (int i = 0; i < p->phases; i++) {
		t->phase[i].pieces = p->pieces(work, i);
		if (most < t->phase[i].pieces)
			most = t->phase[i].pieces;
	}
	int helpers = s->threads - 1;
	if (helpers > most - 1)
		helpers = most > 0 ? (int)most - 1 : 0;
	atomic_init(&t->users, helpers + 1);
	for (int i = 0; i < helpers; i++)
		if (!s->schedule(s, task, t))
			leave(t);
	help(t);
	leave(t);
	return true;
}
