//go:build cgo && linux && !noxla && (amd64 || arm64)

// Package pjrt stands between go-xla and a PJRT plugin. It gives go-xla a copy of the
// plugin's function table in which two functions are its own: creating a client, which also
// attaches package memory to CPU clients, and compiling, which rewrites programs for
// packages donation and kernels and caches what the plugin compiled on disk. Every other
// call goes to the plugin directly.
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
	"gaze/internal/xla/memory"
)

// Plugin is a wrapped plugin.
type Plugin struct {
	path       string
	api        *C.api_table // the plugin's own table
	cpu        bool
	hasKernels bool // package kernels is registered with it
	store      *execcache.Store
	identified chan struct{} // closed when the next three fields are set

	digest      execcache.Digest // of the plugin's file
	machine     string           // the part that all keys share
	uncacheable bool

	mu      sync.Mutex
	clients map[unsafe.Pointer]string // the client's part of its keys; "": cache nothing

	compiling sync.Map // a mutex for each key, held while the program is compiled

	loaded, compiled, stored atomic.Int64

	devices atomic.Int64 // of CPU clients that are created from now on; 0: one
}

// SetDevices sets the number of devices that clients which are created from now on get, if
// the plugin is one for the CPU: they share its cores. A plugin that doesn't know the option
// makes as many as it likes.
func (p *Plugin) SetDevices(n int) { p.devices.Store(int64(n)) }

var (
	mu      sync.Mutex
	plugins []*Plugin // by slot

	pathsWithKernels sync.Map
)

// Kernels says whether the plugin at path was wrapped and runs package kernels.
func Kernels(path string) bool {
	_, ok := pathsWithKernels.Load(path)
	return ok
}

// Wrap loads the plugin at path as go-xla does and registers the changed function table. A
// nil store caches nothing. It must be called once for a plugin, before go-xla creates a
// client.
func Wrap(path string, store *execcache.Store) (*Plugin, error) {
	if !filepath.IsAbs(path) {
		return nil, fmt.Errorf("%s isn't a plugin's full path", path)
	}
	mu.Lock()
	defer mu.Unlock()
	cpu := strings.Contains(filepath.Base(path), "cpu")
	if err := load(path, cpu); err != nil {
		return nil, err
	}
	name := C.CString(path)
	defer C.free(unsafe.Pointer(name))
	var why *C.char
	api := C.gaze_load_table(name, &why)
	if api == nil {
		return nil, fmt.Errorf("%s has no PJRT function table: %s", path, C.GoString(why))
	}
	if len(plugins) == C.SLOTS {
		return nil, errors.New("too many plugins in one process")
	}
	table := C.gaze_wrap_table(api, C.int(len(plugins)))
	if table == nil {
		return nil, fmt.Errorf("%s has a version of PJRT that this program doesn't know", path)
	}
	p := &Plugin{path: path, api: api, cpu: cpu, store: store, identified: make(chan struct{}), clients: map[unsafe.Pointer]string{}}
	plugins = append(plugins, p)
	p.hasKernels = p.cpu && kernels.Register(unsafe.Pointer(api))
	if store != nil {
		go p.identify()
	}
	if err := pjrt.RegisterPreloadedPlugin(path, uintptr(unsafe.Pointer(table))); err != nil {
		return nil, err
	}
	if p.hasKernels {
		pathsWithKernels.Store(path, nil)
	}
	return p, nil
}

// load loads a plugin as go-xla does, which also prepares what the plugin needs and says in its
// errors what is wrong.
func load(path string, cpu bool) error {
	get := func() error {
		_, err := pjrt.GetPlugin(path)
		return err
	}
	if cpu {
		return memory.Loading(path, get)
	}
	return get()
}

// identify finds the parts that all keys share. Reading a new plugin takes most of a second,
// so it runs while go-xla creates the client and builds the first program.
func (p *Plugin) identify() {
	defer close(p.identified)
	var err error
	if p.digest, err = execcache.Identity(p.store.Dir, p.path); err != nil {
		p.uncacheable = true
		return
	}
	machine, ok := execcache.Machine()
	p.uncacheable = !ok
	p.machine = fmt.Sprintf("%sgo-xla %s, PJRT %d.%d\n", machine, goXLAVersion(), p.api.version.major, p.api.version.minor)
}

// goXLAVersion is the version of go-xla that this program was built with.
func goXLAVersion() string {
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

// Counts returns how many programs this process loaded from the store, how many it
// compiled, and how many of those it stored.
func (p *Plugin) Counts() (loaded, compiled, stored int64) {
	return p.loaded.Load(), p.compiled.Load(), p.stored.Load()
}
