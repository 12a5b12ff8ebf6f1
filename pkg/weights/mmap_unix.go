//go:build unix

package weights

import (
	"fmt"
	"math"
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

// mapFile maps a whole file read-only. If another program truncates the file
// while it is mapped, reading the missing part ends the process (SIGBUS):
// replace checkpoints by renaming, as Gaze does, not by writing into them.
func mapFile(f *os.File, size int64) (data []byte, unmap func() error, err error) {
	if size == 0 {
		return nil, func() error { return nil }, nil
	}
	if size > math.MaxInt {
		return nil, nil, fmt.Errorf("%d bytes are more than this machine can address", size)
	}
	data, err = unix.Mmap(int(f.Fd()), 0, int(size), unix.PROT_READ, unix.MAP_SHARED)
	if err != nil {
		return nil, nil, fmt.Errorf("mapping the file: %w", err)
	}
	return data, func() error { return unix.Munmap(data) }, nil
}

// dropPages removes the whole pages in a part of a mapping from memory; they are read from
// the file again when used. It is only advice to the kernel, so errors are ignored.
func dropPages(data []byte) {
	page := uintptr(os.Getpagesize())
	before := int(-uintptr(unsafe.Pointer(unsafe.SliceData(data))) & (page - 1))
	if size := (len(data) - before) &^ int(page-1); before < len(data) && size > 0 {
		_ = unix.Madvise(data[before:before+size], unix.MADV_DONTNEED)
	}
}
