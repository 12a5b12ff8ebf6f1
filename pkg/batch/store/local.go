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
	"slices"
	"strings"

	"gaze/internal/atomicfile"
)

// local is a folder.
type local struct{ dir string }

func openLocal(dir string) (Store, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	if info, err := os.Stat(abs); err == nil && !info.IsDir() {
		return nil, fmt.Errorf("%s is a file, not a folder", dir)
	}
	return &local{abs}, nil
}

// path is where a file is. Names that lead out of the folder are refused.
func (l *local) path(name string) (string, error) {
	if !fs.ValidPath(name) {
		return "", &fs.PathError{Op: "open", Path: name, Err: fs.ErrInvalid}
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

// localFile is a file that is open for reading.
type localFile struct {
	*os.File
	size int64
}

func (f localFile) Size() int64 { return f.size }

func (l *local) ReaderAt(_ context.Context, name string) (File, error) {
	at, err := l.path(name)
	if err != nil {
		return nil, err
	}
	f, err := os.Open(at)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return localFile{f, info.Size()}, nil
}

func (l *local) Write(ctx context.Context, name string, write func(io.Writer) error) error {
	return l.write(ctx, name, write, os.Rename)
}

func (l *local) Create(ctx context.Context, name string, write func(io.Writer) error) error {
	return l.write(ctx, name, write, atomicfile.PlaceNew)
}

func (l *local) write(ctx context.Context, name string, write func(io.Writer) error, place func(temp, path string) error) error {
	at, err := l.path(name)
	if err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(at), 0o755); err != nil {
		return err
	}
	return atomicfile.WriteWith(at, write, place)
}

func (l *local) List(ctx context.Context, prefix string) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		folder, _ := path.Split(prefix)
		entries, err := l.list(ctx, strings.TrimSuffix(folder, "/"), prefix)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			yield(Entry{}, err)
			return
		}
		slices.SortFunc(entries, func(a, b Entry) int { return strings.Compare(a.Name, b.Name) })
		for _, e := range entries {
			if !yield(e, nil) {
				return
			}
		}
	}
}

// list lists the files below a folder whose names begin with prefix. Temporary files aren't
// among them.
func (l *local) list(ctx context.Context, folder, prefix string) (found []Entry, err error) {
	entries, err := os.ReadDir(filepath.Join(l.dir, filepath.FromSlash(folder)))
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		name := path.Join(folder, e.Name())
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if e.IsDir() {
			if strings.HasPrefix(name, prefix) || strings.HasPrefix(prefix, name+"/") {
				below, err := l.list(ctx, name, prefix)
				if err != nil {
					return nil, err
				}
				found = append(found, below...)
			}
			continue
		}
		if !strings.HasPrefix(name, prefix) || strings.HasPrefix(e.Name(), ".gaze-") {
			continue
		}
		info, err := e.Info()
		if errors.Is(err, fs.ErrNotExist) { // removed since
			continue
		}
		if err != nil {
			return nil, err
		}
		found = append(found, Entry{name, info.Size()})
	}
	return found, nil
}

func (l *local) Remove(_ context.Context, name string) error {
	at, err := l.path(name)
	if err != nil {
		return err
	}
	return os.Remove(at)
}

func (l *local) String() string { return l.dir }
