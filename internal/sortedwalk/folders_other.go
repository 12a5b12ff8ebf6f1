//go:build !unix

package sortedwalk

import (
	"io/fs"
	"os"
	"slices"
)

// folders are the folders that were visited.
type folders struct{ known []fs.FileInfo }

// add notes a folder and reports whether it was there before.
func (f *folders) add(info fs.FileInfo) (again bool) {
	if slices.ContainsFunc(f.known, func(old fs.FileInfo) bool { return os.SameFile(old, info) }) {
		return true
	}
	f.known = append(f.known, info)
	return false
}
