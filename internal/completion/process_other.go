//go:build !linux

package completion

import "syscall"

// attributes are those of gopls' process: a group of its own.
func attributes() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }
