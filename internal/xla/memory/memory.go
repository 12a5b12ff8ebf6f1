//go:build cgo && linux && !noxla && (amd64 || arm64)

package memory

/*
#include <stdlib.h>
#include "blocks.h"
#include "heap.h"
*/
import "C"

import (
	"fmt"
	"sync"
	"time"
	"unsafe"
)

var keepHeap = sync.OnceFunc(func() { C.gaze_keep_heap() })

// Attach sets malloc to keep what is freed and patches the calls of a loaded plugin, as the
// package comment says. It must be called before the plugin's client is created. With
// GAZE_MEMORY=off it does nothing.
func Attach(path string) error {
	if !enabled() {
		return nil
	}
	keepHeap() // before C.CString, which would give this thread an arena of its own
	name := C.CString(path)
	defer C.free(unsafe.Pointer(name))
	if why := C.gaze_patch(name); why != nil {
		return fmt.Errorf("%s: %s", path, C.GoString(why))
	}
	return nil
}

// ForgetCode drops the resident pages of a loaded plugin's code. Creating a client and
// compiling run through tens of megabytes of it that computing doesn't need, and what is
// needed again is still in the system's file cache. With GAZE_MEMORY=off it does nothing.
func ForgetCode(path string) {
	if !enabled() {
		return
	}
	name := C.CString(path)
	defer C.free(unsafe.Pointer(name))
	C.gaze_forget_code(name)
}

// Loading calls load, which loads the plugin at path, and meanwhile drops the resident pages of
// its code again and again: its initialisers run through more of it than a small model's process
// ever needs at once. With GAZE_MEMORY=off it only calls load.
func Loading(path string, load func() error) error {
	if !enabled() {
		return load()
	}
	keepHeap() // before threads get arenas of their own
	name := C.CString(path)
	defer C.free(unsafe.Pointer(name))
	done, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for every := time.NewTicker(dropEvery); ; {
			select {
			case <-done:
				every.Stop()
				return
			case <-every.C:
				C.gaze_forget_loading(name)
			}
		}
	}()
	err := load()
	close(done)
	<-stopped
	ForgetCode(path)
	return err
}

// dropEvery is how often pages are dropped while a plugin is loaded, which takes about 50 ms.
const dropEvery = 2 * time.Millisecond

// Usage returns how many bytes of large blocks are in use and how many are cached, and how
// many mappings were ever made for them.
func Usage() (used, cached uint64, mappings int) {
	u := C.gaze_block_usage()
	return uint64(u.used), uint64(u.cached), int(u.mappings)
}

// The rest is for tests, in which cgo can't be used.

// allocate and allocateAligned are what the plugin's posix_memalign and aligned_alloc become.
func allocate(alignment, size int) unsafe.Pointer {
	var p unsafe.Pointer
	if C.gaze_memalign(&p, C.size_t(alignment), C.size_t(size)) != 0 {
		return nil
	}
	return p
}

func allocateAligned(alignment, size int) unsafe.Pointer {
	return C.gaze_aligned_alloc(C.size_t(alignment), C.size_t(size))
}

// release is what the plugin's free becomes.
func release(p unsafe.Pointer) { C.gaze_free(p) }

// setIdleTime sets how long a block may stay cached without being used.
func setIdleTime(d time.Duration) { C.gaze_set_idle_time(C.int64_t(d)) }

// setMaxWait sets how long a request waits for a block to be freed.
func setMaxWait(d time.Duration) { C.gaze_set_max_wait(C.int64_t(d)) }
