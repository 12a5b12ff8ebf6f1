//go:build cgo && linux && !noxla && amd64

package products

/*
#cgo CFLAGS: -O3
#include "handler.h"
#include "product.h"
*/
import "C"

import (
	"os"
	"runtime"
	"sync"
	"unsafe"
)

// ready says, once, whether this processor can.
var ready = sync.OnceValue(func() bool { return bool(C.gaze_tiles_ready()) })

// Available says whether this processor can make such products, and may.
func Available() bool { return os.Getenv(Env) != "off" && ready() }

// Register tells a plugin of products, by its table of functions. False when it can't
// take them or they aren't available; programs must not be rewritten then.
func Register(api unsafe.Pointer) bool {
	return Available() && bool(C.gaze_register(api, C.int(runtime.GOMAXPROCS(0))))
}

// view is a matrix whose element (i, j) is at data[i*row+j*col].
type view struct {
	data     []float32
	row, col int
}

// multiply sets out[m, n] to a times b, a part of a product of so many rows, for
// tests. It must be ready.
func multiply(a, b view, out []float32, m, n, k, whole int) bool {
	matrix := func(v view) C.matrix {
		return C.matrix{data: (*C.float)(unsafe.SliceData(v.data)), row: C.int64_t(v.row), col: C.int64_t(v.col)}
	}
	return bool(C.gaze_multiply(matrix(a), matrix(b), (*C.float)(unsafe.SliceData(out)), C.int64_t(n), C.int64_t(m), C.int64_t(n), C.int64_t(k), C.int64_t(whole)))
}
