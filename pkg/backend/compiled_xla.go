//go:build cgo && linux && !noxla && (amd64 || arm64)

package backend

import (
	"gaze/internal/xla/execcache"
	"gaze/internal/xla/pjrt"
)

// withoutCompiled says why this program can't cache compiled programs; empty if it can.
const withoutCompiled = ""

func wrapPlugin(path string, store *execcache.Store) counter {
	p, err := pjrt.Wrap(path, store)
	if err != nil {
		return nil // go-xla opens the plugin unwrapped, or reports what is wrong
	}
	return p
}

func haveKernels(plugin string) bool { return pjrt.Kernels(plugin) }
