// Large blocks of memory that are kept when they are freed.
#ifndef GAZE_BLOCKS_H
#define GAZE_BLOCKS_H

#include <stddef.h>
#include <stdint.h>

// gaze_memalign and gaze_aligned_alloc stand for posix_memalign and aligned_alloc,
// gaze_free for the free that belongs to them. Small blocks are the C library's.
int gaze_memalign(void** out, size_t alignment, size_t size);
void* gaze_aligned_alloc(size_t alignment, size_t size);
void gaze_free(void* p);

// What is mapped and not in use, and how many mappings were ever made.
typedef struct {
	size_t used, unused;
	long made;
} blocks_usage;
blocks_usage gaze_blocks_usage(void);

// gaze_blocks_idle_time sets how long a block may lie idle: for tests.
void gaze_blocks_idle_time(int64_t nanoseconds);

// gaze_forget_code lets go of a loaded library's code and constants, of which the file
// still has all: what is run again is found there.
void gaze_forget_code(const char* library);

// gaze_patch makes a loaded library call the above. It gives what went wrong, or NULL.
const char* gaze_patch(const char* library);

#endif
