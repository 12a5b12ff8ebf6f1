//go:build !cgo || !linux || noxla || (!amd64 && !arm64)

package kernels

import "unsafe"

func setNames() []string { return nil }

// Set is "": this program was built without the kernels.
func Set() string { return "" }

// Why says, in a clause, why there are no kernels.
func Why() string { return "this program was built without them" }

// Available is false: this program was built without the kernels.
func Available() bool { return false }

// Tiles is false: this program was built without the kernels.
func Tiles() bool { return false }

// Register registers nothing and returns false.
func Register(unsafe.Pointer) bool { return false }

// Share does nothing.
func Share() (done func()) { return func() {} }

// Packs is false: there is no kernel that reads packed weights.
func Packs(out, in int) bool { return false }

// Pack must not be called, since [Packs] is always false.
func Pack(dst, weights []float32, out, in int) {
	panic("kernels: this program was built without them")
}
