package kernel

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"time"

	"gaze/internal/jupyter"
	"gaze/internal/trace"
)

// executeRequest is the content of an execute_request.
type executeRequest struct {
	Code            string         `json:"code"`
	Silent          bool           `json:"silent"`
	StoreHistory    *bool          `json:"store_history"`
	UserExpressions map[string]any `json:"user_expressions"`
	AllowStdin      bool           `json:"allow_stdin"`
	StopOnError     *bool          `json:"stop_on_error"`
}

// queued is an execute_request that waits.
type queued struct {
	channel  jupyter.Channel
	request  *jupyter.Message
	received time.Time
}

// queue has the execute_requests that wait.
type queue struct {
	mu     sync.Mutex
	more   sync.Cond
	list   []queued
	closed bool
}

func (q *queue) init() { q.more.L = &q.mu }

func (q *queue) add(channel jupyter.Channel, m *jupyter.Message) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.list = append(q.list, queued{channel, m, time.Now()})
	q.more.Signal()
}

// next waits for a request; ok is false when the queue was closed.
func (q *queue) next() (r queued, ok bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for len(q.list) == 0 && !q.closed {
		q.more.Wait()
	}
	if q.closed {
		return queued{}, false
	}
	r, q.list = q.list[0], q.list[1:]
	return r, true
}

// take empties the queue.
func (q *queue) take() []queued {
	q.mu.Lock()
	defer q.mu.Unlock()
	list := q.list
	q.list = nil
	return list
}

func (q *queue) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	q.more.Broadcast()
}

// runCells runs one request after another.
func (k *Kernel) runCells() {
	k.gonbNow() // it starts while the user reads
	for {
		r, ok := k.queue.next()
		if !ok {
			return
		}
		k.runCell(r)
	}
}

// errorPause is how long after its request a failed cell is answered at the soonest. Front
// ends send all cells of a notebook at once, and those that come behind one that fails at
// once must find that they are aborted.
const errorPause = 50 * time.Millisecond

// runCell runs a cell and answers its request. After a failure, what waits is aborted.
func (k *Kernel) runCell(r queued) {
	started := time.Now()
	m := r.request
	c := &cell{k: k, request: m, channel: r.channel, since: ticks(), done: make(chan struct{}), stop: make(chan struct{})}
	if err := json.Unmarshal(m.Content, &c.content); err != nil {
		k.Publish(m, "status", state("busy"), nil)
		k.reply(c, started, &failure{name: "BadRequest", value: err.Error()})
		k.Publish(m, "status", state("idle"), nil)
		return
	}
	if !c.content.Silent && (c.content.StoreHistory == nil || *c.content.StoreHistory) {
		k.count++
	}
	c.count = k.count
	c.code = read(c.content.Code)
	trace.EndedAt(r.received, trace.Received)
	trace.EndedAt(started, "waited for the cells before")
	k.mu.Lock()
	k.cell = c
	k.mu.Unlock()
	k.Publish(m, "status", state("busy"), nil)
	if !c.content.Silent {
		k.Publish(m, "execute_input", map[string]any{"code": c.content.Code, "execution_count": c.count}, nil)
	}
	if k.Comms != nil {
		k.Comms.Begin(m)
	}

	failed := k.runCode(c)

	c.close()
	k.mu.Lock()
	k.cell, k.input = nil, nil
	k.mu.Unlock()
	k.out.end(m)
	if failed != nil {
		k.Publish(m, "error", failed.content(), nil)
		time.Sleep(errorPause - time.Since(r.received))
	}
	var waiting []queued
	if failed != nil && !c.content.Silent && (c.content.StopOnError == nil || *c.content.StopOnError) {
		waiting = k.queue.take()
	}
	k.reply(c, started, failed)
	k.Publish(m, "status", state("idle"), nil)
	trace.Ended(trace.Answered)
	if k.Completer != nil {
		k.Completer.Observe(c.content.Code, c.kept)
	}
	for _, r := range waiting {
		k.abort(r)
	}
}

// reply answers an execute_request.
func (k *Kernel) reply(c *cell, started time.Time, failed *failure) {
	content := map[string]any{"status": "ok", "payload": []any{}}
	if failed != nil {
		content = failed.content()
		content["status"] = "error"
	}
	content["execution_count"] = c.count
	expressions := map[string]any{}
	for name := range c.content.UserExpressions {
		expressions[name] = map[string]any{"status": "error", "ename": "NotSupported", "evalue": "Go has no expressions outside of a program", "traceback": []string{}}
	}
	content["user_expressions"] = expressions
	metadata := map[string]any{"started": started.UTC().Format("2006-01-02T15:04:05.000000Z"), "status": content["status"], "dependencies_met": true, "engine": ""}
	if err := k.server.Reply(c.channel, c.request, "execute_reply", content, metadata); err != nil {
		k.logf("%v", err)
	}
}

// abort answers a request that isn't run because a cell before it failed.
func (k *Kernel) abort(r queued) {
	k.Publish(r.request, "status", state("busy"), nil)
	k.server.Reply(r.channel, r.request, "execute_reply", map[string]any{"status": "aborted"}, map[string]any{"status": "aborted"})
	k.Publish(r.request, "status", state("idle"), nil)
}

// runCode runs a cell's code, and returns why it failed, or nil.
func (k *Kernel) runCode(c *cell) *failure {
	if problems := c.code.problems; len(problems) > 0 {
		for i := range problems {
			if p := &problems[i]; p.text == "" && p.line < len(c.code.lines) {
				p.text = c.code.lines[p.line]
			}
		}
		return problemsFailure("syntax error", problems)
	}
	if c.code.kind == empty {
		return nil
	}
	for _, line := range c.code.again {
		c.Stderr([]byte(fmt.Sprintf("Line %d: a second %%%% in a cell; its lines continue those of the first.\n", line+1)))
	}
	g, failed := k.awaitGoNB(c)
	if failed != nil {
		return failed
	}
	trace.Ended("read by the kernel")
	f, err := g.forward(c.request, c, jupyter.Shell, "execute_request", map[string]any{
		"code": c.code.forGoNB(), "silent": false, "store_history": true, "user_expressions": map[string]any{},
		"allow_stdin": c.content.AllowStdin, "stop_on_error": false,
	}, nil)
	if err != nil {
		return plainFailure("kernel error", err.Error())
	}
	var reply *jupyter.Message
	for idle := f.idle; reply == nil || idle != nil; {
		select {
		case reply = <-f.reply:
		case <-idle:
			idle = nil
		case <-g.dead:
			return k.died(c, g)
		}
	}
	trace.Ended("answered by GoNB")
	return k.judge(c, g, reply)
}

// gonbNow returns the GoNB that runs, or starts one. It says whether declarations of
// earlier cells are lost by that.
func (k *Kernel) gonbNow() (g *gonb, lost bool) {
	if g := k.running(); g != nil {
		return g, false
	}
	k.mu.Lock()
	lost = k.gonb != nil && k.places.cells > 0
	k.mu.Unlock()
	g = k.startGoNB()
	k.mu.Lock()
	k.gonb = g
	k.mu.Unlock()
	if lost {
		k.forget()
	}
	return g, lost
}

// forget notes that all declarations are gone.
func (k *Kernel) forget() {
	k.places, k.restarted = &places{}, true
	if k.Completer != nil {
		k.Completer.Forget()
	}
}

// awaitGoNB returns a GoNB that is ready.
func (k *Kernel) awaitGoNB(c *cell) (*gonb, *failure) {
	g, lost := k.gonbNow()
	if lost {
		c.Stderr([]byte("The Go process was started again, so what earlier cells declared is gone: run the cells above.\n"))
	}
	select {
	case <-g.ready:
		return g, nil
	case <-g.dead:
		return nil, plainFailure("kernel error", strings.TrimSuffix(fmt.Sprintf("GoNB doesn't run: %v: %s", g.err, g.lastTrouble()), ": "), "The kernel's log says more.")
	case <-c.stop:
		return nil, c.interruption("")
	}
}

// died is the failure of a cell during which GoNB ended.
func (k *Kernel) died(c *cell, g *gonb) *failure {
	had := k.places.cells > 0
	k.forget()
	c.release()
	gone := "What earlier cells declared is gone: run the cells above."
	if !had {
		gone = ""
	}
	if c.wasInterrupted() {
		f := c.interruption("it didn't end, so the Go process was ended")
		f.traceback = append(f.traceback, gone)
		return f
	}
	return plainFailure("kernel error", fmt.Sprintf("the Go process ended: %v", g.err), gone)
}

// judge decides how a cell ended that GoNB has run.
func (k *Kernel) judge(c *cell, g *gonb, reply *jupyter.Message) *failure {
	var content struct{ Status, EName, EValue string }
	json.Unmarshal(reply.Content, &content)
	k.noteCommands(c) // they were run before the rest
	if content.Status != "error" {
		c.kept = true
		if c.code.kind == goCode {
			k.places = k.places.with(c.code, c.count)
			k.restarted = false
		}
		return c.outcome(g.mainGo())
	}
	c.release()
	if c.wasInterrupted() {
		return c.interruption("")
	}
	message := strings.TrimPrefix(cleanPaths(strings.TrimSpace(content.EValue)), "executing special commands in cell: ")
	if c.code.kind != goCode {
		return plainFailure("error", message)
	}
	attempt := k.places.with(c.code, c.count)
	problems := compilerProblems(content.EValue, g.mainGo(), attempt, c.count)
	if len(problems) == 0 {
		return plainFailure("error", message)
	}
	advise(problems, attempt, k.restarted)
	return problemsFailure("compile error", problems)
}

// noteCommands keeps what is known of declarations in step with %rm and %reset.
func (k *Kernel) noteCommands(c *cell) {
	for i, line := range c.code.lines {
		if c.code.special == nil || !c.code.special[i] {
			continue
		}
		words := strings.Fields(command(line))
		switch {
		case len(words) == 1 && words[0] == "%reset":
			cells := k.places.cells
			k.places = &places{cells: cells}
		case len(words) > 1 && (words[0] == "%rm" || words[0] == "%remove"):
			for _, name := range words[1:] {
				k.places.remove(name)
			}
		}
	}
}
