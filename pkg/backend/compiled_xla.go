//go:build cgo && linux && !noxla && (amd64 || arm64)

package backend

import (
	"gaze/internal/xla/execcache"
	"gaze/internal/xla/memory"
	"gaze/internal/xla/pjrt"
)

// withoutCompiled says why this program can't keep compiled programs; empty when it can.
const withoutCompiled = ""

func wrapPlugin(path string, store *execcache.Store) counter {
	c, err := pjrt.Wrap(path, store)
	if err != nil {
		return nil // go-xla opens the plugin as it is, or says why not
	}
	if !isCUDA(path) {
		_ = memory.Attach(path) // without it runs take longer, no more
	}
	return c
}

func haveKernels(plugin string) bool { return pjrt.Kernels(plugin) }
