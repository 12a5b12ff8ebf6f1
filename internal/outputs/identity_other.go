//go:build !unix

package outputs

import (
	"errors"
	"io/fs"
	"os"
)

// identity isn't used on this system: files are compared with os.SameFile.
type identity struct{ device, inode uint64 }

func identify(fs.FileInfo) (identity, bool) { return identity{}, false }

// duplicate isn't needed on this system: no path names an open file.
func duplicate(int, string) (*os.File, error) { return nil, errors.ErrUnsupported }
