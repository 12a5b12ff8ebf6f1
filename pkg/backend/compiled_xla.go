//go:build cgo && linux && !noxla && (amd64 || arm64)

package backend

import (
	"gaze/pkg/backend/internal/execcache"
	"gaze/pkg/backend/internal/keptmemory"
	"gaze/pkg/backend/internal/pjrtcache"
)

// withoutCompiled says why this program can't keep compiled programs; empty when it can.
const withoutCompiled = ""

func wrapPlugin(path string, store *execcache.Store) counter {
	c, err := pjrtcache.Wrap(path, store)
	if err != nil {
		return nil // go-xla opens the plugin as it is, or says why not
	}
	if !isCUDA(path) {
		_ = keptmemory.Attach(path) // without it runs take longer, no more
	}
	return c
}

func haveKernels(plugin string) bool { return pjrtcache.Kernels(plugin) }
