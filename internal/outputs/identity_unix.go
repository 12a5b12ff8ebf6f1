//go:build unix

package outputs

import (
	"io/fs"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// identity identifies a file, whatever path or hard link leads to it.
type identity struct{ device, inode uint64 }

func identify(info fs.FileInfo) (identity, bool) {
	s, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return identity{}, false
	}
	return identity{uint64(s.Dev), s.Ino}, true
}

// duplicate returns a new descriptor for an open file, at the same offset.
func duplicate(n int, name string) (*os.File, error) {
	own, err := unix.FcntlInt(uintptr(n), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(own), name), nil
}
