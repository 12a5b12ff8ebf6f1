//go:build cgo && linux

package mpi

/*
#include <dlfcn.h>
#include <stddef.h>
#include <stdlib.h>

typedef struct {
	int (*version)(void);
	int (*open)(int*, int*);
	int (*sum_floats)(float*, size_t);
	int (*sum_doubles)(double*, size_t);
	int (*broadcast)(void*, size_t);
	int (*close)(void);
	void (*error)(int, char*);
	int (*error_size)(void);
} gaze_mpi;

static const char* gaze_mpi_load(const char* path, gaze_mpi* l) {
	// MPI's own plugins look for its symbols among the global ones.
	void* handle = dlopen(path, RTLD_NOW | RTLD_GLOBAL);
	if (!handle)
		return dlerror();
	static const char* names[] = {"version", "open", "sum_floats", "sum_doubles", "broadcast", "close", "error", "error_size"};
	void** functions = (void**)l;
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		char name[64] = "gaze_mpi_";
		for (size_t k = 0, at = 9; names[i][k]; k++, at++)
			name[at] = names[i][k];
		if (!(functions[i] = dlsym(handle, name)))
			return dlerror();
	}
	return NULL;
}

static int gaze_version(const gaze_mpi* l) { return l->version(); }
static int gaze_open(const gaze_mpi* l, int* rank, int* size) { return l->open(rank, size); }
static int gaze_sum_floats(const gaze_mpi* l, float* v, size_t n) { return l->sum_floats(v, n); }
static int gaze_sum_doubles(const gaze_mpi* l, double* v, size_t n) { return l->sum_doubles(v, n); }
static int gaze_broadcast(const gaze_mpi* l, void* v, size_t n) { return l->broadcast(v, n); }
static int gaze_close(const gaze_mpi* l) { return l->close(); }
static int gaze_error_size(const gaze_mpi* l) { return l->error_size(); }
static void gaze_error(const gaze_mpi* l, int code, char* text) { l->error(code, text); }
*/
import "C"

import (
	"errors"
	"fmt"
	"unsafe"
)

// interfaceVersion is that of the library's interface.
const interfaceVersion = 1

// library is the functions of a loaded library.
type library struct{ c *C.gaze_mpi }

func load(path string) (*library, error) {
	name := C.CString(path)
	defer C.free(unsafe.Pointer(name))
	l := &library{(*C.gaze_mpi)(C.calloc(1, C.sizeof_gaze_mpi))} // never freed: there is one
	if why := C.gaze_mpi_load(name, l.c); why != nil {
		return nil, errors.New(C.GoString(why))
	}
	if v := int(C.gaze_version(l.c)); v != interfaceVersion {
		return nil, fmt.Errorf("it has version %d of its interface, this program knows %d: 'make mpi' compiles it again", v, interfaceVersion)
	}
	return l, nil
}

func (l *library) open() (rank, size int, err error) {
	var r, s C.int
	err = l.err(C.gaze_open(l.c, &r, &s))
	return int(r), int(s), err
}

func (l *library) sumFloats(values []float32) error {
	return l.err(C.gaze_sum_floats(l.c, (*C.float)(unsafe.SliceData(values)), C.size_t(len(values))))
}

func (l *library) sumDoubles(values []float64) error {
	return l.err(C.gaze_sum_doubles(l.c, (*C.double)(unsafe.SliceData(values)), C.size_t(len(values))))
}

func (l *library) broadcast(bytes []byte) error {
	return l.err(C.gaze_broadcast(l.c, unsafe.Pointer(unsafe.SliceData(bytes)), C.size_t(len(bytes))))
}

func (l *library) close() error { return l.err(C.gaze_close(l.c)) }

// err is the error of a code.
func (l *library) err(code C.int) error {
	if code == 0 {
		return nil
	}
	text := (*C.char)(C.calloc(1, C.size_t(C.gaze_error_size(l.c))))
	defer C.free(unsafe.Pointer(text))
	C.gaze_error(l.c, code, text)
	return fmt.Errorf("MPI: %s", C.GoString(text))
}
