//go:build cgo && linux && !noxla && (amd64 || arm64)

#include "heap.h"

#include <stdlib.h>
#include <string.h>

#ifdef __GLIBC__
#include <malloc.h>

// The user's own settings of malloc win.
static bool set_by_user(void) {
	const char* tunables = getenv("GLIBC_TUNABLES");
	return getenv("MALLOC_MMAP_MAX_") || getenv("MALLOC_MMAP_THRESHOLD_") || getenv("MALLOC_TRIM_THRESHOLD_") ||
		getenv("MALLOC_ARENA_MAX") || (tunables && strstr(tunables, "glibc.malloc."));
}

bool gaze_keep_heap(void) {
	if (set_by_user())
		return false;
	// A mapping of a single block is unmapped when the block is freed; the heap isn't.
	mallopt(M_MMAP_MAX, 0);
	mallopt(M_TRIM_THRESHOLD, -1);
	// Only the main arena can grow without limit, and each arena keeps what it freed to
	// itself. Arenas that other threads already have stay; XLA's threads get no more.
	mallopt(M_ARENA_MAX, 1);
	return true;
}

#else

bool gaze_keep_heap(void) { return false; }

#endif
