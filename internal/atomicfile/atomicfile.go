// Package atomicfile writes files and folders that are either complete or absent. It
// writes to a temporary name in the same folder, syncs, and renames. It doesn't decide
// whether an existing file may be replaced: package outputs does.
package atomicfile

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// pattern is the name of temporary files. It doesn't contain the file's own name, which
// may already have the maximum length.
const pattern = ".gaze-*.tmp"

// Write creates or replaces the file at path with the bytes that write writes to w. The
// folder must exist. On any error, an existing file at path is unchanged and the
// temporary file is removed.
func Write(path string, write func(w io.Writer) error) error {
	return WriteWith(path, write, os.Rename)
}

// WriteWith is like [Write], but calls place to move the finished temporary file to path.
// place is called once, after the file is complete and synced. If place fails, the
// temporary file is removed.
func WriteWith(path string, write func(w io.Writer) error, place func(temp, path string) error) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), pattern)
	if err != nil {
		return named(err, path)
	}
	defer func() {
		if err != nil {
			err = errors.Join(named(err, path), ignoreClosed(f.Close()), os.Remove(f.Name()))
		}
	}()
	if err := write(f); err != nil {
		return err
	}
	if err := f.Chmod(0o644); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	return place(f.Name(), path)
}

// PlaceNew renames a finished temporary file to path unless path exists, which is
// [fs.ErrExist]. On file systems with hard links this is atomic; on others it is a check
// followed by a rename.
func PlaceNew(temp, path string) error {
	err := os.Link(temp, path)
	if err == nil {
		return os.Remove(temp)
	}
	if errors.Is(err, fs.ErrExist) {
		return &fs.PathError{Op: "create", Path: path, Err: fs.ErrExist}
	}
	if _, err := os.Lstat(path); err == nil {
		return &fs.PathError{Op: "create", Path: path, Err: fs.ErrExist}
	}
	return os.Rename(temp, path)
}

// WriteBytes is [Write] for content in memory.
func WriteBytes(path string, data []byte) error {
	return Write(path, func(w io.Writer) error {
		_, err := w.Write(data)
		return err
	})
}

// named replaces the temporary file's path in an error by the caller's path.
func named(err error, path string) error {
	var at *fs.PathError
	if errors.As(err, &at) && temporary(at.Path) {
		at.Path = path
	}
	return err
}

// IsTemporary reports whether a path is named like the temporary files of this package.
func IsTemporary(path string) bool { return temporary(path) }

func temporary(path string) bool {
	ok, err := filepath.Match(pattern, filepath.Base(path))
	return ok && err == nil
}

// Sweep removes the temporary files that killed processes left in a folder. No other
// process may be writing to the folder. It is no error if the folder doesn't exist.
func Sweep(dir string) error { return SweepOlder(dir, 0) }

// SweepOlder is like [Sweep], but keeps files that changed within the given time, so that
// other processes may be writing to the folder.
func SweepOlder(dir string, age time.Duration) error {
	list, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	for _, e := range list {
		if !e.Type().IsRegular() || !temporary(e.Name()) {
			continue
		}
		if info, at := e.Info(); age > 0 && (at != nil || time.Since(info.ModTime()) < age) {
			continue
		}
		err = errors.Join(err, os.Remove(filepath.Join(dir, e.Name())))
	}
	return err
}

func ignoreClosed(err error) error {
	if errors.Is(err, os.ErrClosed) {
		return nil
	}
	return err
}
