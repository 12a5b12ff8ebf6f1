package cells

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"gaze/internal/cells/client"
	"gaze/internal/cells/order"
	"gaze/internal/child"
	"gaze/internal/kernel"
	"gaze/internal/trace"
)

// process is a program that was started.
type process struct {
	cmd     *exec.Cmd
	control *net.UnixConn // of a waiting host
	host    hostProgram   // that waits
	env     []string
	done    chan struct{} // closed when it has ended
	state   *os.ProcessState

	detached chan struct{} // closed when it lives on without its cell
	once     sync.Once
}

// Interrupt sends the program SIGINT.
func (p *process) Interrupt() { syscall.Kill(-p.cmd.Process.Pid, syscall.SIGINT) }

// Kill ends the program and what it has started.
func (p *process) Kill() { syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL) }

// status is how the program ended.
func (p *process) status() kernel.Status {
	w, ok := p.state.Sys().(syscall.WaitStatus)
	if ok && w.Signaled() {
		return kernel.Status{Code: 128 + int(w.Signal()), Signal: w.Signal()}
	}
	return kernel.Status{Code: p.state.ExitCode()}
}

// start starts a command in a process group of its own, which ends with the kernel.
func start(cmd *exec.Cmd) (*process, error) {
	p := &process{cmd: cmd, done: make(chan struct{}), detached: make(chan struct{})}
	if err := child.Start(cmd); err != nil {
		return nil, err
	}
	go func() {
		cmd.Wait()
		p.state = cmd.ProcessState
		close(p.done)
	}()
	return p, nil
}

// prepare starts a host for the next cell, if there is none.
func (r *Runner) prepare() {
	if r.builder == nil {
		return
	}
	h, err := r.builder.ready(context.Background())
	if err != nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.waiting != nil {
		return
	}
	if r.waiting, err = startWaiting(h.program(), r.waitingEnv()); err != nil {
		r.log("starting a host: %v", err)
		return
	}
	p := r.waiting
	time.AfterFunc(pause, func() { r.warmUp(p) })
}

// waitingEnv is the environment of waiting hosts: that of the last cell, so that the next one
// has little to change while a host prepares. The caller holds r.mu.
func (r *Runner) waitingEnv() []string {
	if r.cellEnv != nil {
		return r.cellEnv
	}
	return r.baseEnv
}

// pause is the time after a cell when a waiting host begins to prepare what cells have
// used: not at once, since the next cell may follow.
const pause = 150 * time.Millisecond

// warmUp makes a host prepare what the last cells have used, if it still waits.
func (r *Runner) warmUp(p *process) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.waiting == p && len(r.used) > 0 {
		order.Send(p.control, &order.Order{Warm: r.used})
	}
}

// takeWaiting returns the waiting host if it suits a program.
func (r *Runner) takeWaiting(p *program, env []string) *process {
	r.mu.Lock()
	w := r.waiting
	r.waiting = nil
	r.mu.Unlock()
	if w == nil {
		return nil
	}
	select {
	case <-w.done:
	default:
		if w.host == p.host && sameSettings(env, w.env, isStartSetting) {
			return w
		}
		w.Kill()
	}
	w.control.Close()
	return nil
}

// isStartSetting reports whether a variable counts when a program starts, or for what a
// waiting host has prepared.
func isStartSetting(name string) bool {
	if strings.HasPrefix(name, "GONB_") || name == "GAZE_KERNEL_SOCKET" {
		return false
	}
	for _, prefix := range []string{"GO", "GAZE_", "LD_", "XLA_", "OMP_", "MALLOC_", "TF_", "CUDA_", "TZ"} {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return false
}

// run runs a cell's program and answers how it ended.
func (r *Runner) run(q client.Request, conn *kernel.Conn) client.Answer {
	trace.Ended("GoNB called the program")
	r.mu.Lock()
	p := r.programs[q.Path]
	r.mu.Unlock()
	cell := r.kernel.Running()
	if p == nil || cell == nil {
		return client.Answer{Code: 1, Output: "error: this program belongs to no cell"}
	}
	if captured(cell) {
		if p.binary == "" {
			if code, output := r.buildBinary(p); code != 0 {
				return client.Answer{Code: code, Output: output}
			}
		}
		return client.Answer{Exec: p.binary}
	}
	defer func() { go r.prepare() }()
	for {
		status, refused, err := r.execute(p, q, cell, conn)
		if refused {
			r.log("a host refused a cell: %v", err)
			if code, output := r.buildBinary(p); code != 0 {
				return client.Answer{Code: code, Output: output}
			}
			continue
		}
		if err != nil {
			return client.Answer{Code: 1, Output: "error: " + err.Error()}
		}
		cell.Ended(status)
		a := client.Answer{Code: status.Code}
		if s, ok := status.Signal.(syscall.Signal); ok {
			a.Signal = int(s)
		}
		return a
	}
}

// execute starts a program and passes on what it shows until it ends or is detached.
// refused says that a host couldn't load it; nothing of it has run then.
func (r *Runner) execute(p *program, q client.Request, cell kernel.Cell, conn *kernel.Conn) (status kernel.Status, refused bool, err error) {
	shown, err := newShow(r, cell, q.Env)
	q.Env = r.ownTemp(q.Env)
	if err != nil {
		return status, false, err
	}
	proc, err := r.launch(p, q, shown)
	shown.closeTheirs()
	trace.Ended("started")
	if err != nil { // a host that can't be started or told is as one that can't load the cell
		shown.close()
		return status, p.library != "", err
	}
	cell.Started(proc)
	r.mu.Lock()
	r.running, r.cellEnv = proc, q.Env
	r.mu.Unlock()
	go io.Copy(shown.input, conn)
	go shown.follow(proc)
	select {
	case <-proc.done:
	case <-proc.detached:
		return kernel.Status{}, false, nil
	}
	<-shown.finished
	trace.Ended("the program ended")
	if proc.control != nil {
		told := order.Told(proc.control)
		proc.control.Close()
		if told.Refused != "" {
			return status, true, errors.New(told.Refused)
		}
		r.remember(told.Used)
	}
	return proc.status(), false, nil
}

// remember notes what a cell has used. What one cell doesn't use, the next one may.
func (r *Runner) remember(used []string) {
	if len(used) == 0 {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.used = used
}

// ownTemp gives a program the user's folder for temporary files. GoNB has one of the
// kernel's, which doesn't outlive it.
func (r *Runner) ownTemp(env []string) []string {
	const name = "TMPDIR"
	env = slices.DeleteFunc(slices.Clone(env), func(v string) bool { return strings.HasPrefix(v, name+"=") })
	if folder := value(r.baseEnv, name); folder != "" {
		env = append(env, name+"="+folder)
	}
	return env
}

// launch starts a program with the files of shown: in the waiting host, in a new host, or
// alone.
func (r *Runner) launch(p *program, q client.Request, shown *show) (*process, error) {
	if p.library != "" {
		w := r.takeWaiting(p, q.Env)
		if w == nil {
			var err error
			if w, err = startWaiting(p.host, q.Env); err != nil {
				return nil, err
			}
		}
		o := &order.Order{Library: p.library, Name: q.Path, Args: q.Args, Env: q.Env, Dir: q.Dir}
		if err := order.Send(w.control, o, shown.descriptors()...); err != nil {
			w.Kill()
			w.control.Close()
			return nil, fmt.Errorf("starting the cell: %w", err)
		}
		return w, nil
	}
	cmd := exec.Command(p.binary, q.Args...)
	cmd.Args[0], cmd.Dir = q.Path, q.Dir
	cmd.Stdin, cmd.Stdout, cmd.Stderr = shown.theirs[0], shown.theirs[1], shown.theirs[2]
	cmd.ExtraFiles = shown.theirs[3:]
	cmd.Env = append(slices.Clone(q.Env), "GONB_PIPE=/proc/self/fd/3", "GONB_PIPE_BACK=/proc/self/fd/4")
	return start(cmd)
}

// captured reports whether GoNB is to have a cell's output itself, for a command of its
// own.
func captured(cell kernel.Cell) bool {
	content := string(cell.Message().Content)
	return strings.Contains(content, "%capture")
}

// detach lets the program at the other end of a connection live on after its cell.
func (r *Runner) detach(_ client.Request, conn *kernel.Conn) client.Answer {
	pid, err := peer(conn.UnixConn)
	if err != nil {
		return client.Answer{Code: 1, Output: err.Error()}
	}
	r.mu.Lock()
	p := r.running
	r.mu.Unlock()
	if p == nil || p.cmd.Process.Pid != pid {
		return client.Answer{Code: 1, Output: "the program isn't that of the running cell"}
	}
	p.once.Do(func() { close(p.detached) })
	return client.Answer{}
}
