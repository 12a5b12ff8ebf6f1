//go:build !unix

package store

import "syscall"

// ownGroup does nothing where processes have no groups.
func ownGroup() *syscall.SysProcAttr { return nil }
