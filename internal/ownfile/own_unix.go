//go:build unix

// Package ownfile reads files whose content will be run, and so must not be another
// user's.
package ownfile

import (
	"errors"
	"io"
	"os"
	"syscall"
)

var errForeign = errors.New("another user's file")

// Read reads a regular file that belongs to this user or to the system's administrator.
func Read(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !own(info) {
		return nil, errForeign
	}
	b := make([]byte, info.Size())
	_, err = io.ReadFull(f, b)
	return b, err
}

// Stat describes a file as os.Stat does, and fails where [Read] would refuse it.
func Stat(path string) (os.FileInfo, error) {
	info, err := os.Stat(path)
	if err == nil && !own(info) {
		err = errForeign
	}
	return info, err
}

func own(info os.FileInfo) bool {
	at, ok := info.Sys().(*syscall.Stat_t)
	return ok && info.Mode().IsRegular() && (at.Uid == 0 || int(at.Uid) == os.Geteuid())
}
