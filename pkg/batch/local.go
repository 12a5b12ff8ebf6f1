package batch

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"

	"gaze/internal/child"
)

// Local runs shards in processes on this machine. Each process opens the model once and
// takes shard after shard: it reads their numbers from its standard input, one a line, and
// answers each with a line of JSON, a [Reply].
type Local struct {
	Workers int // processes; 0: 1
	// Command makes the process of a worker, such as 'gaze batch work JOB --shard -
	// --progress'. Its standard streams are set by Run.
	Command func(worker int) *exec.Cmd
	// Log gets the lines that workers write to standard error; may be nil.
	Log func(worker int, line string)
}

// Attempts is how often a shard is tried before it counts as failed.
const Attempts = 3

// Reply is a line that a worker writes to standard output.
type Reply struct {
	Ready   bool     `json:"ready,omitempty"` // the model is open; the first line
	Shard   int      `json:"shard"`
	Rows    int      `json:"rows,omitempty"` // so far
	Bad     int      `json:"bad,omitempty"`  // so far
	Receipt *Receipt `json:"receipt,omitempty"`
	Error   string   `json:"error,omitempty"`
}

// grace is how long a worker may take to end after it was asked to.
const grace = 30 * time.Second

// Run runs the shards. A worker that dies is started again, and its shard tried again. If a
// worker ends by itself before it is ready, as with a model that has changed, Run fails with
// what it said.
func (l Local) Run(ctx context.Context, j *Job, shards []int, report func(Event)) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	q := newQueue(shards)
	defer context.AfterFunc(ctx, q.stop)()
	var all sync.WaitGroup
	var mu sync.Mutex
	for n := range min(max(1, l.Workers), len(shards)) {
		w := &localWorker{Local: l, n: n, queue: q, report: func(e Event) {
			mu.Lock()
			defer mu.Unlock()
			report(e)
		}}
		all.Go(func() {
			if err := w.run(ctx); err != nil {
				cancel(err)
			}
		})
	}
	all.Wait()
	return context.Cause(ctx)
}

// queue hands out shards, and again those that failed.
type queue struct {
	mu      sync.Mutex
	changed sync.Cond
	next    []int
	tries   map[int]int // of shards that failed
	out     int         // shards that are being worked on
	stopped bool
}

func newQueue(shards []int) *queue {
	q := &queue{next: shards, tries: map[int]int{}}
	q.changed.L = &q.mu
	return q
}

// take waits for a shard. It is false if there is none left.
func (q *queue) take() (shard int, ok bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for len(q.next) == 0 && q.out > 0 && !q.stopped {
		q.changed.Wait() // a shard that is out may fail
	}
	if len(q.next) == 0 || q.stopped {
		return 0, false
	}
	shard, q.next = q.next[0], q.next[1:]
	q.out++
	return shard, true
}

// done says that a shard is finished.
func (q *queue) done() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.out--
	q.changed.Broadcast()
}

// failed gives a shard back. It is false if it was tried often enough.
func (q *queue) failed(shard int) (again bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.out--
	q.changed.Broadcast()
	if q.tries[shard]++; q.tries[shard] >= Attempts {
		return false
	}
	q.next = append(q.next, shard)
	return true
}

func (q *queue) stop() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.stopped = true
	q.changed.Broadcast()
}

// localWorker keeps one process going.
type localWorker struct {
	Local
	n      int
	queue  *queue
	report func(Event)
	unborn int // processes in a row that were killed before they were ready
}

// run starts processes until there are no shards left.
func (w *localWorker) run(ctx context.Context) error {
	for {
		shard, ok := w.queue.take()
		if !ok {
			return nil
		}
		if err := w.process(ctx, shard); err != nil {
			return err
		}
	}
}

// process starts a process and gives it shards, the first of which is given, until it dies
// or there are no more. Its error is one that the next process would have too.
func (w *localWorker) process(ctx context.Context, shard int) error {
	p, err := startProcess(w.Command(w.n), func(line string) {
		if w.Log != nil {
			w.Log(w.n, line)
		}
	})
	if err != nil {
		return fmt.Errorf("starting a worker: %w", err)
	}
	stop := context.AfterFunc(ctx, p.stop)
	defer stop()
	if !p.ready() {
		err := p.end()
		if ctx.Err() != nil {
			return nil
		}
		if w.unborn++; w.unborn == Attempts || !killed(err) {
			return fmt.Errorf("a worker can't begin: %w", err)
		}
		w.failed(shard, err)
		return nil
	}
	w.unborn = 0
	for ok := true; ok; shard, ok = w.queue.take() {
		if err := w.shard(p, shard); err != nil { // the process is gone
			if ended := p.end(); ended != nil {
				err = ended
			}
			if ctx.Err() == nil {
				w.failed(shard, err)
			} else {
				w.queue.done()
			}
			return nil
		}
	}
	_ = p.end() // nothing is left to do, so how it ends doesn't matter
	return nil
}

// shard has a process work on a shard and reports what it says. The error is that the
// process didn't answer.
func (w *localWorker) shard(p *process, shard int) error {
	if _, err := fmt.Fprintln(p.in, shard); err != nil {
		return err
	}
	for {
		r, err := p.reply()
		if err != nil {
			return err
		}
		switch {
		case r.Shard != shard:
			return fmt.Errorf("worker %d answered for shard %d, not %d", w.n, r.Shard, shard)
		case r.Error != "":
			w.failed(shard, errors.New(r.Error))
			return nil
		case r.Receipt != nil:
			w.queue.done()
			w.report(Event{Shard: shard, Receipt: r.Receipt})
			return nil
		}
		w.report(Event{Shard: shard, Rows: r.Rows, Bad: r.Bad})
	}
}

// failed gives a shard back and reports it.
func (w *localWorker) failed(shard int, err error) {
	again := w.queue.failed(shard)
	w.report(Event{Shard: shard, Err: err, Last: !again})
}

// killed says whether a process ended by a signal.
func killed(err error) bool {
	var exit *exec.ExitError
	if !errors.As(err, &exit) {
		return false
	}
	status, ok := exit.Sys().(syscall.WaitStatus)
	return ok && status.Signaled()
}

// process is a running worker.
type process struct {
	cmd    *exec.Cmd
	in     io.WriteCloser
	out    *bufio.Scanner
	logged chan struct{} // closed when standard error has ended
	last   string        // its last line
}

// maxLine bounds a line of a worker.
const maxLine = 1 << 20

func startProcess(cmd *exec.Cmd, log func(string)) (*process, error) {
	p := &process{cmd: cmd, logged: make(chan struct{})}
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	text, err := cmd.StderrPipe()
	if err != nil {
		return nil, err
	}
	if err := child.Start(cmd); err != nil {
		return nil, err
	}
	p.in, p.out = in, bufio.NewScanner(out)
	p.out.Buffer(nil, maxLine)
	go func() {
		defer close(p.logged)
		lines := bufio.NewReaderSize(text, 4096)
		for {
			line, _, err := lines.ReadLine()
			if err != nil {
				return
			}
			p.last = string(line)
			log(p.last)
		}
	}()
	return p, nil
}

// reply reads the next line of a worker.
func (p *process) reply() (r Reply, err error) {
	if !p.out.Scan() {
		if err := p.out.Err(); err != nil {
			return r, err
		}
		return r, io.ErrUnexpectedEOF
	}
	if err := json.Unmarshal(p.out.Bytes(), &r); err != nil {
		return r, fmt.Errorf("a worker answered %.100q: %w", p.out.Text(), err)
	}
	return r, nil
}

func (p *process) ready() bool {
	r, err := p.reply()
	return err == nil && r.Ready
}

// stop asks the process to end.
func (p *process) stop() { _ = p.cmd.Process.Signal(syscall.SIGTERM) } // it may have ended

// end closes the process's input, after which it ends, and waits for it. The error says how
// it ended, and the last line that it wrote.
func (p *process) end() error {
	_ = p.in.Close() // it may have ended
	late := time.AfterFunc(grace, func() { _ = p.cmd.Process.Kill() })
	defer late.Stop()
	for p.out.Scan() { // nothing that it still says matters
	}
	<-p.logged
	err := p.cmd.Wait()
	if err != nil && p.last != "" {
		return fmt.Errorf("%w: %s", err, strings.TrimPrefix(p.last, "gaze: "))
	}
	return err
}
