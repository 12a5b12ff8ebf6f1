//go:build !cgo || !linux || noxla || !amd64

package kernels

import "unsafe"

// Available says that this program has no kernels.
func Available() bool { return false }

// Tiles says that this program can't use tiles.
func Tiles() bool { return false }

// Register tells a plugin nothing.
func Register(unsafe.Pointer) bool { return false }

// Packs says that this program packs no weights.
func Packs(out, in int) bool { return false }

// Pack isn't to be called.
func Pack(dst, weights []float32, out, in int) { panic("kernels: there are none") }
