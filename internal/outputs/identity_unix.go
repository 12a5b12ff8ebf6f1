//go:build unix

package outputs

import (
	"io/fs"
	"syscall"
)

// identity is what all names of a file share.
type identity struct{ device, inode uint64 }

func identify(info fs.FileInfo) (identity, bool) {
	s, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return identity{}, false
	}
	return identity{uint64(s.Dev), s.Ino}, true
}
