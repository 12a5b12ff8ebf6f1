//go:build !unix

package weights

import (
	"io"
	"os"
)

// mapFile reads the whole file into memory, on systems where files aren't mapped.
func mapFile(f *os.File, size int64) (data []byte, unmap func() error, err error) {
	data, err = io.ReadAll(io.LimitReader(f, size))
	return data, func() error { return nil }, err
}

// dropPages does nothing on systems where files aren't mapped.
func dropPages([]byte) {}
