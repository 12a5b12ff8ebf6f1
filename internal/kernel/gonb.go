package kernel

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"time"

	"gaze/internal/child"
	"gaze/internal/jupyter"
)

// startLimit is how long GoNB may take to start; on a machine with much to do it runs the
// go command for seconds.
const startLimit = 2 * time.Minute

// gonb is a running GoNB.
type gonb struct {
	kernel *Kernel
	pid    int
	client *jupyter.Client
	ready  chan struct{} // closed when it can run cells
	dead   chan struct{} // closed when it has ended; err is why
	err    error

	mu      sync.Mutex
	temp    string // the folder with its main.go; empty until it's known
	trouble trouble
	parents map[string]*forwarded
	order   []string // of the ids in parents, the oldest first
	stopped []int    // processes that are stopped while clients are slow
}

// forwarded is a request that was sent on to GoNB.
type forwarded struct {
	request *jupyter.Message // the client's
	cell    *cell            // for execute requests
	reply   chan *jupyter.Message
	idle    chan struct{}
	isIdle  bool
}

// maxForwarded limits how many requests are remembered: messages for older ones are dropped.
const maxForwarded = 2000

// startGoNB starts a GoNB. It returns at once; see ready and dead.
func (k *Kernel) startGoNB() *gonb {
	g := &gonb{kernel: k, ready: make(chan struct{}), dead: make(chan struct{}), parents: map[string]*forwarded{}}
	k.started++
	folder := filepath.Join(k.folder, fmt.Sprintf("gonb-%d", k.started))
	started := make(chan struct{})
	go func() {
		err := g.run(folder, started)
		g.cleanUp(folder)
		g.err = err
		close(g.dead)
	}()
	<-started
	return g
}

// run runs GoNB until it ends. started is closed when its process is there or never will be.
func (g *gonb) run(folder string, started chan struct{}) error {
	once := sync.OnceFunc(func() { close(started) })
	defer once()
	if err := os.Mkdir(folder, 0o700); err != nil {
		return err
	}
	c := jupyter.Connection{Transport: "ipc", IP: filepath.Join(folder, "s"), Shell: 1, Control: 2, Stdin: 3, IOPub: 4, Heartbeat: 5}
	// GoNB takes the kernel's id for its widgets from the file's name.
	path := filepath.Join(folder, filepath.Base(g.kernel.config.ConnectionFile))
	if err := c.Write(path); err != nil {
		return err
	}
	cmd := exec.Command(g.kernel.config.GoNB, append(g.kernel.config.Arguments, "-raw_error", "--kernel", path)...)
	// Killed programs and a killed GoNB leave files, which go with the kernel's folder.
	temp := filepath.Join(g.kernel.folder, "tmp")
	if err := os.MkdirAll(temp, 0o700); err != nil {
		return err
	}
	cmd.Env = append(os.Environ(), SocketVariable+"="+g.kernel.socketPath(), "TMPDIR="+temp)
	logs, err := cmd.StderrPipe()
	if err != nil {
		return err
	}
	cmd.Stdout = cmd.Stderr
	if err := child.Start(cmd); err != nil {
		return fmt.Errorf("GoNB doesn't start: %w", err)
	}
	g.pid = cmd.Process.Pid
	g.kernel.guard.tell("group", fmt.Sprint(g.pid))
	once()
	go g.connect(c)
	g.log(logs)
	err = cmd.Wait()
	g.kernel.guard.tell("ended", fmt.Sprint(g.pid))
	if err == nil {
		err = fmt.Errorf("exit status 0")
	}
	return err
}

var tempFolder = regexp.MustCompile(`tmp Go code in "([^"]+)"`)

// lastLines is how much of GoNB's log is kept. It has several lines for each cell, and dozens
// for a typing error, so it is shown only when GoNB has ended.
const lastLines = 40

// log reads what GoNB logs, and finds the folder of its main.go in it.
func (g *gonb) log(r io.Reader) {
	lines := bufio.NewReader(r)
	var last []string
	defer func() {
		if g.kernel.config.Log != nil && !g.kernel.isEnding() {
			io.WriteString(g.kernel.config.Log, strings.Join(last, ""))
		}
	}()
	for {
		line, err := lines.ReadString('\n')
		if match := tempFolder.FindStringSubmatch(line); match != nil {
			g.mu.Lock()
			g.temp = match[1]
			g.mu.Unlock()
		}
		g.mu.Lock()
		g.trouble.add(line)
		g.mu.Unlock()
		last = append(last, line)
		last = last[max(0, len(last)-lastLines):]
		if err != nil {
			return
		}
	}
}

// trouble is the last error that GoNB has logged.
type trouble struct {
	text string
	open bool // the lines that follow belong to it
}

var logLine = regexp.MustCompile(`^([IWEF])\d{4} [\d:.]+ +\d+ \S+\] (?:\x1b?\[[\d;]*m|\[\w+\])*\s*(.*)`)

// maxTrouble is after how much text of an error no more lines are taken.
const maxTrouble = 300

// add reads a line of the log. What GoNB says when it gives up follows from the error
// before.
func (t *trouble) add(line string) {
	line = strings.TrimSpace(line)
	switch match := logLine.FindStringSubmatch(line); {
	case match != nil && match[1] == "E":
		t.text, t.open = match[2], true
	case match != nil:
		t.open = false
	case t.open && line != "" && len(t.text) < maxTrouble:
		t.text += " " + line
	}
}

// connect connects to GoNB's sockets and waits until it answers.
func (g *gonb) connect(c jupyter.Connection) {
	ctx, cancel := context.WithTimeout(context.Background(), startLimit)
	defer cancel()
	go func() {
		select {
		case <-g.dead:
			cancel()
		case <-ctx.Done():
		}
	}()
	client, err := jupyter.Dial(ctx, c, g.received, g.published, g.crowded)
	if err != nil {
		g.kernel.logf("%v", err)
		g.kill()
		return
	}
	g.mu.Lock()
	g.client = client
	g.mu.Unlock()
	// Its answer on iopub shows that it also knows of this subscription.
	for {
		f, err := g.forward(nil, nil, jupyter.Shell, "kernel_info_request", nil, nil)
		if err != nil {
			g.kill()
			return
		}
		select {
		case <-f.reply:
		case <-ctx.Done():
			g.kill()
			return
		}
		select {
		case <-f.idle:
			g.neverGet()
			close(g.ready)
			return
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// neverGet tells GoNB not to run "go get" for each cell: cells never use the network.
func (g *gonb) neverGet() {
	f, err := g.forward(nil, nil, jupyter.Shell, "execute_request", map[string]any{"code": "%noautoget", "silent": true, "store_history": false}, nil)
	if err != nil {
		return
	}
	select {
	case <-f.reply:
	case <-g.dead:
	}
}

// forward sends a request to GoNB. Messages that answer it get the client's as parent.
func (g *gonb) forward(request *jupyter.Message, c *cell, channel jupyter.Channel, msgType string, content, metadata any, buffers ...[]byte) (*forwarded, error) {
	f := &forwarded{request: request, cell: c, reply: make(chan *jupyter.Message, 1), idle: make(chan struct{})}
	g.mu.Lock() // answers wait until it's known what they belong to
	defer g.mu.Unlock()
	if g.client == nil {
		return nil, fmt.Errorf("GoNB isn't there")
	}
	m, err := g.client.Send(channel, msgType, content, metadata, buffers...)
	if err != nil {
		return nil, err
	}
	g.parents[m.Header.ID] = f
	g.order = append(g.order, m.Header.ID)
	if len(g.order) > maxForwarded {
		delete(g.parents, g.order[0])
		g.order = g.order[1:]
	}
	return f, nil
}

func (g *gonb) find(m *jupyter.Message) *forwarded {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.parents[m.Parent.ID]
}

// received handles a message from one of GoNB's channels.
func (g *gonb) received(channel jupyter.Channel, m *jupyter.Message) {
	f := g.find(m)
	if f == nil {
		return
	}
	if m.Header.Type == "input_request" {
		if f.cell != nil {
			f.cell.askInput(g, m)
		}
		return
	}
	select {
	case f.reply <- m:
	default:
	}
}

// published handles a message from GoNB's iopub.
func (g *gonb) published(m *jupyter.Message) {
	f := g.find(m)
	if f == nil {
		return
	}
	switch m.Header.Type {
	case "status":
		var content struct {
			State string `json:"execution_state"`
		}
		json.Unmarshal(m.Content, &content)
		if content.State == "idle" && !f.isIdle {
			f.isIdle = true
			close(f.idle)
		}
	case "execute_input", "error": // the kernel's own
	case "stream":
		if f.cell != nil {
			f.cell.gonbPrinted(m)
		}
	default:
		if f.request != nil {
			g.kernel.Publish(f.request, m.Header.Type, m.Content, m.Metadata, m.Buffers...)
		}
	}
}

// crowded stops what GoNB has started while a lot of its output waits, and lets it go on
// afterwards. Otherwise a program that prints faster than clients read would fill GoNB's
// memory, which has no limit, and the kernel's.
func (g *gonb) crowded(crowd bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if crowd {
		g.stopped = append(g.stopped, signalAll(g.pid, 0, syscall.SIGSTOP, nil)...)
		return
	}
	for _, pid := range g.stopped {
		syscall.Kill(pid, syscall.SIGCONT)
	}
	g.stopped = nil
}

// lastTrouble returns the last error that GoNB has logged.
func (g *gonb) lastTrouble() string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return cleanPaths(g.trouble.text)
}

// mainGo returns the text of the main.go that GoNB has made last.
func (g *gonb) mainGo() string {
	g.mu.Lock()
	temp := g.temp
	g.mu.Unlock()
	for _, name := range []string{"main.go", "main_test.go"} {
		if data, err := os.ReadFile(filepath.Join(temp, name)); err == nil && temp != "" {
			return string(data)
		}
	}
	return ""
}

// kill ends GoNB and what it has started.
func (g *gonb) kill() {
	if g.pid > 0 {
		signalAll(g.pid, 0, sigKill, nil)
		killGroup(g.pid)
	}
}

// cleanUp removes what an ended GoNB has left.
func (g *gonb) cleanUp(folder string) {
	g.mu.Lock()
	if g.client != nil {
		g.client.Close()
	}
	temp := g.temp
	g.mu.Unlock()
	os.RemoveAll(folder)
	if strings.HasPrefix(filepath.Base(temp), "gonb_") {
		killInheritors("GONB_TMP_DIR", temp) // its gopls
		os.RemoveAll(temp)
	}
}
