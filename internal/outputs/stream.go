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

// IsStream reports whether a path must be written to, not replaced by a file: a device, a
// pipe, or an open descriptor of the process, such as /dev/stdout.
func IsStream(path string) bool {
	if _, ok := descriptor(path); ok {
		return true
	}
	info, err := os.Stat(path)
	return err == nil && !info.IsDir() && !info.Mode().IsRegular()
}

// IsStdout reports whether a path is the process's standard output.
func IsStdout(path string) bool {
	n, ok := descriptor(path)
	return ok && n == 1
}

// descriptor returns the number of the open descriptor that a path names. The shell may
// have redirected it to a regular file.
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

// writeStream writes to a device, a pipe or an open descriptor.
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
