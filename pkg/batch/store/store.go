// Package store keeps the files of a job in a local folder. Files are whole or not there:
// no reader sees one that is being written.
package store

import (
	"context"
	"fmt"
	"io"
	"iter"
	"strings"
)

// Store holds files under names with forward slashes, such as "parts/part-000000.parquet".
// Its methods may be called at the same time, also by other processes.
type Store interface {
	// Read returns a file's content. A file that isn't there is [fs.ErrNotExist].
	Read(ctx context.Context, name string) ([]byte, error)
	// ReaderAt opens a file for reading at any offset.
	ReaderAt(ctx context.Context, name string) (File, error)
	// Write creates or replaces a file with what write writes. On any error an existing
	// file is unchanged.
	Write(ctx context.Context, name string, write func(io.Writer) error) error
	// Create is Write for a file that must not exist yet; one that does is [fs.ErrExist].
	// Of several calls at the same time one succeeds.
	Create(ctx context.Context, name string, write func(io.Writer) error) error
	// List lists the files whose names begin with prefix, sorted by name.
	List(ctx context.Context, prefix string) iter.Seq2[Entry, error]
	// Remove removes a file. One that isn't there is [fs.ErrNotExist].
	Remove(ctx context.Context, name string) error
	// String is where the store is, as [Open] takes it.
	String() string
}

// File is an open file.
type File interface {
	io.ReaderAt
	io.Closer
	Size() int64
}

// Entry is a file in a listing.
type Entry struct {
	Name string
	Size int64 // in bytes
}

// Open opens the store at a path. The folder is made when the first file is written.
func Open(_ context.Context, url string) (Store, error) {
	switch {
	case url == "":
		return nil, fmt.Errorf("the name of the folder is empty")
	case strings.Contains(url, "://"):
		return nil, fmt.Errorf("%s: only local folders can be opened", url)
	}
	return openLocal(url)
}
