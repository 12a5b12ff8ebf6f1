//go:build unix

package environ

import (
	"errors"
	"syscall"
)

// isNotDir says whether a path goes through a file.
func isNotDir(err error) bool { return errors.Is(err, syscall.ENOTDIR) }
