// Loops that run on a thread pool.
#ifndef GAZE_PARALLEL_H
#define GAZE_PARALLEL_H

#include <stdbool.h>

// A thread pool: XLA's, for the duration of a call, or that of a test.
typedef struct thread_pool {
	// schedule queues a task for another thread; false if that fails.
	bool (*schedule)(const struct thread_pool* self, void (*task)(void* data), void* data);
	const void* context;
	int threads; // including the calling thread
} thread_pool;

// A parallel loop has one or more phases. The iterations of a phase may run in any order on
// any thread; a phase begins when the one before is complete.
typedef struct {
	int phases;
	long (*iterations)(const void* data, int phase);
	void (*body)(void* data, int phase, long i);
} parallel_loop;

// gaze_parallel_for runs a loop and returns when it is complete. It returns false, without
// having run anything, if memory ran out.
bool gaze_parallel_for(const thread_pool* pool, const parallel_loop* loop, void* data);

#endif
