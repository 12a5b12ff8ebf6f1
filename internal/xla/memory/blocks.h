// A cache of large blocks of memory.
#ifndef GAZE_BLOCKS_H
#define GAZE_BLOCKS_H

#include <stddef.h>
#include <stdint.h>

// These replace the plugin's posix_memalign, aligned_alloc and free. Large blocks come from
// the cache and return to it; all others are passed on to the C library.
int gaze_memalign(void** out, size_t alignment, size_t size);
void* gaze_aligned_alloc(size_t alignment, size_t size);
void gaze_free(void* p);

// The bytes of large blocks in use and cached, and how many mappings were ever made.
typedef struct {
	size_t used, cached;
	long mappings;
} block_usage;
block_usage gaze_block_usage(void);

// For tests: how long a block may stay cached without being used, and how long a request
// waits for a block to be freed.
void gaze_set_idle_time(int64_t nanoseconds);
void gaze_set_max_wait(int64_t nanoseconds);

// gaze_patch redirects a loaded library's calls to the functions above. It returns what
// went wrong, or NULL.
const char* gaze_patch(const char* library);

// gaze_forget_code drops the resident pages of a loaded library's code and constants. They
// are read from the file again when they are needed.
void gaze_forget_code(const char* library);

// gaze_forget_loading does the same for a library that another thread is loading.
void gaze_forget_loading(const char* library);

#endif
