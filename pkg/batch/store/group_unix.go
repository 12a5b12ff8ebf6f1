//go:build unix

package store

import "syscall"

// ownGroup puts a process in a group of its own, so that Ctrl-C doesn't reach it: this
// process may still have to write.
func ownGroup() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }
