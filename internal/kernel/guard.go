package kernel

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// A guard is a process that outlives the kernel for a moment: when the kernel has ended,
// in whatever way, it kills what the kernel has left and removes its folders. The kernel
// tells it by a pipe what there is; the pipe's end is the kernel's.

// guard is the kernel's side.
type guard struct {
	mu   sync.Mutex
	pipe io.WriteCloser
	cmd  *exec.Cmd
}

// startGuard starts the guard: this program with an argument.
func startGuard(argument string) (*guard, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(self, argument)
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true} // signals to the kernel's group aren't for it
	pipe, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	return &guard{pipe: pipe, cmd: cmd}, nil
}

// tell adds a group of processes, a socket whose path they have inherited, or a folder.
func (g *guard) tell(what, value string) {
	if g == nil {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	fmt.Fprintf(g.pipe, "%s %s\n", what, value)
}

// end lets the guard do its work, and waits for it.
func (g *guard) end() {
	if g == nil {
		return
	}
	g.pipe.Close()
	done := make(chan struct{})
	go func() {
		g.cmd.Wait()
		close(done)
	}()
	select {
	case <-done:
	case <-time.After(2 * time.Second):
	}
}

// Guard is the guard's side. It returns when the kernel has ended and everything of it is
// gone. told is its standard input.
func Guard(told io.Reader) {
	signal.Ignore(syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT)
	var groups []int
	var sockets, folders []string
	lines := bufio.NewScanner(told)
	for lines.Scan() {
		switch what, value, _ := strings.Cut(lines.Text(), " "); what {
		case "group":
			if pid, err := strconv.Atoi(value); err == nil && pid > 1 {
				groups = append(groups, pid)
			}
		case "ended": // its number may belong to another process by now
			groups = without(groups, value)
		case "socket":
			sockets = append(sockets, value)
		case "folder":
			folders = append(folders, value)
		}
	}
	for range 2 { // what was just being started is found the second time
		for _, group := range groups {
			syscall.Kill(-group, syscall.SIGKILL)
		}
		for _, socket := range sockets {
			killInheritors(SocketVariable, socket)
		}
	}
	for _, folder := range folders {
		os.RemoveAll(folder)
	}
}

func without(groups []int, value string) []int {
	pid, _ := strconv.Atoi(value)
	var left []int
	for _, group := range groups {
		if group != pid {
			left = append(left, group)
		}
	}
	return left
}
