package cells

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"gaze/internal/cells/client"
	"gaze/internal/jupyter"
	"gaze/internal/kernel"
)

// fakeKernel is the kernel of one cell, and notes what the cell shows.
type fakeKernel struct {
	folder string
	mu     sync.Mutex
	shown  []string
	ended  []kernel.Status
	proc   chan kernel.Program
	slow   time.Duration // how long clients take for a piece of output
}

func (k *fakeKernel) Handle(string, func(json.RawMessage, *kernel.Conn))          {}
func (k *fakeKernel) Running() kernel.Cell                                        { return fakeCell{k} }
func (k *fakeKernel) Folder() string                                              { return k.folder }
func (k *fakeKernel) Publish(*jupyter.Message, string, any, any, ...[]byte) error { return nil }

// fakeCell is the cell that the kernel runs.
type fakeCell struct{ *fakeKernel }

func (k *fakeKernel) Message() *jupyter.Message { return &jupyter.Message{} }
func (k *fakeKernel) Count() int                { return 1 }
func (k *fakeKernel) Started(p kernel.Program)  { k.proc <- p }

func (k *fakeKernel) Ended(s kernel.Status) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.ended = append(k.ended, s)
}

func (k *fakeKernel) note(text string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if n := len(k.shown); n > 0 && text[3] == ':' && strings.HasPrefix(k.shown[n-1], text[:4]) {
		k.shown[n-1] += text[4:]
		return
	}
	k.shown = append(k.shown, text)
}

func (k *fakeKernel) Stdout(p []byte) {
	time.Sleep(k.slow)
	k.note("out:" + string(p))
}
func (k *fakeKernel) Stderr(p []byte) { k.note("err:" + string(p)) }

func (k fakeCell) Publish(kind string, content, _ any, _ ...[]byte) error {
	c := content.(map[string]any)
	k.note(fmt.Sprint(kind, ":", c["data"], c["transient"]))
	return nil
}

// runCell builds and runs a cell. act is called when it has started.
func runCell(t *testing.T, r *Runner, k *fakeKernel, source, input string, act func(kernel.Program)) client.Answer {
	t.Helper()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "main.go"), source)
	k.proc, k.shown, k.ended = make(chan kernel.Program, 1), nil, nil
	q := client.Request{Do: "go", Args: []string{"build", "-o", filepath.Join(dir, "gonb_1")}, Dir: dir, Env: r.builder.tools.env}
	if a := r.build(q); a.Code != 0 {
		t.Fatal(a.Output)
	}
	pair, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	var conns [2]*net.UnixConn
	for i, fd := range pair {
		f := os.NewFile(uintptr(fd), "pair")
		c, err := net.FileConn(f)
		f.Close()
		if err != nil {
			t.Fatal(err)
		}
		conns[i] = c.(*net.UnixConn)
		defer c.Close()
	}
	conns[1].Write([]byte(input))
	if act != nil {
		go func() { act(<-k.proc) }()
	}
	answer := make(chan client.Answer, 1)
	go func() {
		answer <- r.run(client.Request{Do: "run", Path: q.Args[2], Dir: dir, Env: q.Env, Args: []string{"one", "two"}}, &kernel.Conn{UnixConn: conns[0], Reader: bufio.NewReader(conns[0])})
	}()
	select {
	case a := <-answer:
		return a
	case <-time.After(time.Minute):
		t.Fatal("the cell doesn't end")
		return client.Answer{}
	}
}

func runner(t *testing.T) (*Runner, *fakeKernel) {
	b := builder(t)
	k := &fakeKernel{folder: t.TempDir()}
	r := NewRunner(k, b, "/bin/false", "go", b.tools.env, t.Logf)
	t.Cleanup(func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		if r.waiting != nil {
			r.waiting.Kill()
			<-r.waiting.done
		}
	})
	return r, k
}

func TestOutputKeepsItsOrder(t *testing.T) {
	r, k := runner(t)
	const source = `package main

import (
	"fmt"
	"os"

	"gaze/pkg/notebook"
)

func main() {
	for i := range 50 {
		fmt.Println("before", i)
		notebook.Show(notebook.Text(fmt.Sprint("shown ", i)))
	}
	fmt.Println(os.Args[1:], os.Getenv("GONB_PIPE") != "")
}
`
	for _, how := range []string{"new host", "waiting host"} {
		if a := runCell(t, r, k, source, "", nil); a.Code != 0 {
			t.Fatalf("%s: %+v %v", how, a, k.shown)
		}
		var want []string
		for i := range 50 {
			want = append(want, fmt.Sprintf("out:before %d\n", i), fmt.Sprintf("display_data:map[text/markdown:shown %d text/plain:shown %d] map[]", i, i))
		}
		want = append(want, "out:[one two] true\n")
		if got := strings.Join(k.shown, "|"); got != strings.Join(want, "|") {
			t.Errorf("%s: %s", how, got)
		}
		r.prepare()
	}
}

func TestEndsOfCells(t *testing.T) {
	r, k := runner(t)
	for _, test := range []struct {
		name, body, input string
		act               func(kernel.Program)
		code              int
		signal            syscall.Signal
		shown             string
	}{
		{name: "returns", body: `fmt.Print("done")`, shown: "out:done"},
		{name: "exit", body: `os.Exit(7)`, code: 7},
		{name: "panic", body: `panic("no")`, code: 2, shown: "err:panic: no"},
		{name: "reads", body: `var s string; fmt.Scanln(&s); fmt.Print("read ", s)`, input: "typed\n", shown: "out:read typed"},
		{name: "deadlock or sleep", body: `time.Sleep(time.Hour)`, act: func(p kernel.Program) { time.Sleep(300 * time.Millisecond); p.Interrupt() }, code: 130, signal: syscall.SIGINT},
		{name: "killed", body: `for { _ = os.Args }`, act: func(p kernel.Program) { p.Kill() }, code: 137, signal: syscall.SIGKILL},
		{name: "leaves a child with its output", body: `c := exec.Command("sleep", "5"); c.Stdout = os.Stdout; c.Start(); fmt.Print("parent ends")`, shown: "out:parent ends"},
		{name: "much output", body: `for range 3000 { fmt.Println(strings.Repeat("x", 1000)) }`, shown: "out:" + strings.Repeat(strings.Repeat("x", 1000)+"\n", 3000)},
	} {
		source := "package main\n\nimport (\n\"fmt\"\n\"os\"\n\"os/exec\"\n\"strings\"\n\"time\"\n)\n\nvar _ = []any{fmt.Sprint, os.Exit, exec.Command, strings.Repeat, time.Sleep}\n\nfunc main() {\n" + test.body + "\n}\n"
		start := time.Now()
		a := runCell(t, r, k, source, test.input, test.act)
		if a.Code != test.code || syscall.Signal(a.Signal) != test.signal {
			t.Errorf("%s: %+v", test.name, a)
		}
		if len(k.ended) != 1 || k.ended[0].Code != test.code {
			t.Errorf("%s: the kernel was told %+v", test.name, k.ended)
		}
		if got := strings.Join(k.shown, ""); !strings.HasPrefix(got, test.shown) {
			t.Errorf("%s: it showed %.200s", test.name, got)
		}
		if d := time.Since(start); d > 20*time.Second {
			t.Errorf("%s: it took %v", test.name, d)
		}
	}
}

// What a program wrote before its end is shown, however long clients take for it.
func TestSlowClientsGetAll(t *testing.T) {
	r, k := runner(t)
	k.slow = 2 * lastWords
	text := strings.Repeat(strings.Repeat("x", 1000)+"\n", 150)
	a := runCell(t, r, k, "package main\n\nimport \"os\"\n\nvar text = "+strconv.Quote(text)+"\n\nfunc main() { os.Stdout.WriteString(text) }\n", "", nil)
	if got := strings.Join(k.shown, ""); a.Code != 0 || got != "out:"+text {
		t.Errorf("%+v: %d bytes of %d", a, len(got), len("out:"+text))
	}
}

// A host that waits since before a package was changed runs the old code, so it gets no
// cell that was built for a new host.
func TestWaitingHostsGrowOld(t *testing.T) {
	r, k := runner(t)
	r.prepare()
	r.mu.Lock()
	old := r.waiting
	old.host.sources = "before the change"
	r.mu.Unlock()
	a := runCell(t, r, k, "package main\n\nfunc main() { print(1) }\n", "", nil)
	if a.Code != 0 || strings.Join(k.shown, "") != "err:1" {
		t.Errorf("%+v %q", a, k.shown)
	}
	select {
	case <-old.done:
	case <-time.After(10 * time.Second):
		t.Error("the old host still waits, or has run the cell")
	}
	if s := old.state; s == nil || s.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
		t.Errorf("the old host ended by %v", s)
	}
}

// A cell whose host has disappeared, for instance since another kernel is replacing it, is
// built by the go command.
func TestHostsMayDisappear(t *testing.T) {
	r, k := runner(t)
	dir := t.TempDir()
	p := &program{library: "cell.so", host: hostProgram{path: filepath.Join(dir, "host")}}
	_, refused, err := r.execute(p, client.Request{Dir: dir}, fakeCell{k}, nil)
	if !refused || err == nil {
		t.Errorf("refused %v, %v", refused, err)
	}
}

// A cell that no host can take is built by the go command, and runs the same.
func TestOtherPackagesAreBuiltByGo(t *testing.T) {
	r, k := runner(t)
	r.realGo = "/bin/sh" // a program that takes the go command's arguments: none of Go's modules are needed
	dir := t.TempDir()
	write(t, filepath.Join(dir, "go"), "#!/bin/sh\nprintf '#!/bin/sh\\necho built by go: $*; exit 6\\n' >\"$3\"\nchmod +x \"$3\"\n")
	os.Chmod(filepath.Join(dir, "go"), 0o755)
	r.realGo = filepath.Join(dir, "go")
	a := runCell(t, r, k, "package main\n\nimport \"go/ast\"\n\nfunc main() { _ = ast.File{} }\n", "", nil)
	if a.Code != 6 || strings.Join(k.shown, "") != "out:built by go: one two\n" {
		t.Errorf("%+v %v", a, k.shown)
	}
}

func TestSameSettings(t *testing.T) {
	for _, test := range []struct {
		a, b  []string
		build bool
		start bool
	}{
		{[]string{"GOFLAGS=-x", "HOME=/a"}, []string{"HOME=/b", "GOFLAGS=-x"}, true, true},
		{[]string{"GOFLAGS=-x"}, []string{"GOFLAGS=-y"}, false, false},
		{[]string{"GOFLAGS=-x", "GOFLAGS=-y"}, []string{"GOFLAGS=-y"}, true, true},
		{[]string{"GOGC=20"}, nil, true, false},
		{[]string{"GAZE_VIT=a"}, []string{"GAZE_VIT=b"}, true, false},
		{[]string{"GONB_PIPE=a", "GAZE_KERNEL_SOCKET=a"}, []string{"GONB_PIPE=b"}, true, true},
		{[]string{"CC=gcc"}, []string{"CC=clang"}, false, true},
	} {
		if got := sameSettings(test.a, test.b, isBuildSetting); got != test.build {
			t.Errorf("%v, %v: build %v", test.a, test.b, got)
		}
		if got := sameSettings(test.a, test.b, isStartSetting); got != test.start {
			t.Errorf("%v, %v: start %v", test.a, test.b, got)
		}
	}
}
