package cells

import (
	"bytes"
	"encoding/gob"
	"errors"
	"io"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/janpfeifer/gonb/gonbui/protocol"
	"golang.org/x/sys/unix"

	"gaze/internal/kernel"
	"gaze/internal/trace"
)

func init() {
	// What display data may contain (gonbui sends it, GoNB registers the same).
	gob.Register(map[string]any{})
	gob.Register([]any{})
	gob.Register(map[string]int{})
}

// show passes on what a program shows, in the order in which it was shown.
//
// A program writes to several pipes: standard output, standard error, and that of gonbui
// for everything else. When something comes through the last, all that the program had
// written to the first two is already in them, so it is passed on before.
type show struct {
	runner *Runner
	cell   kernel.Cell

	input           *os.File // the program's standard input
	stdout, stderr  *os.File
	display, answer *os.File
	theirs          []*os.File // the program's ends, as order.Files says

	mu       sync.Mutex   // held while something is passed on
	read     atomic.Int64 // bytes of stdout, stderr and display
	finished chan struct{}
	answers  chan *protocol.CommValue
	gonb     *relay
}

// newShow makes the pipes for a program of a cell. env is what GoNB would have started it
// with.
func newShow(r *Runner, cell kernel.Cell, env []string) (*show, error) {
	s := &show{runner: r, cell: cell, finished: make(chan struct{}), answers: make(chan *protocol.CommValue, 128)}
	for _, p := range []struct {
		ours   **os.File
		writes bool // the program writes to it
	}{{&s.input, false}, {&s.stdout, true}, {&s.stderr, true}, {&s.display, true}, {&s.answer, false}} {
		read, write, err := os.Pipe()
		if err != nil {
			s.closeTheirs()
			s.close()
			return nil, err
		}
		if p.writes {
			*p.ours, s.theirs = read, append(s.theirs, write)
		} else {
			*p.ours, s.theirs = write, append(s.theirs, read)
		}
	}
	s.gonb = newRelay(s, env)
	return s, nil
}

// descriptors are the program's ends.
func (s *show) descriptors() []int {
	all := make([]int, len(s.theirs))
	for i, f := range s.theirs {
		all[i] = int(f.Fd())
	}
	return all
}

func (s *show) closeTheirs() {
	for _, f := range s.theirs {
		f.Close()
	}
}

func (s *show) close() {
	for _, f := range []*os.File{s.input, s.stdout, s.stderr, s.display, s.answer} {
		if f != nil {
			f.Close()
		}
	}
}

// lastWords is how long a program that has ended is listened to. Usually its pipes end at
// once, but something that it has started may keep them open.
const lastWords = 300 * time.Millisecond

// pipeSize is how much a program can have written that nobody has read: Linux's pipes.
const pipeSize = 64 << 10

// awaitEnd waits until everything that a program has shown before its end was passed on,
// which takes long if clients are slow. quiet is closed when all of its pipes have ended.
// What it has started may go on writing to them; that isn't waited for.
func (s *show) awaitEnd(quiet chan struct{}) {
	files := []*os.File{s.stdout, s.stderr, s.display}
	end := s.read.Load() + int64(len(files)*pipeSize)
	for {
		select {
		case <-quiet:
			return
		case <-time.After(lastWords):
		}
		s.mu.Lock() // nothing is being passed on
		over := s.read.Load() >= end || !slices.ContainsFunc(files, readable)
		s.mu.Unlock()
		if over {
			break
		}
	}
	past := time.Unix(1, 0)
	for _, f := range files {
		f.SetReadDeadline(past)
	}
	<-quiet
}

// readable reports whether something waits in a pipe.
func readable(f *os.File) bool {
	raw, err := f.SyscallConn()
	if err != nil {
		return false
	}
	poll := []unix.PollFd{{Events: unix.POLLIN}}
	raw.Control(func(fd uintptr) {
		poll[0].Fd = int32(fd)
		unix.Poll(poll, 0)
	})
	return poll[0].Revents&unix.POLLIN != 0
}

// follow passes on what the program shows until it has ended.
func (s *show) follow(p *process) {
	var all sync.WaitGroup
	all.Go(func() { s.followStream(s.stdout, s.cell.Stdout) })
	all.Go(func() { s.followStream(s.stderr, s.toStderr) })
	all.Go(s.followDisplay)
	go s.sendAnswers()
	quiet := make(chan struct{})
	go func() { all.Wait(); close(quiet) }()
	<-p.done
	s.awaitEnd(quiet)
	s.gonb.close()
	close(s.answers)
	s.close()
	close(s.finished)
}

// chunk is how much output is passed on at once.
const chunk = 64 << 10

// followStream passes on output until the program has ended.
func (s *show) followStream(f *os.File, out func([]byte)) {
	raw, err := f.SyscallConn()
	if err != nil {
		return
	}
	buffer := make([]byte, chunk)
	for {
		var n int
		var failed error
		err := raw.Read(func(fd uintptr) bool {
			s.mu.Lock()
			defer s.mu.Unlock()
			if n, failed = syscall.Read(int(fd), buffer); failed == syscall.EAGAIN {
				return false
			}
			if n > 0 {
				s.read.Add(int64(n))
				out(buffer[:n])
			}
			return true
		})
		if err != nil || failed != nil && failed != syscall.EINTR || failed == nil && n <= 0 {
			return
		}
	}
}

// drain passes on what a stream has now. The caller holds s.mu.
func (s *show) drain(f *os.File, out func([]byte)) {
	raw, err := f.SyscallConn()
	if err != nil {
		return
	}
	buffer := make([]byte, chunk)
	raw.Control(func(fd uintptr) {
		for {
			n, err := syscall.Read(int(fd), buffer)
			if n <= 0 || err != nil {
				return
			}
			out(buffer[:n])
		}
	})
}

// toStderr passes on errors. Stack traces call the cell's package by its path; its name is
// main.
func (s *show) toStderr(text []byte) {
	s.cell.Stderr(bytes.ReplaceAll(text, []byte(packagePath+"."), []byte("main.")))
}

// followDisplay passes on what gonbui sends.
func (s *show) followDisplay() {
	decoder := gob.NewDecoder(counted{s.display, &s.read})
	for {
		d := &protocol.DisplayData{}
		if err := decoder.Decode(d); err != nil {
			if !errors.Is(err, io.EOF) && !errors.Is(err, os.ErrDeadlineExceeded) && !errors.Is(err, os.ErrClosed) {
				s.runner.log("display data of a cell: %v", err)
			}
			return
		}
		s.take(d)
	}
}

// counted adds up what is read.
type counted struct {
	io.Reader
	n *atomic.Int64
}

func (c counted) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	c.n.Add(int64(n))
	return n, err
}

// take passes on one message of gonbui.
func (s *show) take(d *protocol.DisplayData) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.drain(s.stdout, s.cell.Stdout)
	s.drain(s.stderr, s.toStderr)
	if v, ok := d.Data[protocol.MIMECommValue].(protocol.CommValue); ok && v.Address == protocol.GonbuiSyncAddress {
		s.reply(&protocol.CommValue{Address: protocol.GonbuiSyncAckAddress, Value: v.Value})
		return
	}
	for _, kind := range []protocol.MIMEType{protocol.MIMECommValue, protocol.MIMECommSubscribe, protocol.MIMEJupyterInput} {
		if _, ok := d.Data[kind]; ok {
			s.gonb.send(d)
			return
		}
	}
	kind, content := s.runner.displayMessage(d)
	if err := s.cell.Publish(kind, content, nil); err != nil {
		s.runner.log("%s: %v", kind, err)
	}
	trace.Ended("shown")
}

// displayMessage makes a message of display data. The first with a display id makes a
// display, later ones change it.
func (r *Runner) displayMessage(d *protocol.DisplayData) (kind string, content map[string]any) {
	data, metadata, transient := map[string]any{}, map[string]any{}, map[string]any{}
	for k, v := range d.Data {
		data[string(k)] = v
	}
	for k, v := range d.Metadata {
		metadata[k] = v
	}
	kind = "display_data"
	if d.DisplayID != "" {
		transient["display_id"] = d.DisplayID
		r.mu.Lock()
		if r.shown[d.DisplayID] {
			kind = "update_display_data"
		}
		r.shown[d.DisplayID] = true
		r.mu.Unlock()
	}
	return kind, map[string]any{"data": data, "metadata": metadata, "transient": transient}
}

// reply queues a message for the program. One that doesn't read loses messages.
func (s *show) reply(v *protocol.CommValue) {
	select {
	case s.answers <- v:
	default:
	}
}

func (s *show) sendAnswers() {
	encoder := gob.NewEncoder(s.answer)
	for v := range s.answers {
		if encoder.Encode(v) != nil {
			return
		}
	}
}
