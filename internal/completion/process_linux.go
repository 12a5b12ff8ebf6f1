package completion

import "syscall"

// attributes are those of gopls' process: a group of its own, and it ends with the thread that
// starts it. gopls doesn't always notice that its input has ended, as when the kernel is
// killed while it loads.
func attributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
