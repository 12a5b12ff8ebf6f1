package kernel

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"time"

	"gaze/internal/jupyter"
)

const (
	sigKill = syscall.SIGKILL

	interruptLimit = time.Second     // what hasn't ended after it is killed
	giveUpLimit    = 3 * time.Second // GoNB itself is killed
	maxHeld        = 1 << 20
	maxTail        = 8 << 10
)

// cell is an execute_request that is being run. It implements [Cell].
type cell struct {
	k       *Kernel
	request *jupyter.Message
	channel jupyter.Channel
	content executeRequest
	code    *code
	count   int
	kept    bool           // it compiled, and GoNB kept its declarations
	since   uint64         // when it began, in ticks
	done    chan struct{}  // closed when it has ended
	enders  sync.WaitGroup // the goroutine that interrupts it; the next cell waits for it
	stop    chan struct{}  // closed when it was interrupted

	printing  sync.Mutex // guards what follows; may be held while clients are slow
	tail      []byte     // the end of stderr
	held      []byte     // the beginning of what may be the report of a crash
	shown     []byte     // held text that was shown after all
	timer     *time.Timer
	lineBegun bool // stderr doesn't stand at the beginning of a line

	mu          sync.Mutex // guards what follows
	program     Program
	ended       *Status // how its program ended, if that was said
	last        string  // GoNB's line about a program's end, if nothing was printed after it
	over        bool    // it has ended, so that it can't be interrupted any more
	interrupted bool
	again       bool // interrupted a second time
	saving      int  // connections that announce that the program saves
	told        bool // savingNote was shown
	deadline    time.Time
	dropping    bool // output, see drops
	dropped     int
	lastText    []byte
	reason      string // why the kernel itself has interrupted it
}

// Message, Count, Stdout and the others implement [Cell].
func (c *cell) Message() *jupyter.Message { return c.request }

func (c *cell) Count() int { return c.count }

func (c *cell) Stdout(p []byte) { c.k.out.print(c.request, "stdout", p) }

func (c *cell) Publish(msgType string, content, metadata any, buffers ...[]byte) error {
	return c.k.out.message(c.request, msgType, content, metadata, buffers...)
}

func (c *cell) Started(p Program) {
	c.mu.Lock()
	c.program = p
	interrupted := c.interrupted
	c.mu.Unlock()
	if interrupted {
		p.Interrupt()
	}
}

func (c *cell) Ended(status Status) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ended = &status
	c.program = nil
}

// crashBegins matches the beginnings of lines with which the report of a crash begins: the
// runtime's, and that of notebook.Check.
var crashBegins = regexp.MustCompile(`(?m)^(?:panic: |fatal error: |runtime: |SIGQUIT: |unexpected fault address |error: )`)

// Stderr prints text. What may be the report of a crash is held back until it's known how
// the program ends: then it is part of the traceback.
func (c *cell) Stderr(p []byte) {
	c.printing.Lock()
	defer c.printing.Unlock()
	if len(p) == 0 {
		return
	}
	c.tail = append(c.tail, p...)
	if n := len(c.tail); n > 2*maxTail {
		c.tail = append([]byte(nil), c.tail[n-maxTail:]...)
	}
	if c.held != nil {
		c.held = append(c.held, p...)
		c.timer.Reset(patienceFor(c.held))
		if len(c.held) > maxHeld {
			c.releaseLocked()
		}
	} else if at := c.crashBegin(p); at >= 0 {
		c.stderr(p[:at])
		c.held = append([]byte{}, p[at:]...)
		c.timer = time.AfterFunc(patienceFor(c.held), c.release)
	} else {
		c.stderr(p)
	}
	c.lineBegun = p[len(p)-1] != '\n'
}

// patienceFor returns after which time without more output a program that has printed
// text goes on, so that the text is no crash's. The runtime may take seconds for the report
// of an endless recursion, while lines that begin with "error: " may be a log's.
func patienceFor(text []byte) time.Duration {
	switch {
	case bytes.HasPrefix(text, []byte("error: ")):
		return 500 * time.Millisecond
	case bytes.HasPrefix(text, []byte("panic: ")):
		return 2 * time.Second
	}
	return 20 * time.Second
}

// crashBegin returns where in text the report of a crash may begin, or -1.
func (c *cell) crashBegin(p []byte) int {
	for _, at := range crashBegins.FindAllIndex(p, -1) {
		if at[0] > 0 || !c.lineBegun {
			return at[0]
		}
	}
	return -1
}

func (c *cell) stderr(p []byte) { c.k.out.print(c.request, "stderr", p) }

// release shows text that was held back, since the program goes on.
func (c *cell) release() {
	c.printing.Lock()
	defer c.printing.Unlock()
	c.releaseLocked()
}

func (c *cell) releaseLocked() {
	if c.held == nil {
		return
	}
	c.timer.Stop()
	c.shown, c.held = c.held, nil
	c.stderr(c.shown)
}

// programEnd matches what GoNB prints when a program fails.
var programEnd = regexp.MustCompile(`^(?:\^C\n)?((?:exit status \d+|signal: [^\n]+))\n$`)

// gonbPrinted prints text that GoNB published. Its line about the end of a program is kept,
// since it may be how the cell ends.
func (c *cell) gonbPrinted(m *jupyter.Message) {
	var content struct{ Name, Text string }
	json.Unmarshal(m.Content, &content)
	c.mu.Lock()
	last := c.last
	c.last = ""
	isEnd := content.Name == "stderr" && programEnd.MatchString(content.Text)
	if isEnd {
		c.last = content.Text
	}
	c.mu.Unlock()
	if last != "" { // the end of another program before
		c.Stderr([]byte(last))
	}
	if isEnd || c.drops(content.Text) {
		return
	}
	if content.Name == "stderr" {
		c.Stderr([]byte(content.Text))
	} else {
		c.Stdout([]byte(content.Text))
	}
}

// drops says whether text isn't shown any more: after an interruption, GoNB may still have
// many megabytes of it. Its end is kept.
func (c *cell) drops(text string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.interrupted && c.k.out.crowded() {
		c.dropping = true
	}
	if c.dropping {
		c.dropped += len(text)
		c.lastText = append(c.lastText, text...)
		if n := len(c.lastText); n > 2*maxTail {
			c.lastText = append([]byte(nil), c.lastText[n-maxTail:]...)
		}
	}
	return c.dropping
}

// showDropped shows the end of what was dropped.
func (c *cell) showDropped() {
	if n := c.dropped - len(c.lastText); n > 0 {
		c.Stdout([]byte(fmt.Sprintf("\n… %d bytes more were printed before the cell ended …\n", n)))
	}
	c.Stdout(c.lastText)
}

// status returns how the cell's program ended, from what was said or from GoNB's line.
func (c *cell) status() (Status, string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ended != nil {
		if s, ok := c.ended.Signal.(syscall.Signal); ok {
			return *c.ended, "signal: " + s.String()
		}
		return *c.ended, fmt.Sprintf("exit status %d", c.ended.Code)
	}
	if match := programEnd.FindStringSubmatch(c.last); match != nil {
		s := Status{Code: 1}
		if name, ok := strings.CutPrefix(match[1], "signal: "); ok {
			s.Signal = namedSignal(name)
		}
		fmt.Sscanf(match[1], "exit status %d", &s.Code)
		return s, match[1]
	}
	return Status{}, ""
}

// namedSignal is a signal of which only the name is known.
type namedSignal string

func (namedSignal) Signal()          {}
func (s namedSignal) String() string { return string(s) }

var _ os.Signal = namedSignal("")

// outcome says why the cell failed, or nil. compiled says that its program ran.
func (c *cell) outcome(mainGo string) *failure {
	s, end := c.status()
	failed := s.Signal != nil || s.Code != 0
	if c.code.kind == other && !c.wasInterrupted() { // a failing ! command is no failing cell
		if c.last != "" {
			c.Stderr([]byte(c.last))
		}
		failed = false
	}
	if !failed {
		c.release()
		return nil
	}
	c.printing.Lock()
	held, wasShown := c.held, c.held == nil && c.shown != nil
	if wasShown {
		held = c.shown
	}
	c.held = nil
	if c.timer != nil {
		c.timer.Stop()
	}
	tail := string(c.tail)
	c.printing.Unlock()

	if crashed, ok := readCrash(string(held)); ok && !c.wasInterrupted() {
		if before := beforeCrash(string(held)); before != "" && !wasShown {
			c.stderr([]byte(before))
		}
		return crashFailure(crashed, mainGo, c.k.places, c.count, c.k.config.Root)
	}
	message, isError := strings.CutPrefix(string(held), "error: ")
	message = strings.TrimSpace(nameLines(message, mainGo, c.k.places))
	switch {
	case c.wasInterrupted():
		if isError && !wasShown { // the reason, which is shown once
			return c.interruption(firstLine(message))
		}
		if len(held) > 0 && !wasShown {
			c.stderr(held)
		}
		return c.interruption(lastLine(tail))
	case isError:
		f := plainFailure("error", firstLine(message))
		f.traceback = []string{bold + "error: " + message + reset}
		return f
	}
	if len(held) > 0 && !wasShown {
		c.stderr(held)
	}
	message = lastLine(nameLines(tail, mainGo, c.k.places))
	if c.code.test && message == "" {
		message = "a test failed"
	}
	if end == "signal: killed" {
		message = "the program was killed; if nobody did that, memory was short"
	}
	f := plainFailure(end, message)
	if message == "" {
		f.value = "the program ended with " + end
	}
	return f
}

// beforeCrash returns what stands before the report of a crash.
func beforeCrash(text string) string {
	for _, at := range crashBegins.FindAllStringIndex(text, -1) {
		if !strings.HasPrefix(text[at[0]:], "error: ") {
			return text[:at[0]]
		}
	}
	return ""
}

// interruption is the failure of an interrupted cell.
func (c *cell) interruption(message string) *failure {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.reason != "" {
		message = c.reason
	}
	if message == "" {
		message = "the cell was interrupted"
	}
	return plainFailure("interrupted", message)
}

func (c *cell) wasInterrupted() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.interrupted
}

// interrupt ends what the cell runs. What announces that it saves may do so, until a
// second interruption.
func (c *cell) interrupt(reason string) {
	defer c.tellSaving()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.over {
		return
	}
	if c.interrupted {
		c.again = true
		return
	}
	c.interrupted, c.reason = true, reason
	c.deadline = time.Now().Add(interruptLimit)
	c.enders.Go(c.end)
}

// end interrupts, then kills, until the cell has ended.
func (c *cell) end() {
	signalled := map[int]bool{}
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	close(c.stop)
	for first := true; ; first = false {
		c.mu.Lock()
		program := c.program
		late := time.Since(c.deadline)
		kill := (late > 0 && c.saving == 0) || c.again
		c.mu.Unlock()
		g := c.k.running()
		switch {
		case program != nil && kill:
			program.Kill()
		case program != nil && first:
			program.Interrupt()
		case program == nil && g != nil && kill:
			signalAll(g.pid, c.since, syscall.SIGKILL, nil)
		case program == nil && g != nil:
			for _, pid := range signalAll(g.pid, c.since, syscall.SIGINT, signalled) {
				signalled[pid] = true
				syscall.Kill(pid, syscall.SIGCONT)
			}
		}
		if kill && g != nil && late > giveUpLimit {
			g.kill()
		}
		select {
		case <-c.done:
			return
		case <-tick.C:
		}
	}
}

// saves counts the connections of programs that save after an interruption.
func (c *cell) saves(n int) {
	c.mu.Lock()
	c.saving += n
	if n < 0 { // it has saved and has some time to end
		c.deadline = time.Now().Add(interruptLimit)
	}
	c.mu.Unlock()
	c.tellSaving()
}

// tellSaving shows, once, that an interrupted program saves.
func (c *cell) tellSaving() {
	c.mu.Lock()
	tell := c.saving > 0 && c.interrupted && !c.told
	c.told = c.told || tell
	c.mu.Unlock()
	if tell {
		c.Stdout([]byte(savingNote))
	}
}

// savingNote is shown when an interrupted program saves, which can take some time.
const savingNote = "Interrupted: the program saves what it has done. A second interruption ends it at once.\n"

// close ends the cell: from now on it can't be interrupted.
func (c *cell) close() {
	c.mu.Lock()
	c.over = true
	c.mu.Unlock()
	close(c.done)
	c.enders.Wait() // or it would interrupt the next cell
	c.showDropped()
}

// askInput passes GoNB's request for input on to the client.
func (c *cell) askInput(g *gonb, m *jupyter.Message) {
	if !c.content.AllowStdin {
		c.interrupt("the program asks for input, which this client doesn't allow")
		return
	}
	c.k.awaitInput(g, m)
	c.k.out.flush()
	c.k.server.Reply(jupyter.Stdin, c.request, "input_request", m.Content, nil)
}
