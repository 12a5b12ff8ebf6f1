// Work that XLA's threads share.
#ifndef GAZE_TEAM_H
#define GAZE_TEAM_H

#include <stdbool.h>

// Whoever runs tasks: XLA, for the duration of a call, or a test.
typedef struct scheduler {
	// schedule has another thread run a task some time; false when it can't.
	bool (*schedule)(const struct scheduler* self, void (*task)(void* data), void* data);
	const void* with;
	int threads; // that run tasks, this one included
} scheduler;

// Work comes in phases of so many pieces. Those of a phase can be done in any order, by
// any thread, but not before all of the phase before it are done.
typedef struct {
	int phases;
	long (*pieces)(const void* work, int phase);
	void (*piece)(void* work, int phase, long i);
} plan;

// gaze_share does all of the work and returns when it is done. False means that there
// was no memory; then nothing was done.
bool gaze_share(const scheduler* s, const plan* p, void* work);

#endif
