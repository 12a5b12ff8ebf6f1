//go:build !cgo || !linux || noxla || !amd64

package kernels

import "unsafe"

// Available says that this program has no kernels.
func Available() bool { return false }

// Tiles says that this program can't use tiles.
func Tiles() bool { return false }

// Register tells a plugin nothing.
func Register(unsafe.Pointer) bool { return false }
