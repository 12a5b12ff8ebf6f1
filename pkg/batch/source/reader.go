package source

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"

	"gaze/pkg/batch/store"
)

// maxPicture bounds the size of a picture's file, in bytes.
const maxPicture = 1 << 30

// Where names the place of a picture for messages.
func (in Input) Where() string {
	at := store.Redact(in.File)
	switch {
	case in.Row >= 0:
		return fmt.Sprintf("row %d of %s", in.Row, at)
	case in.Size >= 0:
		return fmt.Sprintf("byte %d of %s", in.Offset, at)
	}
	return at
}

// Reader reads the bytes of pictures. Its methods can be called at the same time. It keeps
// some tars and Parquet files open, and for each Parquet file a page or two of the column,
// so that pictures which are near each other are read quickly.
type Reader struct {
	ctx    context.Context
	cancel context.CancelFunc

	mu     sync.Mutex
	stores map[string]store.Store
	open   []*container // the one used last comes last
}

// maxOpen bounds the containers that are open and not in use.
const maxOpen = 8

// container is an open tar or Parquet file.
type container struct {
	at     string
	users  int
	opened sync.Once
	err    error
	file   store.File     // a tar
	table  *parquetReader // or a Parquet file
}

// NewReader returns a Reader, which must be closed.
func NewReader() *Reader {
	ctx, cancel := context.WithCancel(context.Background())
	return &Reader{ctx: ctx, cancel: cancel, stores: map[string]store.Store{}}
}

// Read returns the bytes of a picture's file. Its errors name the picture.
func (r *Reader) Read(ctx context.Context, in Input) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if in.Row < 0 && in.Size < 0 {
		return r.whole(ctx, in.File)
	}
	if in.Size > maxPicture {
		return nil, fmt.Errorf("%s: %d bytes is too large for a picture", in.Where(), in.Size)
	}
	c, err := r.acquire(in)
	if err != nil {
		return nil, err
	}
	defer r.release(c)
	if in.Row >= 0 {
		picture, err := c.table.read(in.Column, in.Row)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", in.Where(), err)
		}
		return picture, nil
	}
	picture := make([]byte, in.Size)
	if n, err := c.file.ReadAt(picture, in.Offset); n < len(picture) {
		if errors.Is(err, io.EOF) {
			err = errors.New("the tar ends before: it isn't the one that was listed")
		}
		return nil, fmt.Errorf("%s: %w", in.Where(), err)
	}
	return picture, nil
}

// whole reads a file that is a picture.
func (r *Reader) whole(ctx context.Context, at string) ([]byte, error) {
	root, name, err := store.Split(at)
	if err != nil {
		return nil, err
	}
	if !store.IsURL(at) {
		return readLocal(at)
	}
	s, err := r.store(root)
	if err != nil {
		return nil, err
	}
	return s.Read(ctx, name)
}

// readLocal reads a file unless it is no regular file or too large.
func readLocal(at string) ([]byte, error) {
	root, name, err := store.Split(at)
	if err != nil {
		return nil, err
	}
	s, err := store.Open(context.Background(), root)
	if err != nil {
		return nil, err
	}
	f, err := s.ReaderAt(context.Background(), name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if f.Size() > maxPicture {
		return nil, fmt.Errorf("%s: %d bytes is too large for a picture", at, f.Size())
	}
	data := make([]byte, f.Size())
	if n, err := f.ReadAt(data, 0); n < len(data) {
		return nil, fmt.Errorf("%s: %w", at, err)
	}
	return data, nil
}

// store opens a store once.
func (r *Reader) store(root string) (store.Store, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if s, ok := r.stores[root]; ok {
		return s, nil
	}
	s, err := store.Open(r.ctx, root)
	if err == nil {
		r.stores[root] = s
	}
	return s, err
}

// acquire returns the container of a picture, open.
func (r *Reader) acquire(in Input) (*container, error) {
	c := r.find(in.File)
	c.opened.Do(func() {
		if in.Row >= 0 {
			c.table, c.err = newParquetReader(r.ctx, in.File)
		} else {
			c.file, c.err = open(r.ctx, in.File)
		}
	})
	err := c.err
	if err == nil && (in.Row >= 0) != (c.table != nil) {
		err = fmt.Errorf("%s: it is a tar for one picture and a Parquet file for another", in.Where())
	}
	if err != nil {
		r.release(c)
		return nil, err
	}
	return c, nil
}

// find returns the container of a file and notes that it is used.
func (r *Reader) find(at string) *container {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i, c := range r.open {
		if c.at == at {
			r.open = append(append(r.open[:i], r.open[i+1:]...), c)
			c.users++
			return c
		}
	}
	c := &container{at: at, users: 1}
	r.open = append(r.open, c)
	return c
}

// release closes what isn't used any more: containers that can't be opened, so that the next
// picture tries again, and those that were used longest ago.
func (r *Reader) release(c *container) {
	r.mu.Lock()
	defer r.mu.Unlock()
	c.users--
	kept := r.open[:0]
	excess := len(r.open) - maxOpen
	for _, old := range r.open {
		if old.users == 0 && (excess > 0 || old.err != nil) {
			old.close()
			excess--
			continue
		}
		kept = append(kept, old)
	}
	clear(r.open[len(kept):])
	r.open = kept
}

func (c *container) close() error {
	switch {
	case c.file != nil:
		return c.file.Close()
	case c.table != nil:
		return c.table.close()
	}
	return nil
}

// Close closes all files. No Read may be under way.
func (r *Reader) Close() error {
	r.cancel()
	var err error
	for _, c := range r.open {
		err = errors.Join(err, c.close())
	}
	r.open = nil
	return err
}
