//go:build cgo && linux && !noxla && (amd64 || arm64)

// Package pjrt puts a cache on disk between go-xla and a PJRT plugin: a program
// that was compiled before, by whichever process, is loaded instead of compiled. It
// hands go-xla a copy of the plugin's table of functions, in which two are its own.
package pjrt

/*
#include <stdlib.h>
#include "pjrt.h"
*/
import "C"

import (
	"errors"
	"fmt"
	"path/filepath"
	"runtime/debug"
	"strings"
	"sync"
	"sync/atomic"
	"unsafe"

	"github.com/gomlx/go-xla/pjrt"

	"gaze/internal/xla/execcache"
	"gaze/internal/xla/kernels"
)

// Cache is one plugin's.
type Cache struct {
	path  string
	api   *C.api_table // the plugin's own
	cpu   bool         // it is one for the CPU
	ours  bool         // it runs our kernels
	store *execcache.Store
	ready chan struct{} // closed when the three below are known

	plugin  execcache.Digest // of the plugin's file
	machine string           // what all keys have in common
	off     bool             // nothing can be cached

	mu      sync.Mutex
	clients map[unsafe.Pointer]string // what a client adds to its keys; "": cache nothing

	compiling sync.Map // of each program's key: a lock for whoever compiles it

	loaded, compiled, stored atomic.Int64
}

var (
	mu    sync.Mutex
	slots []*Cache

	withKernels sync.Map // paths of plugins
)

// Kernels says whether the plugin at path was wrapped and runs our kernels.
func Kernels(path string) bool {
	_, ok := withKernels.Load(path)
	return ok
}

// Wrap loads the plugin at path as go-xla does, and puts the cache before it. A nil
// store caches nothing. It is to be called once for a plugin, before a client is made.
func Wrap(path string, store *execcache.Store) (*Cache, error) {
	if !filepath.IsAbs(path) {
		return nil, fmt.Errorf("%s isn't a plugin's full path", path)
	}
	mu.Lock()
	defer mu.Unlock()
	// go-xla does what a plugin needs besides being loaded, and says best what fails.
	if _, err := pjrt.GetPlugin(path); err != nil {
		return nil, err
	}
	name := C.CString(path)
	defer C.free(unsafe.Pointer(name))
	var why *C.char
	api := C.gaze_table_of(name, &why)
	if api == nil {
		return nil, fmt.Errorf("%s has no table of functions: %s", path, C.GoString(why))
	}
	if len(slots) == C.SLOTS {
		return nil, errors.New("too many plugins in one process")
	}
	table := C.gaze_wrap(api, C.int(len(slots)))
	if table == nil {
		return nil, fmt.Errorf("%s speaks a version of PJRT that this program can't cache", path)
	}
	c := &Cache{path: path, api: api, cpu: strings.Contains(filepath.Base(path), "cpu"), store: store, ready: make(chan struct{}), clients: map[unsafe.Pointer]string{}}
	slots = append(slots, c)
	c.ours = c.cpu && kernels.Register(unsafe.Pointer(api))
	if store != nil {
		go c.identify(path)
	}
	if err := pjrt.RegisterPreloadedPlugin(path, uintptr(unsafe.Pointer(table))); err != nil {
		return nil, err
	}
	if c.ours {
		withKernels.Store(path, nil)
	}
	return c, nil
}

// identify finds out what keys are made of. The first time a plugin is seen that
// takes a good part of a second, and the first program is yet to be written.
func (c *Cache) identify(path string) {
	defer close(c.ready)
	var err error
	if c.plugin, err = execcache.Identity(c.store.Dir, path); err != nil {
		c.off = true
		return
	}
	machine, ok := execcache.Machine()
	c.off = !ok
	c.machine = fmt.Sprintf("%sgo-xla %s, PJRT %d.%d\n", machine, goXLA(), c.api.version.major, c.api.version.minor)
}

// goXLA is the version of go-xla in this program.
func goXLA() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	for _, m := range info.Deps {
		if m.Path == "github.com/gomlx/go-xla" {
			return m.Version
		}
	}
	return ""
}

// Counts says how many programs this process loaded instead of compiling them, how
// many it compiled, and how many of those it stored.
func (c *Cache) Counts() (loaded, compiled, stored int64) {
	return c.loaded.Load(), c.compiled.Load(), c.stored.Load()
}
