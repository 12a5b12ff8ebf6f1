//go:build unix

package sortedwalk

import (
	"io/fs"
	"syscall"
)

// folders are the folders that were visited.
type folders struct{ known map[folder]bool }

type folder struct{ device, inode uint64 }

// add notes a folder and reports whether it was there before.
func (f *folders) add(info fs.FileInfo) (again bool) {
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return false
	}
	id := folder{uint64(stat.Dev), uint64(stat.Ino)}
	if f.known == nil {
		f.known = map[folder]bool{}
	}
	again = f.known[id]
	f.known[id] = true
	return again
}
