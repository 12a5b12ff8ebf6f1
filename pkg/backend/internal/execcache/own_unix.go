//go:build unix

package execcache

import (
	"errors"
	"io"
	"os"
	"syscall"
)

// readOwn reads a file that belongs to this user or to the system's administrator:
// what is in it will be run.
func readOwn(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if at, ok := info.Sys().(*syscall.Stat_t); !info.Mode().IsRegular() || !ok || (at.Uid != 0 && int(at.Uid) != os.Geteuid()) {
		return nil, errors.New("another user's file")
	}
	b := make([]byte, info.Size())
	_, err = io.ReadFull(f, b)
	return b, err
}
