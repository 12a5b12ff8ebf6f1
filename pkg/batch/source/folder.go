package source

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strings"

	"gaze/internal/sortedwalk"
	"gaze/pkg/batch/store"
	"gaze/pkg/data"
)

// hidden reports whether a file or one of its folders begins with a dot.
func hidden(name string) bool { return strings.HasPrefix(name, ".") || strings.Contains(name, "/.") }

// folder lists the pictures in a folder or under a bucket's prefix.
func (l *lister) folder(s named) error {
	if store.IsURL(s.at) {
		return l.prefix(s)
	}
	options := sortedwalk.Options{Links: true, Skip: func(name string, folder bool) bool {
		return strings.HasPrefix(path.Base(name), ".") || !folder && !data.IsPictureName(name)
	}}
	for file, err := range sortedwalk.Files(s.at, options) {
		if err != nil {
			return err
		}
		// A dangling link is a picture that can't be read; a pipe or a device is none.
		if file.Type.IsRegular() || file.Type&fs.ModeSymlink != 0 {
			if err := l.file(file.Name, file.Path); err != nil {
				return err
			}
		}
	}
	return nil
}

func (l *lister) prefix(s named) error {
	b, err := store.Open(l.ctx, s.at)
	if err != nil {
		return err
	}
	for entry, err := range b.List(l.ctx, "") {
		if err != nil {
			return err
		}
		if hidden(entry.Name) || !data.IsPictureName(entry.Name) {
			continue
		}
		if err := l.file(entry.Name, store.Join(s.at, entry.Name)); err != nil {
			return err
		}
	}
	return nil
}

// picture lists a file that is a picture.
func (l *lister) picture(s named) error { return l.file(store.Redact(s.given), s.at) }

// stream opens a source that is read from its beginning to its end.
func stream(ctx context.Context, at string) (io.ReadCloser, error) {
	return opened(ctx, at, store.Store.Stream)
}

// open opens a source of which parts are read.
func open(ctx context.Context, at string) (store.File, error) {
	return opened(ctx, at, store.Store.ReaderAt)
}

// opened opens a source by a method of the store that it is in.
func opened[T any](ctx context.Context, at string, by func(store.Store, context.Context, string) (T, error)) (f T, err error) {
	root, name, err := store.Split(at)
	if err != nil {
		return f, err
	}
	s, err := store.Open(ctx, root)
	if err != nil {
		return f, err
	}
	if f, err = by(s, ctx, name); err != nil {
		return f, fmt.Errorf("%s: %w", store.Redact(at), reason(err))
	}
	return f, nil
}
