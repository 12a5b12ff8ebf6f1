package execcache

import (
	"fmt"
	"os"
	"syscall"
)

// fileMark is what changes when a file's content does. The change time can't be
// set by programs, which the modification time can.
func fileMark(path string) (string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", err
	}
	at := info.Sys().(*syscall.Stat_t)
	return fmt.Sprintf("size %d modified %d.%09d changed %d.%09d inode %d on %d",
		at.Size, at.Mtim.Sec, at.Mtim.Nsec, at.Ctim.Sec, at.Ctim.Nsec, at.Ino, at.Dev), nil
}
