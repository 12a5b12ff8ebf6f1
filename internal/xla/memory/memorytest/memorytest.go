//go:build cgo && linux && !noxla && (amd64 || arm64)

// Package memorytest looks at the C library's malloc, for tests of what changes its settings.
package memorytest

/*
#include <stdbool.h>
#include <stdlib.h>

#ifdef __GLIBC__
#include <malloc.h>

#if __GLIBC_PREREQ(2, 33)
#define MALLINFO mallinfo2
#else
#define MALLINFO mallinfo
#endif

// mallinfo counts the blocks that are mappings of their own in hblks. The block is larger
// than the 32 MiB up to which glibc adapts its threshold to what was freed, and smaller
// than the 64 MiB that an arena of a thread can hold.
static bool maps_large_blocks(void) {
	size_t before = MALLINFO().hblks;
	void* volatile p = malloc(33 << 20);
	bool mapped = MALLINFO().hblks > before;
	free(p);
	return mapped;
}
static bool is_glibc(void) { return true; }
#else
static bool maps_large_blocks(void) { return false; }
static bool is_glibc(void) { return false; }
#endif
*/
import "C"

// IsGlibc says whether the C library is glibc, the only one that Gaze sets.
func IsGlibc() bool { return bool(C.is_glibc()) }

// MapsLargeBlocks says whether malloc gives a block of 33 MiB a mapping of its own, as glibc
// does unless it was told otherwise.
func MapsLargeBlocks() bool { return bool(C.maps_large_blocks()) }
