//go:build !cgo || !linux || noxla || !amd64

package products

import "unsafe"

// Available says that this program can't make such products.
func Available() bool { return false }

// Register tells a plugin nothing.
func Register(unsafe.Pointer) bool { return false }
