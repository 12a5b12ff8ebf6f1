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

// gazeClientCreate stands for PJRT_Client_Create.
//
//export gazeClientCreate
func gazeClientCreate(slot C.int, args unsafe.Pointer) unsafe.Pointer {
	c := inSlot(slot)
	failed := c.create((*C.create_args)(args))
	defer memory.ForgetCode(c.path)
	if failed == nil && c.store != nil {
		client := (*C.create_args)(args).client
		about, err := c.describe(client)
		if err != nil {
			about = "" // cache nothing
		}
		c.mu.Lock()
		c.clients[client] = about
		c.mu.Unlock()
	}
	return failed
}

// gazeClientCompile stands for PJRT_Client_Compile.
//
//export gazeClientCompile
func gazeClientCompile(slot C.int, args unsafe.Pointer) unsafe.Pointer {
	return inSlot(slot).compile((*C.compile_args)(args))
}

func inSlot(i C.int) *Cache {
	mu.Lock()
	defer mu.Unlock()
	return slots[i]
}

// create makes a client. go-xla sends the option preallocate to every plugin, and
// newer CPU plugins refuse what they don't know; false is what they do anyway.
//
// A CPU plugin is asked for one device, where it would make four, and as many threads
// at least: on two cores they stood in each other's way.
func (c *Cache) create(args *C.create_args) unsafe.Pointer {
	without, with := C.CString("preallocate"), C.CString("cpu_device_count")
	defer C.free(unsafe.Pointer(without))
	defer C.free(unsafe.Pointer(with))
	replaceable := bool(C.gaze_is_false(args, without))
	if replaceable && c.cpu {
		failed := C.gaze_create_with(c.api, args, without, with, 1)
		if failed == nil {
			return nil
		}
		C.gaze_error_free(c.api, failed)
	}
	failed := C.gaze_call(c.api, C.CLIENT_CREATE, unsafe.Pointer(args))
	if failed == nil || !replaceable {
		return failed
	}
	if again := C.gaze_create_with(c.api, args, without, nil, 0); again != nil {
		C.gaze_error_free(c.api, again)
		return failed
	}
	C.gaze_error_free(c.api, failed)
	return nil
}

// describe says what a client adds to its keys: compiler and devices.
func (c *Cache) describe(client unsafe.Pointer) (string, error) {
	var b strings.Builder
	for _, place := range []C.int{C.CLIENT_PLATFORM_NAME, C.CLIENT_PLATFORM_VERSION} {
		var text *C.char
		var n C.size_t
		if err := c.err(C.gaze_text(c.api, place, client, &text, &n)); err != nil {
			return "", err
		}
		fmt.Fprintf(&b, "%q\n", C.GoStringN(text, C.int(n)))
	}
	var list *unsafe.Pointer
	var n C.size_t
	if err := c.err(C.gaze_devices(c.api, client, &list, &n)); err != nil {
		return "", err
	}
	for _, device := range unsafe.Slice(list, int(n)) {
		var text *C.char
		var n C.size_t
		if err := c.err(C.gaze_device_kind(c.api, device, &text, &n)); err != nil {
			return "", err
		}
		fmt.Fprintf(&b, "device %q\n", C.GoStringN(text, C.int(n)))
	}
	return b.String(), nil
}

// compile loads a program if it is stored, else compiles and stores it; one that is
// being compiled already is waited for. Whatever goes wrong with the store, the
// program is compiled.
func (c *Cache) compile(args *C.compile_args) unsafe.Pointer {
	defer c.rewrite(args)()
	key, cached := c.key(args)
	if cached {
		lock, _ := c.compiling.LoadOrStore(key, new(sync.Mutex))
		lock.(*sync.Mutex).Lock()
		defer lock.(*sync.Mutex).Unlock()
		if program, ok := c.store.Get(key, c.plugin); ok {
			if loaded, err := c.load(args.client, program); err == nil {
				args.executable = loaded
				c.loaded.Add(1)
				return nil
			}
		}
	}
	failed := C.gaze_call(c.api, C.CLIENT_COMPILE, unsafe.Pointer(args))
	if failed != nil {
		return failed
	}
	c.compiled.Add(1)
	defer memory.ForgetCode(c.path)
	if cached && c.save(key, args.executable) == nil {
		c.stored.Add(1)
	}
	return nil
}

// rewrite puts a program in the place of the one that was given, until the function that
// it gives is called: one that updates variables where they lie, with our kernels where
// the plugin runs them.
func (c *Cache) rewrite(args *C.compile_args) func() {
	old := args.program
	if C.GoStringN(old.format, C.int(old.format_size)) != "mlir" {
		return func() {}
	}
	text := donation.Rewrite(string(unsafe.Slice((*byte)(unsafe.Pointer(old.code)), old.code_size)))
	if c.ours {
		text = kernels.Rewrite(text)
	}
	p := (*C.program)(C.malloc(C.size_t(unsafe.Sizeof(*old))))
	*p = *old
	p.code, p.code_size = C.CString(text), C.size_t(len(text))
	args.program = p
	return func() {
		args.program = old
		C.free(unsafe.Pointer(p.code))
		C.free(unsafe.Pointer(p))
	}
}

// key names a program; false when it can't be stored.
func (c *Cache) key(args *C.compile_args) (key execcache.Digest, ok bool) {
	if c.store == nil {
		return key, false
	}
	c.mu.Lock()
	client := c.clients[args.client]
	c.mu.Unlock()
	if client == "" {
		return key, false
	}
	<-c.ready
	if c.off {
		return key, false
	}
	p := args.program
	return execcache.Sum(c.plugin[:], []byte(c.machine), []byte(client),
		bytesAt(p.format, p.format_size), bytesAt(p.code, p.code_size),
		bytesAt(args.options, args.options_size)), true
}

// load makes a program of a client's out of what was stored, and makes sure that it
// can tell what a compiled one can.
func (c *Cache) load(client unsafe.Pointer, program []byte) (loaded unsafe.Pointer, err error) {
	if len(program) == 0 {
		return nil, errors.New("nothing stored")
	}
	err = c.err(C.gaze_load(c.api, client, (*C.char)(unsafe.Pointer(&program[0])), C.size_t(len(program)), &loaded))
	return loaded, err
}

// save stores a compiled program, where the plugin can do that.
func (c *Cache) save(key execcache.Digest, loaded unsafe.Pointer) error {
	var s C.serialized
	if err := c.err(C.gaze_serialize(c.api, loaded, &s)); err != nil {
		return err
	}
	defer C.gaze_release(&s)
	return c.store.Put(key, c.plugin, bytesAt(s.bytes, s.size))
}

// err turns a plugin's error into Go's, and frees it.
func (c *Cache) err(failed unsafe.Pointer) error {
	if failed == nil {
		return nil
	}
	defer C.gaze_error_free(c.api, failed)
	var text *C.char
	var n C.size_t
	C.gaze_error_text(c.api, failed, &text, &n)
	return errors.New(C.GoStringN(text, C.int(n)))
}

// bytesAt is C's memory, not a copy.
func bytesAt(p *C.char, n C.size_t) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(p)), int(n))
}
