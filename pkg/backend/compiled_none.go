//go:build !cgo || !linux || noxla || (!amd64 && !arm64)

package backend

import "gaze/internal/xla/execcache"

// withoutCompiled says why this program can't cache compiled programs.
const withoutCompiled = "only programs with XLA on Linux do"

func wrapPlugin(string, *execcache.Store) counter { return nil }

func haveKernels(plugin string) bool { return false }
