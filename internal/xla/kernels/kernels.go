//go:build cgo && linux && !noxla && amd64

package kernels

/*
#cgo CFLAGS: -O3
#include "calls.h"
#include "panels.h"
#include "tiles.h"
*/
import "C"

import (
	"runtime"
	"sync"
	"unsafe"
)

var (
	vectorsReady = sync.OnceValue(func() bool { return bool(C.gaze_vectors_ready()) })
	tilesReady   = sync.OnceValue(func() bool { return bool(C.gaze_tiles_ready()) })
)

// Available says whether this processor can run the kernels, and may.
func Available() bool { return !switchedOff(Env) && vectorsReady() }

// Tiles says whether products are made on tiles.
func Tiles() bool { return Available() && !switchedOff(EnvTiles) && tilesReady() }

// Register tells a plugin of the kernels, by its table of functions. False when it can't
// take them or they aren't available; programs must not be rewritten then.
func Register(api unsafe.Pointer) bool {
	return Available() && bool(C.gaze_register(api, C.int(runtime.GOMAXPROCS(0)), C.bool(Tiles())))
}

// Packs says whether weights [out, in] can be packed for products with vectors.
func Packs(out, in int) bool { return Available() && !Tiles() && out%16 == 0 && out > 0 && in > 0 }

// Pack writes weights [out, in] to dst as products with vectors read them, if [Packs]
// says so.
func Pack(dst, weights []float32, out, in int) {
	if len(dst) < out*in || len(weights) < out*in {
		panic("kernels: too few numbers")
	}
	b := C.matrix{data: (*C.float)(unsafe.SliceData(weights)), row: 1, col: C.int64_t(in)}
	var pin runtime.Pinner
	defer pin.Unpin()
	pin.Pin(b.data)
	C.gaze_pack_weights(b, C.int64_t(in), C.int64_t(out), (*C.float)(unsafe.SliceData(dst)))
}
