//go:build !linux

package execcache

import (
	"fmt"
	"os"
)

// fileMark describes a file by what changes when its content does.
func fileMark(path string) (string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("size %d modified %d", info.Size(), info.ModTime().UnixNano()), nil
}
