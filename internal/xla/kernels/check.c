//go:build cgo && linux && !noxla && amd64

#include "check.h"

#include <pthread.h>
#include <stdlib.h>

#include "tiles.h"
#include "vector.h"

bool gaze_in_emulated_tiles(const scheduler* s, const product* p);

typedef struct {
	void (*task)(void*);
	void* data;
} start;

static void* run(void* data) {
	start s = *(start*)data;
	free(data);
	s.task(s.data);
	return NULL;
}

static bool spawn(const scheduler* s, void (*task)(void*), void* data) {
	start* begin = malloc(sizeof *begin);
	pthread_t thread;
	*begin = (start){task, data};
	if (pthread_create(&thread, NULL, run, begin)) {
		free(begin);
		return false;
	}
	return pthread_detach(thread) == 0;
}

// at_once runs tasks when they are scheduled, on this thread: what is emulated is one
// processor.
static bool at_once(const scheduler* s, void (*task)(void*), void* data) {
	task(data);
	return true;
}

static scheduler threads_of(int n) { return (scheduler){spawn, NULL, n}; }

bool gaze_check_product(const product* p, int threads, int by) {
	const scheduler s = by == BY_EMULATED_TILES ? (scheduler){at_once, NULL, threads} : threads_of(threads);
	return by == BY_EMULATED_TILES ? gaze_in_emulated_tiles(&s, p) : gaze_multiply(&s, p, by == BY_TILES);
}

bool gaze_check_attention(const attention* a, int threads) {
	const scheduler s = threads_of(threads);
	return a->gradient ? gaze_attend_back(&s, a) : gaze_attend(&s, a);
}

bool gaze_check_norm(const norm* l, int threads) {
	const scheduler s = threads_of(threads);
	return l->gradient ? gaze_normalize_back(&s, l) : gaze_normalize(&s, l);
}

VECTORS void gaze_check_activation(int function, const float* x, float* values, float* slopes, int64_t n) {
	for (int64_t i = 0; i < n; i += LANES) {
		__m512 in = load(x + i, n - i), slope, value;
		value = function < 0 ? (slope = exponential(in)) : activation(function, in, &slope);
		store(values + i, n - i, value);
		store(slopes + i, n - i, slope);
	}
}
