//go:build cgo && linux && !noxla && (amd64 || arm64)

// Package largeblocks keeps the large blocks of memory that a PJRT plugin frees, for
// the next time it asks.
//
// XLA's CPU client takes the memory for a program's intermediates anew for each run,
// hundreds of megabytes in one piece for a training step, and the C library gives a
// piece of that size back to the system as soon as it is freed: for each of its pages
// the kernel is entered and clears it, again and again. Kept in the C library's heap,
// such a piece is soon in the way of itself, cut by small ones, and is there twice.
// So the plugin's calls of posix_memalign, aligned_alloc and free, found in its table
// of relocations, are led here. Large pieces are mappings of their own, of huge pages
// where the kernel may make them, used again when they fit; small ones stay the C
// library's.
package largeblocks

/*
#include <stdlib.h>
#include "blocks.h"
*/
import "C"

import (
	"fmt"
	"unsafe"
)

// Attach leads a loaded plugin's calls here. It is to be called before a client is made.
func Attach(path string) error {
	name := C.CString(path)
	defer C.free(unsafe.Pointer(name))
	if why := C.gaze_patch(name); why != nil {
		return fmt.Errorf("%s: %s", path, C.GoString(why))
	}
	return nil
}

// Usage says how many bytes of large blocks are in use and how many are kept unused,
// and how many blocks the system was ever asked for.
func Usage() (used, unused uint64, made int) {
	u := C.gaze_blocks_usage()
	return uint64(u.used), uint64(u.unused), int(u.made)
}

// take and give are what the plugin calls, for tests.
func take(alignment, size int) unsafe.Pointer {
	var p unsafe.Pointer
	if C.gaze_memalign(&p, C.size_t(alignment), C.size_t(size)) != 0 {
		return nil
	}
	return p
}

func takeAligned(alignment, size int) unsafe.Pointer {
	return C.gaze_aligned_alloc(C.size_t(alignment), C.size_t(size))
}

func give(p unsafe.Pointer) { C.gaze_free(p) }
