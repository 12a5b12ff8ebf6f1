package execcache

import (
	"fmt"
	"os"
	"syscall"
)

// fileMark describes a file by what changes when its content does. Unlike the modification time,
// programs can't set the change time.
func fileMark(path string) (string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", err
	}
	at := info.Sys().(*syscall.Stat_t)
	return fmt.Sprintf("size %d modified %d.%09d changed %d.%09d inode %d on %d",
		at.Size, at.Mtim.Sec, at.Mtim.Nsec, at.Ctim.Sec, at.Ctim.Nsec, at.Ino, at.Dev), nil
}
