// Package atomicfile writes files that are whole or not there: to a temporary
// name in the same folder, synced, then renamed.
package atomicfile

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// pattern is what temporary files are called. It is short: the file's own name may
// be as long as names can be.
const pattern = ".gaze-*.tmp"

// Write creates or replaces the file at path with what write puts into w. The
// folder must exist. Whatever fails, an earlier file at path stays as it was
// and nothing half-written is left behind.
func Write(path string, write func(w io.Writer) error) error {
	return WriteWith(path, write, os.Rename)
}

// WriteWith is [Write] for callers that decide themselves how the finished
// temporary file gets its name: place is called once with the temporary file,
// whole and synced, and path. When place fails, the temporary file is removed.
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

// PlaceNew gives a finished temporary file its name unless a file of that name
// exists; the error then is [fs.ErrExist]. It is one step of the file system
// where that has hard links, a check and a rename where it doesn't.
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

// WriteBytes is [Write] for content that is at hand.
func WriteBytes(path string, data []byte) error {
	return Write(path, func(w io.Writer) error {
		_, err := w.Write(data)
		return err
	})
}

// named puts the name that the caller knows in place of the temporary one.
func named(err error, path string) error {
	var at *fs.PathError
	if errors.As(err, &at) && temporary(at.Path) {
		at.Path = path
	}
	return err
}

func temporary(path string) bool {
	ok, err := filepath.Match(pattern, filepath.Base(path))
	return ok && err == nil
}

// Sweep removes from a folder what processes that were killed while they wrote
// have left in it. Nobody may be writing there. A folder that isn't there has
// nothing to remove.
func Sweep(dir string) error { return SweepOlder(dir, 0) }

// SweepOlder is [Sweep] for a folder that others may be writing to: what changed
// within the given time stays.
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
