package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path"
	"path/filepath"
	"strings"

	"gaze/internal/atomicfile"
	"gaze/internal/sortedwalk"
)

// local is a folder.
type local struct{ dir string }

func openLocal(dir string) (Store, error) {
	if info, err := os.Stat(dir); err == nil && !info.IsDir() {
		return nil, fmt.Errorf("%s is a file: name a folder", dir)
	}
	return &local{dir}, nil
}

func (l *local) String() string { return l.dir }

func (l *local) path(name string) (string, error) {
	if err := checkName(name); err != nil {
		return "", err
	}
	return filepath.Join(l.dir, filepath.FromSlash(name)), nil
}

func (l *local) Read(ctx context.Context, name string) ([]byte, error) {
	at, err := l.path(name)
	if err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return os.ReadFile(at)
}

func (l *local) Stream(_ context.Context, name string) (io.ReadCloser, error) {
	at, err := l.path(name)
	if err != nil {
		return nil, err
	}
	return openFile(at)
}

func (l *local) ReaderAt(_ context.Context, name string) (File, error) {
	at, err := l.path(name)
	if err != nil {
		return nil, err
	}
	return openFile(at)
}

// localFile is a file whose size was asked when it was opened.
type localFile struct {
	*os.File
	size int64
}

func (f *localFile) Size() int64 { return f.size }

// openFile opens a regular file. Opening a pipe would wait for a writer, so what it is is
// asked first.
func openFile(at string) (*localFile, error) {
	info, err := os.Stat(at)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, &fs.PathError{Op: "open", Path: at, Err: errors.New("it isn't a regular file")}
	}
	f, err := os.Open(at)
	if err != nil {
		return nil, err
	}
	return &localFile{f, info.Size()}, nil
}

func (l *local) Write(ctx context.Context, name string, write func(w io.Writer) error) error {
	return l.put(ctx, name, write, os.Rename)
}

func (l *local) Create(ctx context.Context, name string, write func(w io.Writer) error) error {
	at, err := l.path(name)
	if err != nil {
		return err
	}
	if _, err := os.Lstat(at); err == nil { // known before the work is done
		return &fs.PathError{Op: "create", Path: at, Err: fs.ErrExist}
	}
	return l.put(ctx, name, write, atomicfile.PlaceNew)
}

// put writes a file, in a folder that is made if it isn't there, as a bucket needs no
// folders either.
func (l *local) put(ctx context.Context, name string, write func(w io.Writer) error, place func(temp, path string) error) error {
	at, err := l.path(name)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(at), 0o755); err != nil {
		return err
	}
	return atomicfile.WriteWith(at, func(w io.Writer) error {
		if err := write(w); err != nil {
			return err
		}
		return ctx.Err()
	}, place)
}

func (l *local) Remove(_ context.Context, name string) error {
	at, err := l.path(name)
	if err != nil {
		return err
	}
	return os.Remove(at)
}

func (l *local) List(ctx context.Context, prefix string) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		folder := path.Dir(prefix + "x") // the deepest folder that has all of them
		top := filepath.Join(l.dir, filepath.FromSlash(folder))
		if _, err := os.Stat(top); errors.Is(err, fs.ErrNotExist) {
			return
		}
		above := strings.TrimPrefix(folder+"/", "./")
		options := sortedwalk.Options{Skip: func(name string, isFolder bool) bool {
			return atomicfile.IsTemporary(name) || !isFolder && !strings.HasPrefix(above+name, prefix) ||
				isFolder && !strings.HasPrefix(above+name+"/", prefix)
		}}
		for file, err := range sortedwalk.Files(top, options) {
			if err == nil {
				err = ctx.Err()
			}
			if err != nil {
				yield(Entry{}, err)
				return
			}
			info, err := os.Stat(file.Path)
			switch {
			case errors.Is(err, fs.ErrNotExist): // removed in the meantime
			case err != nil:
				yield(Entry{}, err)
				return
			case info.Mode().IsRegular():
				if !yield(Entry{above + file.Name, info.Size(), info.ModTime()}, nil) {
					return
				}
			}
		}
	}
}
