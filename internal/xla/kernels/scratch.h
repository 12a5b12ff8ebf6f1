// Each thread's own memory, for the piece of work it is at.
#ifndef GAZE_SCRATCH_H
#define GAZE_SCRATCH_H

#include <stddef.h>

// gaze_scratch gives this thread's memory, at least so many bytes from a page's start on,
// which another call by the same thread overwrites. NULL when there is none.
//
// Not by __thread: Go's linker, which saves notebooks' cells half their time, can't link
// that.
void* gaze_scratch(size_t bytes);

#endif
