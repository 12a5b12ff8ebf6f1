// Package source lists the pictures of a corpus and reads them: folders, with their
// subfolders, and files that list paths.
package source

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Input is one picture of a corpus: the key of its row, and where its bytes are.
type Input struct {
	Key    string // unique in a job
	File   string // path or URL of the file that holds it
	Offset int64  // of a tar's member in File
	Size   int64  // of a tar's member; -1: the whole file
	Row    int64  // of a Parquet file; -1: none
	Column string // of a Parquet file
}

// Options say how sources are listed.
type Options struct{}

// List lists the pictures of the sources, in the order of the sources and, in a folder, of
// the paths. It keeps no more than the entries of one folder and its parents in memory.
func List(ctx context.Context, sources []string, _ Options) iter.Seq2[Input, error] {
	return func(yield func(Input, error) bool) {
		l := &lister{ctx: ctx, yield: yield}
		for _, s := range sources {
			if err := l.source(s, len(sources) > 1); err != nil {
				if !errors.Is(err, errStop) {
					yield(Input{}, err)
				}
				return
			}
		}
	}
}

// errStop ends a listing whose consumer wants no more.
var errStop = errors.New("stop")

// lister lists sources.
type lister struct {
	ctx   context.Context
	yield func(Input, error) bool
}

// source lists a folder or the paths in a file. Of several sources, keys begin with the
// source's own name.
func (l *lister) source(path string, several bool) error {
	abs, err := filepath.Abs(path)
	if err != nil {
		return err
	}
	info, err := os.Stat(abs)
	if err != nil {
		return err
	}
	if !info.IsDir() {
		return l.file(abs)
	}
	prefix := ""
	if several {
		prefix = filepath.Base(abs) + "/"
	}
	return l.folder(abs, prefix)
}

// folder lists a folder and those in it. prefix begins the keys.
func (l *lister) folder(dir, prefix string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		name := e.Name()
		if strings.HasPrefix(name, ".") {
			continue
		}
		at := filepath.Join(dir, name)
		if e.IsDir() || e.Type()&fs.ModeSymlink != 0 && isFolder(at) {
			if err := l.folder(at, prefix+name+"/"); err != nil {
				return err
			}
		} else if isPicture(name) {
			if err := l.give(prefix+name, at); err != nil {
				return err
			}
		}
	}
	return nil
}

// endings are those of the pictures in folders, as package data reads them.
var endings = []string{".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".gif", ".webp", ".bmp", ".dib", ".tif", ".tiff"}

func isPicture(name string) bool {
	return slices.Contains(endings, strings.ToLower(filepath.Ext(name)))
}

func isFolder(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// give hands a picture to the consumer.
func (l *lister) give(key, file string) error {
	if err := l.ctx.Err(); err != nil {
		return err
	}
	if !l.yield(Input{Key: key, File: file, Size: -1, Row: -1}, nil) {
		return errStop
	}
	return nil
}

// file lists the paths in a file, one a line, relative to its folder; keys are the lines.
func (l *lister) file(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	dir := filepath.Dir(path)
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimSuffix(lines.Text(), "\r")
		if line == "" {
			continue
		}
		at := line
		if !filepath.IsAbs(at) {
			at = filepath.Join(dir, at)
		}
		if err := l.give(line, at); err != nil {
			return err
		}
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

// Reader reads pictures. It is safe for concurrent use.
type Reader struct{}

// NewReader returns a reader of a corpus.
func NewReader() *Reader { return &Reader{} }

// maxPicture bounds the bytes of a picture.
const maxPicture = 1536 << 20

// Read returns the bytes of a picture.
func (r *Reader) Read(ctx context.Context, in Input) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	info, err := os.Stat(in.File)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("it is not a regular file")
	}
	if info.Size() > maxPicture {
		return nil, fmt.Errorf("%d bytes, more than the limit of %d", info.Size(), maxPicture)
	}
	f, err := os.Open(in.File)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	out := make([]byte, info.Size())
	_, err = io.ReadFull(f, out)
	return out, err
}

// Close closes the files that the reader keeps open.
func (r *Reader) Close() error { return nil }
