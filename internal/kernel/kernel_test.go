package kernel

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"gaze/internal/jupyter"
)

const limit = 60 * time.Second // of a test for one step; the machine may be busy

// front is a kernel and a client of it.
type front struct {
	t         *testing.T
	k         *Kernel
	client    *jupyter.Client
	replies   chan *jupyter.Message
	published chan *jupyter.Message
	ended     chan struct{}
}

// open starts a kernel before the fake GoNB, or another, with a client.
func open(t *testing.T, gonb string, arguments ...string) *front {
	t.Helper()
	file := filepath.Join(t.TempDir(), "kernel-0123.json")
	c := jupyter.Connection{Transport: "tcp", IP: "127.0.0.1", Key: "secret", Scheme: "hmac-sha256"}
	if err := c.Write(file); err != nil {
		t.Fatal(err)
	}
	if gonb == "" {
		gonb = os.Args[0]
		t.Setenv("KERNEL_TEST_FAKE", "1")
	}
	root, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	k, err := New(Config{ConnectionFile: file, Root: root, GoNB: gonb, Arguments: arguments, Guard: "-guard"})
	if err != nil {
		t.Fatal(err)
	}
	return start(t, k)
}

func start(t *testing.T, k *Kernel) *front {
	t.Helper()
	f := &front{t: t, k: k, replies: make(chan *jupyter.Message, 1000), published: make(chan *jupyter.Message, 100000), ended: make(chan struct{})}
	go func() {
		k.Run()
		close(f.ended)
	}()
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	var err error
	f.client, err = jupyter.Dial(ctx, k.Connection(), func(_ jupyter.Channel, m *jupyter.Message) { f.replies <- m },
		func(m *jupyter.Message) { f.published <- m }, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		k.end()
		f.wait(f.ended, "the kernel's end")
		f.client.Close()
		if _, err := os.Stat(k.folder); err == nil {
			t.Error("the kernel's folder is still there")
		}
	})
	for {
		if m := f.next(f.published); m.Header.Type == "iopub_welcome" {
			return f
		}
	}
}

func (f *front) wait(c <-chan struct{}, what string) {
	f.t.Helper()
	select {
	case <-c:
	case <-time.After(limit):
		f.t.Fatalf("timeout: %s", what)
	}
}

func (f *front) next(c chan *jupyter.Message) *jupyter.Message {
	f.t.Helper()
	select {
	case m := <-c:
		return m
	case <-time.After(limit):
		f.t.Fatal("no message came")
		return nil
	}
}

// result is how a request was answered.
type result struct {
	Status    string   `json:"status"`
	Count     int      `json:"execution_count"`
	Name      string   `json:"ename"`
	Value     string   `json:"evalue"`
	Traceback []string `json:"traceback"`

	stdout, stderr string
	types          []string // of the messages on iopub
	content        map[string]any
	messages       []*jupyter.Message
}

// text returns the traceback without colours.
func (r *result) text() string {
	return plain(strings.Join(r.Traceback, "\n"))
}

func plain(text string) string {
	for _, colour := range []string{bold, faint, reset} {
		text = strings.ReplaceAll(text, colour, "")
	}
	return text
}

// ask sends a request.
func (f *front) ask(channel jupyter.Channel, msgType string, content any) *jupyter.Message {
	f.t.Helper()
	m, err := f.client.Send(channel, msgType, content, nil)
	if err != nil {
		f.t.Fatal(err)
	}
	return m
}

func (f *front) execute(code string, more ...map[string]any) *jupyter.Message {
	f.t.Helper()
	content := map[string]any{"code": code, "silent": false, "store_history": true, "user_expressions": map[string]any{}, "allow_stdin": true, "stop_on_error": true}
	for _, m := range more {
		for name, value := range m {
			content[name] = value
		}
	}
	return f.ask(jupyter.Shell, "execute_request", content)
}

// collect waits for the answer to a request and its idle status.
func (f *front) collect(request *jupyter.Message) *result {
	f.t.Helper()
	r := &result{}
	for {
		m := f.next(f.published)
		if m.Parent.ID != request.Header.ID {
			continue
		}
		r.types = append(r.types, m.Header.Type)
		r.messages = append(r.messages, m)
		var content struct {
			Name, Text string
			State      string `json:"execution_state"`
		}
		json.Unmarshal(m.Content, &content)
		switch {
		case m.Header.Type == "stream" && content.Name == "stdout":
			r.stdout += content.Text
		case m.Header.Type == "stream":
			r.stderr += content.Text
		}
		if m.Header.Type == "status" && content.State == "idle" {
			break
		}
	}
	m := f.next(f.replies)
	if m.Parent.ID != request.Header.ID {
		f.t.Fatalf("a reply to %s, not to %s", m.Parent.Type, request.Header.Type)
	}
	json.Unmarshal(m.Content, r)
	json.Unmarshal(m.Content, &r.content)
	return r
}

func (f *front) run(code string, more ...map[string]any) *result {
	f.t.Helper()
	return f.collect(f.execute(code, more...))
}

// TestEnds: how cells end, by what GoNB says.
func TestEnds(t *testing.T) {
	f := open(t, "")
	const crash = "panic: boom\\n\\ngoroutine 1 [running]:\\nmain.main()\\n\\t/x/gonb_01234567/main.go:10 +0x1d\\n"
	for _, test := range []struct {
		name, code          string
		ename, evalue       string // of the failure; empty for none
		stdout, stderr, has string
	}{
		{"fine", "%%\n//do stdout \"hi\"", "", "", "hi", "", ""},
		{"only text", "%%\n//do stderr \"exit status 1\\nmore\"", "", "", "", "exit status 1\nmore", ""},
		{"status", "%%\n//do stderr \"oops\\n\"\n//do end exit status 3", "exit status 3", "oops", "", "oops\n", ""},
		{"no text", "%%\n//do end exit status 3", "exit status 3", "the program ended with exit status 3", "", "", "exit status 3"},
		{"signal", "%%\n//do end signal: killed", "signal: killed", "the program was killed; if nobody did that, memory was short", "", "", ""},
		{"panic", "%%\n//do main\n//do stderr \"before\\n\"\n//do stderr \"" + crash + "\"\n//do end exit status 2", "panic", "boom", "", "before\n", "Line 3 in main: //do stderr \"before"},
		{"panic in pieces", "%%\n//do stderr \"panic: \"\n//do stderr \"a\"\n//do stderr \"b\\n\\ngoroutine 1 [running]:\\n\"\n//do end exit status 2", "panic", "ab", "", "", "panic: ab"},
		{"a text like a panic", "%%\n//do stderr \"panic: no\\n\"", "", "", "", "panic: no\n", ""},
		{"not at a line's start", "%%\n//do stderr \"x panic: no\\n\"\n//do end exit status 1", "exit status 1", "x panic: no", "", "x panic: no\n", ""},
		{"Check", "%%\n//do stderr \"error: no file\\nx\\n\"\n//do end exit status 1", "error", "no file", "", "", "error: no file\nx"},
		{"shell", "!x\n//do end exit status 1", "", "", "", "exit status 1\n", ""},
		{"shell then fine", "!x\n%%\n//do end exit status 1\n//do stdout \"hi\"", "", "", "hi", "exit status 1\n", ""},
		{"script", "%%bash\n//do end exit status 4", "exit status 4", "the program ended with exit status 4", "", "", ""},
		{"command", "%cd x\n//do error \"no such folder\"", "error", "no such folder", "", "", "error: no such folder"},
		{"syntax", "%%\nfmt.Println(", "syntax error", "Line 2: expected operand, found '}'", "", "", "Line 2: "},
		{"comment", "// nothing", "", "", "", "", ""},
		{"empty", " \n", "", "", "", "", ""},
		{"two bodies", "%%\n//do stdout \"a\"\n%%\n//do stdout \"b\"", "", "", "ab", "Line 3: a second %% in a cell; its lines continue those of the first.\n", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			f.t = t
			r := f.run(test.code)
			if r.Name != test.ename || r.Value != test.evalue || r.stdout != test.stdout || r.stderr != test.stderr || !strings.Contains(r.text(), test.has) {
				t.Errorf("%+v", r)
			}
			if want := test.ename != ""; (r.Status == "error") != want || slices.Contains(r.types, "error") != want {
				t.Errorf("status %s, messages %v", r.Status, r.types)
			}
			if r.types[0] != "status" || r.types[1] != "execute_input" || r.types[len(r.types)-1] != "status" {
				t.Errorf("messages %v", r.types)
			}
		})
	}
}

// TestEnded: what runs the program itself has the last word.
func TestEnded(t *testing.T) {
	f := open(t, "")
	for _, test := range []struct {
		status Status
		ename  string
	}{
		{Status{}, ""}, {Status{Code: 7}, "exit status 7"}, {Status{Signal: os.Kill}, "signal: killed"},
	} {
		request := f.execute("%%\n//do sleep 200ms\n//do stderr \"exit status 1\\n\"")
		var c Cell
		for start := time.Now(); c == nil && time.Since(start) < limit; time.Sleep(time.Millisecond) {
			c = f.k.Running()
		}
		c.Stdout([]byte("from the program\n"))
		c.Ended(test.status)
		r := f.collect(request)
		if r.Name != test.ename || r.stdout != "from the program\n" {
			t.Errorf("%+v: %+v", test.status, r)
		}
	}
}

func TestCompileErrors(t *testing.T) {
	f := open(t, "")
	r := f.run("%%\n//do main\n//do error \"# gonb\\n./main.go:11:6: undefined: foo\\n./main.go:12:2: cannot use x\\n\\thave (int)\\n\"\nx := foo()\ny(x)")
	// main.go has the cell's line 2 as its line 9.
	want := "Line 4: undefined: foo\n    x := foo()\n         ^\nNo cell has been run since the kernel was started: run the cells above.\nLine 5: cannot use x\n\thave (int)\n    y(x)\n     ^"
	if r.Name != "compile error" || r.Value != "Line 4: undefined: foo (and 1 more)" || r.text() != want {
		t.Errorf("%s: %s\n%s\nwant\n%s", r.Name, r.Value, r.text(), want)
	}
	f.run("%%\nfoo := 1\n_ = foo")
	r = f.run("%%\n//do main\n//do error \"./main.go:11:6: undefined: foo\"\nx := foo()")
	if !strings.Contains(r.text(), "foo is a variable below %% in cell [2]") {
		t.Error(r.text())
	}
}

func TestExecutionCount(t *testing.T) {
	f := open(t, "")
	for _, test := range []struct {
		code string
		more map[string]any
		want int
	}{
		{"%%\n", nil, 1}, {"%%\n//do end exit status 1", nil, 2}, {"%%\n", map[string]any{"silent": true}, 2},
		{"%%\n", map[string]any{"store_history": false}, 2}, {"", nil, 3},
	} {
		more := map[string]any{"user_expressions": map[string]any{"x": "1"}}
		for name, value := range test.more {
			more[name] = value
		}
		r := f.run(test.code, more)
		if r.Count != test.want {
			t.Errorf("%q %v: %d, want %d", test.code, test.more, r.Count, test.want)
		}
		if x := r.content["user_expressions"].(map[string]any)["x"].(map[string]any); x["status"] != "error" {
			t.Errorf("user expression %v", x)
		}
		if slices.Contains(r.types, "execute_input") == (test.more["silent"] == true) {
			t.Errorf("%v: messages %v", test.more, r.types)
		}
	}
}

// TestAbort: after a failure what waits is aborted, if the cell that failed wants that.
func TestAbort(t *testing.T) {
	f := open(t, "")
	for _, test := range []struct {
		stop bool
		want []string
	}{{true, []string{"ok", "error", "aborted", "aborted"}}, {false, []string{"ok", "error", "ok", "ok"}}} {
		stop := map[string]any{"stop_on_error": test.stop}
		requests := []*jupyter.Message{f.execute("%%\n", stop), f.execute("%%\nx +", stop), f.execute("%%\n", stop), f.execute("// no", stop)}
		for i, request := range requests {
			if r := f.collect(request); r.Status != test.want[i] {
				t.Errorf("stop %v, cell %d: %s", test.stop, i, r.Status)
			} else if r.Status == "aborted" && r.Count != 0 { // front ends would show it as run
				t.Errorf("stop %v, cell %d was aborted and has the count %d", test.stop, i, r.Count)
			}
		}
	}
	if r := f.run("%%\n//do stdout x"); r.Status != "ok" || r.stdout != "x" {
		t.Errorf("after it: %+v", r)
	}
}

// TestRequests: every request is answered, between busy and idle, also while a cell runs.
func TestRequests(t *testing.T) {
	f := open(t, "")
	f.run("%%\n") // GoNB is there
	for _, busy := range []bool{false, true} {
		var running *jupyter.Message
		if busy {
			running = f.execute("%%\n//do sleep 1s")
			for f.k.Running() == nil {
				time.Sleep(time.Millisecond)
			}
		}
		for _, test := range []struct {
			msgType string
			content any
			want    string
		}{
			{"kernel_info_request", nil, `"protocol_version":"5.4"`},
			{"history_request", nil, `"history":[]`},
			{"connect_request", nil, `"shell_port":`},
			{"comm_info_request", nil, `"comms":{}`},
			{"is_complete_request", map[string]string{"code": "%%\nfor {"}, `"indent":"\t"`},
			{"complete_request", map[string]any{"code": "a", "cursor_pos": 1}, map[bool]string{false: "fromGoNB", true: `"matches":[]`}[busy]},
			{"inspect_request", map[string]any{"code": "a"}, `"status":"ok"`},
			{"debug_request", map[string]any{"command": "x"}, `"success":false`},
			{"no_such_request", nil, `"status":"error"`},
			{"interrupt_request", nil, `"status":"ok"`},
		} {
			if busy && test.msgType == "interrupt_request" {
				continue
			}
			for _, channel := range []jupyter.Channel{jupyter.Shell, jupyter.Control} {
				r := f.collect(f.ask(channel, test.msgType, test.content))
				text, _ := jupyter.Marshal(r.content)
				if !strings.Contains(string(text), test.want) || !slices.Equal(r.types, []string{"status", "status"}) {
					t.Errorf("busy %v, %s on %s: %s, %v", busy, test.msgType, channel, text, r.types)
				}
			}
		}
		if busy {
			if r := f.collect(running); r.Status != "ok" {
				t.Errorf("the cell: %+v", r)
			}
		}
	}
}

// TestRelayed: displayed data and its updates, comms of GoNB's, and input.
func TestRelayed(t *testing.T) {
	f := open(t, "")
	r := f.run("%%\n//do stdout \"a\"\n//do display x\n//do stderr \"b\"")
	want := []string{"status", "execute_input", "stream", "display_data", "update_display_data", "stream", "status"}
	if !slices.Equal(r.types, want) || !strings.Contains(string(r.messages[4].Content), `"x!"`) {
		t.Errorf("%v", r.types)
	}
	request := f.ask(jupyter.Shell, "comm_open", map[string]any{"comm_id": "1", "target_name": "gonb", "data": map[string]any{}})
	for {
		m := f.next(f.published)
		if m.Header.Type == "comm_msg" {
			if m.Parent.ID != request.Header.ID || string(m.Buffers[0]) != "buffer" {
				t.Errorf("%+v", m)
			}
			break
		}
	}
	request = f.execute("%%\n//do input")
	asked := f.next(f.replies)
	if asked.Header.Type != "input_request" || asked.Parent.ID != request.Header.ID {
		t.Fatalf("%+v", asked.Header)
	}
	f.client.Answer(jupyter.Stdin, asked, "input_reply", map[string]string{"value": "ann"}, nil)
	if r := f.collect(request); r.stdout != "ann" {
		t.Errorf("%+v", r)
	}
}

// TestGoNBEnds: the cell fails, the next one finds a new GoNB and says what that means.
func TestGoNBEnds(t *testing.T) {
	f := open(t, "")
	f.run("var x = 1")
	r := f.run("%%\n//do die")
	if r.Name != "kernel error" || !strings.Contains(r.text(), "run the cells above") {
		t.Errorf("%+v", r)
	}
	r = f.run("%%\n//do main\n//do error \"./main.go:11:6: undefined: x\"\nfoo(x)")
	if !strings.Contains(r.text(), "started again") {
		t.Error(r.text())
	}
	if r := f.run("%%\n//do stdout x"); r.stdout != "x" {
		t.Errorf("%+v", r)
	}
}

// TestLongOutput: much output arrives whole, in few messages.
func TestLongOutput(t *testing.T) {
	f := open(t, "")
	r := f.run("%%\n//do flood 20000")
	if len(r.stdout) != 20_000_000 || strings.Count(r.stdout, "\n") != 20000 {
		t.Errorf("%d bytes, %d lines", len(r.stdout), strings.Count(r.stdout, "\n"))
	}
	if len(r.types) > 2000 {
		t.Errorf("%d messages", len(r.types))
	}
}

// TestInterrupt: a program that doesn't listen is killed after a second; one that saves is
// waited for.
func TestInterrupt(t *testing.T) {
	f := open(t, "")
	f.run("%%\n") // GoNB is there
	for _, saves := range []bool{false, true} {
		request := f.execute("%%\n//do sleep 2500ms") // the fake's program ends by itself
		var c *cell
		for c == nil {
			c = f.k.current()
			time.Sleep(time.Millisecond)
		}
		p := &program{cell: c}
		c.Started(p)
		if saves {
			conn, err := net.Dial("unix", f.k.socketPath())
			if err != nil {
				t.Fatal(err)
			}
			fmt.Fprintln(conn, `{"do":"saving"}`)
			defer conn.Close()
			for saving := 0; saving == 0; time.Sleep(time.Millisecond) {
				c.mu.Lock()
				saving = c.saving
				c.mu.Unlock()
			}
		}
		interrupted := time.Now()
		f.collect(f.ask(jupyter.Control, "interrupt_request", nil))
		r := f.collect(request)
		p.mu.Lock()
		interrupts, killed := p.interrupts, p.killed
		p.mu.Unlock()
		if interrupts != 1 {
			t.Errorf("saves %v: %d interrupts", saves, interrupts)
		}
		c.mu.Lock()
		told := c.told
		c.mu.Unlock()
		if told != saves {
			t.Errorf("saves %v: the reader was told: %v", saves, told)
		}
		if saves && (!killed.IsZero() || r.Status != "ok") || !saves && (killed.Sub(interrupted) < interruptLimit || r.Name != "interrupted") {
			t.Errorf("saves %v: killed after %v, %+v", saves, killed.Sub(interrupted), r)
		}
	}
}

// TestInterruptReason: what an interrupted program gives as its reason is shown once.
func TestInterruptReason(t *testing.T) {
	f := open(t, "")
	f.run("%%\n") // GoNB is there
	request := f.execute("%%\n//do sleep 500ms\n//do stderr \"error: stopped; the run is saved\\n\"\n//do end exit status 1")
	for f.k.current() == nil {
		time.Sleep(time.Millisecond)
	}
	f.collect(f.ask(jupyter.Control, "interrupt_request", nil))
	if r := f.collect(request); r.Name != "interrupted" || r.Value != "stopped; the run is saved" || r.stderr != "" || r.text() != "interrupted: stopped; the run is saved" {
		t.Errorf("%+v", r)
	}
}

// program is a program that ends when it's killed.
type program struct {
	cell *cell

	mu         sync.Mutex
	interrupts int
	killed     time.Time
}

func (p *program) Interrupt() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.interrupts++
}

func (p *program) Kill() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.killed.IsZero() {
		p.killed = time.Now()
		p.cell.Ended(Status{Signal: os.Kill})
	}
}

// TestSocket: the kernel's own socket calls what was registered, and says what's wrong.
func TestSocket(t *testing.T) {
	f := open(t, "")
	f.k.Handle("echo", func(hello json.RawMessage, conn *Conn) {
		line, _ := conn.Reader.ReadString('\n')
		fmt.Fprintf(conn, "%s %s", hello, line)
	})
	for send, want := range map[string]string{
		"{\"do\":\"echo\",\"x\":1}\nmore\n": "{\"do\":\"echo\",\"x\":1} more\n",
		"{\"do\":\"nothing\"}\n":            "does nothing named",
		"what\n":                            "invalid character",
	} {
		conn, err := net.Dial("unix", f.k.socketPath())
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprint(conn, send)
		got := make([]byte, 1000)
		n, err := conn.Read(got)
		if err != nil || !strings.Contains(string(got[:n]), want) {
			t.Errorf("%q: %q, %v", send, got[:n], err)
		}
		conn.Close()
	}
}

// TestShutdown: Jupyter's request for the end is answered and obeyed.
func TestShutdown(t *testing.T) {
	f := open(t, "")
	f.execute("%%\n//do sleep 1m")
	for f.k.Running() == nil {
		time.Sleep(time.Millisecond)
	}
	request := f.ask(jupyter.Control, "shutdown_request", map[string]bool{"restart": true})
	for {
		m := f.next(f.replies)
		if m.Parent.ID == request.Header.ID {
			if m.Header.Type != "shutdown_reply" || !strings.Contains(string(m.Content), `"restart":true`) {
				t.Errorf("%s %s", m.Header.Type, m.Content)
			}
			break
		}
	}
	f.wait(f.ended, "the kernel's end")
}

// TestRealGoNB runs cells with the real GoNB, as set-up has built it.
func TestRealGoNB(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles cells")
	}
	root, _ := filepath.Abs(filepath.Join("..", ".."))
	gonb := filepath.Join(root, "bin", "gonb")
	if _, err := os.Stat(gonb); err != nil {
		t.Skip("bin/gonb isn't there: make setup builds it")
	}
	if _, err := exec.LookPath("goimports"); err != nil {
		t.Skip("goimports isn't on the PATH: run tests by tools/with-env.sh")
	}
	t.Setenv("GOPROXY", "off")
	t.Setenv("GOFLAGS", os.Getenv("GOFLAGS")+" -buildvcs=false")
	f := open(t, gonb)
	for _, test := range []struct {
		code          string
		ename, evalue string
		has           string // in stdout or the traceback
	}{
		{"import \"fmt\"\n\nfunc load(m map[string]int) int {\n\tm[\"x\"] = 1\n\treturn 1\n}", "", "", ""},
		{"%%\nfmt.Println(\"hi\")", "", "", "hi\n"},
		{"%%\nload(nil)", "panic", "assignment to entry in nil map", "Cell [1] line 4 in load: m[\"x\"] = 1\nLine 2 in main: load(nil)"},
		{"%%\nx := 1", "compile error", "Line 2: declared and not used: x", "    x := 1\n    ^"},
		{"%%\nvar y int = \"text\"\nfmt.Println(y, z)", "compile error", "Line 2: cannot use \"text\" (untyped string constant) as int value in variable declaration (and 1 more)", "No cell that was run declares z"},
		{"%%\nfmt.Println(1)\n%%\nfmt.Println(2)\n%main\nfmt.Println(3)", "", "", "1\n2\n3\n"},
		{"%%\nos.Exit(3)", "exit status 3", "the program ended with exit status 3", ""},
		{"%%\npackages := 2\nfmt.Println(packages)", "", "", "2\n"},
		{"!echo out; exit 3", "", "", "out\n"},
		{"%%bash\nexit 3", "exit status 3", "the program ended with exit status 3", ""},
		{"%rm load\n%%\nload(nil)", "compile error", "Line 3: undefined: load", "declares load"},
		{"%%\nch := make(chan int)\n<-ch", "fatal error", "all goroutines are asleep - deadlock!", "Line 3 in main: <-ch"},
	} {
		r := f.run(test.code)
		if r.Name != test.ename || r.Value != test.evalue || !strings.Contains(r.stdout+r.text(), test.has) {
			t.Errorf("%q: %s: %s, stdout %q\n%s", test.code, r.Name, r.Value, r.stdout, r.text())
		}
		if strings.Contains(r.text()+r.stderr, "gonb_") {
			t.Errorf("%q shows the path of a temporary file: %s", test.code, r.text())
		}
	}
}
