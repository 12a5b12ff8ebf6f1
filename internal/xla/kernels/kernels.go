//go:build cgo && linux && !noxla && amd64

package kernels

/*
#cgo CFLAGS: -O3
#include "amx.h"
#include "custom_calls.h"
#include "functions.h"
#include "microkernel.h"
#include "pack.h"
*/
import "C"

import (
	"runtime"
	"sync"
	"unsafe"
)

var (
	hasAVX512 = sync.OnceValue(func() bool { return bool(C.gaze_has_avx512()) })
	hasAMX    = sync.OnceValue(func() bool { return bool(C.gaze_has_amx()) })
)

// Available says whether the kernels can be used: the processor has AVX-512, and they aren't
// switched off.
func Available() bool { return !switchedOff(Env) && hasAVX512() }

// Tiles says whether products are computed on AMX tiles.
func Tiles() bool { return Available() && !switchedOff(EnvTiles) && hasAMX() }

// Register registers the custom calls with a plugin, given its function table. If it returns
// false, the plugin doesn't take them or they aren't available, and programs must not be
// rewritten.
func Register(api unsafe.Pointer) bool {
	return Available() && bool(C.gaze_register_custom_calls(api, C.int(runtime.GOMAXPROCS(0)), C.bool(Tiles())))
}

// Packs says whether weights [out, in] can be packed in advance. AMX kernels don't use that.
func Packs(out, in int) bool {
	return Available() && !Tiles() && out%Lanes == 0 && out > 0 && in > 0
}

// Pack packs weights [out, in], for which [Packs] must be true, into dst.
func Pack(dst, weights []float32, out, in int) {
	if len(dst) < out*in || len(weights) < out*in {
		panic("kernels: packed weights [out, in] need out*in numbers")
	}
	b := C.matrix{data: (*C.float)(unsafe.SliceData(weights)), row_stride: 1, col_stride: C.int64_t(in)}
	var pin runtime.Pinner
	defer pin.Unpin()
	pin.Pin(b.data)
	C.gaze_prepack_b(b, C.int64_t(in), C.int64_t(out), (*C.float)(unsafe.SliceData(dst)))
}

// Functions is the table gaze_kernel_functions, through which tests call the kernels without
// XLA.
func Functions() unsafe.Pointer { return unsafe.Pointer(&C.gaze_kernel_functions) }
