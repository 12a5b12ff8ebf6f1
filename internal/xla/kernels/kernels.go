//go:build cgo && linux && !noxla && (amd64 || arm64)

package kernels

/*
#cgo CFLAGS: -O3 -std=c11 -D_GNU_SOURCE
#include "amx.h"
#include "custom_calls.h"
#include "functions.h"
#include "processor.h"
*/
import "C"

import (
	"runtime"
	"strings"
	"sync"
	"unsafe"
)

// A set is the kernels for one instruction set.
type set struct {
	c    *C.kernel_set
	name string
	runs bool // on this processor
}

// sets are those of this architecture, the best first.
var sets = sync.OnceValue(func() []set {
	var all []set
	for _, c := range unsafe.Slice((**C.kernel_set)(unsafe.Pointer(&C.gaze_kernel_sets)), C.GAZE_KERNEL_SETS) {
		all = append(all, set{c, C.GoString(c.name), bool(C.gaze_processor_runs(c))})
	}
	return all
})

var hasAMX = sync.OnceValue(func() bool { return bool(C.gaze_has_amx()) })

// chosen is the best set that the processor runs and $GAZE_KERNELS allows, nil if there is none.
func chosen() *set {
	most, _ := limit() // CheckSettings reports the error
	allowed := most == ""
	for i, s := range sets() {
		allowed = allowed || variableValue(s.name) == most
		if allowed && s.runs {
			return &sets()[i]
		}
	}
	return nil
}

// setNames are the names of the sets of this architecture, the best first.
func setNames() []string {
	var names []string
	for _, s := range sets() {
		names = append(names, s.name)
	}
	return names
}

// Set is the name of the kernels that are used, "" if there are none: the processor runs none of
// them, or they are switched off.
func Set() string {
	if s := chosen(); s != nil {
		return s.name
	}
	return ""
}

// Why says, in a clause, why [Set] is what it is.
func Why() string {
	most, _ := limit()
	s := chosen()
	switch {
	case most == off:
		return "$" + Env + " switches them off"
	case s == nil && most != "":
		return "$" + Env + " is " + most + ", which this processor doesn't have"
	case s == nil:
		return "this processor has none of " + strings.Join(setNames(), ", ")
	case most != "" && most == variableValue(s.name):
		return "$" + Env + " is " + most
	}
	return "this processor has " + s.name
}

// Available says whether the kernels can be used: the processor has the instructions, and they
// aren't switched off.
func Available() bool { return chosen() != nil }

// Tiles says whether products are computed on AMX tiles.
func Tiles() bool {
	s := chosen()
	return s != nil && s == &sets()[0] && // processors with AMX have the best of the sets, AVX-512
		!switchedOff(EnvTiles) && hasAMX()
}

// Register registers the custom calls with a plugin, given its function table. If it returns
// false, the plugin doesn't take them or they aren't available, and programs must not be
// rewritten.
func Register(api unsafe.Pointer) bool {
	s := chosen()
	return s != nil && bool(C.gaze_register_custom_calls(api, C.int(runtime.GOMAXPROCS(0)), s.c, C.bool(Tiles())))
}

// Share says that programs are run side by side with those of other callers, until done is called:
// each kernel then computes on a share of the threads, and no result changes.
func Share() (done func()) {
	C.gaze_share_threads(1)
	return sync.OnceFunc(func() { C.gaze_share_threads(-1) })
}

// Packs says whether weights [out, in] can be packed in advance. AMX kernels don't use that.
func Packs(out, in int) bool {
	return Available() && !Tiles() && out > 0 && in > 0
}

// Pack packs weights [out, in], for which [Packs] must be true, into dst, [PackedRows(out), in].
func Pack(dst, weights []float32, out, in int) {
	if s := chosen(); s == nil || !packInto(s, dst, weights, out, in) {
		panic("kernels: packed weights [out, in] need PackedRows(out)*in numbers and a kernel that reads them")
	}
}

// PackFor is [Pack] for the kernels of some name, for tests. It returns false if the processor
// doesn't run them.
func PackFor(name string, dst, weights []float32, out, in int) bool {
	for _, s := range sets() {
		if s.name == name && s.runs {
			return packInto(&s, dst, weights, out, in)
		}
	}
	return false
}

func packInto(s *set, dst, weights []float32, out, in int) bool {
	if len(dst) < PackedRows(out)*in || len(weights) < out*in {
		return false
	}
	b := C.matrix{data: (*C.float)(unsafe.SliceData(weights)), row_stride: 1, col_stride: C.int64_t(in)}
	var pin runtime.Pinner
	defer pin.Unpin()
	pin.Pin(b.data)
	C.gaze_prepack_b(s.c, b, C.int64_t(in), C.int64_t(out), (*C.float)(unsafe.SliceData(dst)))
	return true
}

// Functions is the table gaze_kernel_functions, through which tests call the kernels without
// XLA.
func Functions() unsafe.Pointer { return unsafe.Pointer(&C.gaze_kernel_functions) }
