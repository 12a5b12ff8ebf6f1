// Each thread's own scratch memory.
#ifndef GAZE_SCRATCH_H
#define GAZE_SCRATCH_H

#include <stddef.h>

// gaze_scratch returns at least the requested number of bytes, aligned to a page, that belong to the calling
// thread until its next call, which returns the same memory. NULL if memory ran out.
//
// The memory isn't in a __thread variable because Go's internal linker, which halves the time
// that a notebook's cell takes to link, can't link those.
void* gaze_scratch(size_t bytes);

#endif
