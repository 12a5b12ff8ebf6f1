//go:build cgo && linux && !noxla && (amd64 || arm64)

package memory

/*
#include <stdlib.h>
#include "blocks.h"
*/
import "C"

import (
	"fmt"
	"time"
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

// ForgetCode lets go of the memory that a loaded plugin's code takes up. Starting and
// compiling run through tens of megabytes of it once; what is needed again comes back
// from the file, which the system has in memory anyway.
func ForgetCode(path string) {
	name := C.CString(path)
	defer C.free(unsafe.Pointer(name))
	C.gaze_forget_code(name)
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

// setIdleTime sets how long a block may lie idle, for tests.
func setIdleTime(d time.Duration) { C.gaze_blocks_idle_time(C.int64_t(d)) }

func give(p unsafe.Pointer) { C.gaze_free(p) }
