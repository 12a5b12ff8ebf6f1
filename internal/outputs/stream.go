package outputs

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// IsStream tells whether a path is something to write to that must not be replaced
// by a file: a device, a pipe, or a descriptor that the process has open, such as
// /dev/stdout.
func IsStream(path string) bool {
	if _, ok := descriptor(path); ok {
		return true
	}
	info, err := os.Stat(path)
	return err == nil && !info.IsDir() && !info.Mode().IsRegular()
}

// IsStdout tells whether a path is the process's standard output.
func IsStdout(path string) bool {
	n, ok := descriptor(path)
	return ok && n == 1
}

// descriptor is the open file that a path stands for. What the shell has redirected
// it to may be a regular file.
func descriptor(path string) (n int, ok bool) {
	path = filepath.ToSlash(filepath.Clean(path))
	switch path {
	case "/dev/stdout":
		path = "/dev/fd/1"
	case "/dev/stderr":
		path = "/dev/fd/2"
	}
	for _, dir := range []string{"/dev/fd/", "/proc/self/fd/"} {
		if digits, found := strings.CutPrefix(path, dir); found {
			if n, err := strconv.Atoi(digits); err == nil && n > 0 {
				if _, err := os.Stat(path); err == nil {
					return n, true
				}
			}
		}
	}
	return 0, false
}

// writeStream writes to a device, a pipe or an open descriptor as it is.
func writeStream(path string, write func(w io.Writer) error) (err error) {
	f, err := openStream(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	return write(f)
}

func openStream(path string) (*os.File, error) {
	n, ok := descriptor(path)
	if !ok {
		return os.OpenFile(path, os.O_WRONLY, 0)
	}
	f, err := duplicate(n, path)
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: path, Err: err}
	}
	return f, nil
}
