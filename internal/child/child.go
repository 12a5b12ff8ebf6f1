// Package child starts processes that end with this one, also if it is killed.
package child

import (
	"os/exec"
	"runtime"
	"sync"
)

// Start starts a command in a process group of its own. On Linux the process is killed when
// this one ends; elsewhere whoever started it must see to that.
func Start(cmd *exec.Cmd) error {
	cmd.SysProcAttr = attributes()
	result := make(chan error)
	starter() <- func() { result <- cmd.Start() }
	return <-result
}

// starter runs functions in a thread that lasts as long as the process: Linux ends a child
// with the thread that started it.
var starter = sync.OnceValue(func() chan<- func() {
	work := make(chan func())
	go func() {
		runtime.LockOSThread()
		for f := range work {
			f()
		}
	}()
	return work
})
