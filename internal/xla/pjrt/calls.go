//go:build cgo && linux && !noxla && (amd64 || arm64)

package pjrt

/*
#include <stdlib.h>
#include "pjrt.h"
*/
import "C"

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"unsafe"

	"gaze/internal/xla/donation"
	"gaze/internal/xla/execcache"
	"gaze/internal/xla/kernels"
	"gaze/internal/xla/memory"
)

// gazeClientCreate replaces PJRT_Client_Create.
//
//export gazeClientCreate
func gazeClientCreate(slot C.int, args unsafe.Pointer) unsafe.Pointer {
	return pluginInSlot(slot).createClient((*C.create_args)(args))
}

// gazeClientCompile replaces PJRT_Client_Compile.
//
//export gazeClientCompile
func gazeClientCompile(slot C.int, args unsafe.Pointer) unsafe.Pointer {
	return pluginInSlot(slot).compile((*C.compile_args)(args))
}

func pluginInSlot(i C.int) *Plugin {
	mu.Lock()
	defer mu.Unlock()
	return plugins[i]
}

// createClient creates a client and notes its part of the keys. What package memory does
// for CPU clients has to be in place before the client allocates anything.
func (p *Plugin) createClient(args *C.create_args) unsafe.Pointer {
	if p.cpu {
		_ = memory.Attach(p.path) // a plugin that can't be patched works, with more page faults
	}
	defer memory.ForgetCode(p.path)
	failed := p.create(args)
	if failed == nil && p.store != nil {
		key, err := p.describe(args.client)
		if err != nil {
			key = "" // cache nothing
		}
		p.mu.Lock()
		p.clients[args.client] = key
		p.mu.Unlock()
	}
	return failed
}

// create creates a client with options that the plugin accepts. go-xla passes the option
// preallocate to every plugin, and newer CPU plugins reject options that they don't know;
// false is what they do anyway.
//
// CPU plugins create four devices by default, each with a thread pool for all cores. They
// are asked for one, so that the pools don't compete, unless the caller wants more. They also run a program on a thread of
// their own, for which go-xla waits at once; running it on the calling thread saves a small
// model two changes of threads for each run. A plugin that rejects an option gets fewer.
func (p *Plugin) create(args *C.create_args) unsafe.Pointer {
	without := C.CString("preallocate")
	defer C.free(unsafe.Pointer(without))
	removable := bool(C.gaze_option_is_false(args, without))
	for extra := C.int(C.CPU_OPTIONS); extra > 0 && removable && p.cpu; extra-- {
		failed := C.gaze_create_client(p.api, args, without, extra, C.int(max(p.devices.Load(), 1)))
		if failed == nil {
			return nil
		}
		C.gaze_error_free(p.api, failed)
	}
	failed := C.gaze_call(p.api, C.CLIENT_CREATE, unsafe.Pointer(args))
	if failed == nil || !removable {
		return failed
	}
	if again := C.gaze_create_client(p.api, args, without, 0, 1); again != nil {
		C.gaze_error_free(p.api, again)
		return failed
	}
	C.gaze_error_free(p.api, failed)
	return nil
}

// describe returns a client's part of its keys: the platform and its devices.
func (p *Plugin) describe(client unsafe.Pointer) (string, error) {
	var b strings.Builder
	for _, function := range []C.int{C.CLIENT_PLATFORM_NAME, C.CLIENT_PLATFORM_VERSION} {
		var text *C.char
		var n C.size_t
		if err := p.err(C.gaze_text(p.api, function, client, &text, &n)); err != nil {
			return "", err
		}
		fmt.Fprintf(&b, "%q\n", C.GoStringN(text, C.int(n)))
	}
	var list *unsafe.Pointer
	var n C.size_t
	if err := p.err(C.gaze_devices(p.api, client, &list, &n)); err != nil {
		return "", err
	}
	for _, device := range unsafe.Slice(list, int(n)) {
		var text *C.char
		var n C.size_t
		if err := p.err(C.gaze_device_kind(p.api, device, &text, &n)); err != nil {
			return "", err
		}
		fmt.Fprintf(&b, "device %q\n", C.GoStringN(text, C.int(n)))
	}
	return b.String(), nil
}

// compile rewrites a program, loads it if it is stored, and otherwise compiles and stores
// it. A second request for a program that is being compiled waits for the first. If the
// store fails, the program is compiled.
func (p *Plugin) compile(args *C.compile_args) unsafe.Pointer {
	defer p.rewrite(args)()
	key, cacheable := p.key(args)
	if cacheable {
		lock, _ := p.compiling.LoadOrStore(key, new(sync.Mutex))
		lock.(*sync.Mutex).Lock()
		defer lock.(*sync.Mutex).Unlock()
		if stored, ok := p.store.Get(key, p.digest); ok {
			if loaded, err := p.load(args.client, stored); err == nil {
				args.executable = loaded
				p.loaded.Add(1)
				return nil
			}
		}
	}
	failed := C.gaze_call(p.api, C.CLIENT_COMPILE, unsafe.Pointer(args))
	if failed != nil {
		return failed
	}
	p.compiled.Add(1)
	defer memory.ForgetCode(p.path)
	if cacheable && p.save(key, args.executable) == nil {
		p.stored.Add(1)
	}
	return nil
}

// rewrite replaces the program in args by one that updates variables in place and, where
// the plugin has them, calls package kernels. The function that it returns restores args.
func (p *Plugin) rewrite(args *C.compile_args) (restore func()) {
	original := args.program
	if C.GoStringN(original.format, C.int(original.format_size)) != "mlir" {
		return func() {}
	}
	text := donation.Rewrite(string(unsafe.Slice((*byte)(unsafe.Pointer(original.code)), original.code_size)))
	if p.hasKernels {
		text = kernels.Rewrite(text)
	}
	rewritten := (*C.program)(C.malloc(C.size_t(unsafe.Sizeof(*original))))
	*rewritten = *original
	rewritten.code, rewritten.code_size = C.CString(text), C.size_t(len(text))
	args.program = rewritten
	return func() {
		args.program = original
		C.free(unsafe.Pointer(rewritten.code))
		C.free(unsafe.Pointer(rewritten))
	}
}

// key is the key of a program; false if the program can't be cached.
func (p *Plugin) key(args *C.compile_args) (key execcache.Digest, ok bool) {
	if p.store == nil {
		return key, false
	}
	p.mu.Lock()
	client := p.clients[args.client]
	p.mu.Unlock()
	if client == "" {
		return key, false
	}
	<-p.identified
	if p.uncacheable {
		return key, false
	}
	program := args.program
	return execcache.Sum(p.digest[:], []byte(p.machine), []byte(client),
		bytesAt(program.format, program.format_size), bytesAt(program.code, program.code_size),
		bytesAt(args.options, args.options_size)), true
}

// load makes an executable of a stored program.
func (p *Plugin) load(client unsafe.Pointer, stored []byte) (executable unsafe.Pointer, err error) {
	if len(stored) == 0 {
		return nil, errors.New("nothing stored")
	}
	err = p.err(C.gaze_load_executable(p.api, client, (*C.char)(unsafe.Pointer(&stored[0])), C.size_t(len(stored)), &executable))
	return executable, err
}

// save stores an executable. Not every plugin can serialise one.
func (p *Plugin) save(key execcache.Digest, executable unsafe.Pointer) error {
	var s C.serialized
	if err := p.err(C.gaze_serialize(p.api, executable, &s)); err != nil {
		return err
	}
	defer C.gaze_release(&s)
	return p.store.Put(key, p.digest, bytesAt(s.bytes, s.size))
}

// err turns a plugin's error into a Go error and frees it.
func (p *Plugin) err(failed unsafe.Pointer) error {
	if failed == nil {
		return nil
	}
	defer C.gaze_error_free(p.api, failed)
	var text *C.char
	var n C.size_t
	C.gaze_error_text(p.api, failed, &text, &n)
	return errors.New(C.GoStringN(text, C.int(n)))
}

// bytesAt is a slice over C's memory.
func bytesAt(p *C.char, n C.size_t) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(p)), int(n))
}
