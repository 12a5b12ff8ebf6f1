//go:build cgo && linux && !noxla && (amd64 || arm64)

#include <stdlib.h>
#ifdef __GLIBC__
#include <malloc.h>

// What isn't large comes from the heap rather than from mappings of its own, which are
// unmapped when freed; the heap's end isn't cut back; and all threads share the one
// heap that can grow. It must come before there are threads, which else get heaps of
// their own, so it can't wait for main. The environment wins.
__attribute__((constructor)) static void keep_heap(void) {
	if (getenv("MALLOC_MMAP_MAX_") || getenv("MALLOC_TRIM_THRESHOLD_") || getenv("MALLOC_ARENA_MAX"))
		return;
	mallopt(M_MMAP_MAX, 0);
	mallopt(M_TRIM_THRESHOLD, -1);
	mallopt(M_ARENA_MAX, 1);
}
#endif
