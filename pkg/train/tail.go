package train

import (
	"errors"
	"fmt"
	"io"
	"os"
)

// tail is a file that a run writes on at its end. What a killed run wrote after
// its last checkpoint is cut off on resuming: it is trained and written again.
type tail struct {
	file *os.File
	size int64
}

// openTail opens a file, made if it isn't there, of which size bytes count.
func openTail(path string, size int64) (*tail, error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, err
	}
	info, err := file.Stat()
	if err == nil && info.Size() < size {
		err = fmt.Errorf("%s has %d bytes, the checkpoint belongs to %d: it was changed", path, info.Size(), size)
	}
	if err == nil {
		err = file.Truncate(size)
	}
	if err == nil {
		_, err = file.Seek(0, io.SeekEnd)
	}
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return &tail{file: file, size: size}, nil
}

func (t *tail) write(data []byte) error {
	n, err := t.file.Write(data)
	t.size += int64(n)
	return err
}

// sync makes sure that what a checkpoint counts on is on the disk.
func (t *tail) sync() error { return t.file.Sync() }

func (t *tail) close() error { return t.file.Close() }
