//go:build unix

package environ

import (
	"errors"
	"syscall"
)

// isNotDir reports whether part of a path is a file.
func isNotDir(err error) bool { return errors.Is(err, syscall.ENOTDIR) }
