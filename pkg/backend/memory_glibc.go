//go:build cgo && linux && !noxla

package backend

/*
#include <stdlib.h>
#ifdef __GLIBC__
#include <malloc.h>
// Large pieces come from the heap's end rather than from mappings of their own,
// which are unmapped when freed; the end isn't cut back; and all threads share the
// one heap that can grow.
__attribute__((constructor)) static void keep(void) {
	if (getenv("MALLOC_MMAP_MAX_") || getenv("MALLOC_TRIM_THRESHOLD_") || getenv("MALLOC_ARENA_MAX"))
		return;
	mallopt(M_MMAP_MAX, 0);
	mallopt(M_TRIM_THRESHOLD, -1);
	mallopt(M_ARENA_MAX, 1);
}
#else
static void keep(void) {}
#endif
*/
import "C"

func keep() { C.keep() }
