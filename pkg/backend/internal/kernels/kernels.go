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
	"os"
	"runtime"
	"sync"
	"unsafe"
)

var (
	vectorsReady = sync.OnceValue(func() bool { return bool(C.gaze_vectors_ready()) })
	tilesReady   = sync.OnceValue(func() bool { return bool(C.gaze_tiles_ready()) })
)

// Available says whether this processor can run the kernels, and may.
func Available() bool { return os.Getenv(Env) != "off" && vectorsReady() }

// Tiles says whether products are made on tiles.
func Tiles() bool { return Available() && os.Getenv(EnvTiles) != "off" && tilesReady() }

// Register tells a plugin of the kernels, by its table of functions. False when it can't
// take them or they aren't available; programs must not be rewritten then.
func Register(api unsafe.Pointer) bool {
	return Available() && bool(C.gaze_register(api, C.int(runtime.GOMAXPROCS(0)), C.bool(Tiles())))
}
