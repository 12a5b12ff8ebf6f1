package kernel

import (
	"encoding/json"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"gaze/internal/jupyter"
)

// The test program is a fake GoNB and the kernel's guard, if it's started as such.
func TestMain(m *testing.M) {
	if len(os.Args) == 2 && os.Args[1] == "-guard" {
		Guard(os.Stdin)
		os.Exit(0)
	}
	for i, arg := range os.Args {
		if arg == "--kernel" && os.Getenv("KERNEL_TEST_FAKE") != "" {
			fakeGoNB(os.Args[i+1])
			os.Exit(0)
		}
	}
	os.Exit(m.Run())
}

// fakeGoNB does what cells say in comments, as a GoNB would do it:
//
//	//do stdout "text"    prints, also stderr
//	//do end "signal: x"  the line about a program's end
//	//do error "text"     answers with an error, as for a failed build
//	//do main             writes the cell as main.go
//	//do sleep 100ms
//	//do die              ends GoNB
//	//do input            asks for input and prints it
//	//do display          shows something
//	//do flood 1000       prints 1000 kB
func fakeGoNB(connection string) {
	signal.Ignore(os.Interrupt)
	c, err := jupyter.ReadConnection(connection)
	if err != nil {
		panic(err)
	}
	temp, err := os.MkdirTemp("", "gonb_")
	if err != nil {
		panic(err)
	}
	fmt.Fprintf(os.Stderr, "GoNB: jupyter root in \"\", tmp Go code in %q\n", temp)
	f := &fake{temp: temp, input: make(chan string), ready: make(chan struct{}), requests: make(chan *jupyter.Message, 1000)}
	f.server, err = jupyter.Listen(c, f.receive, func(string, ...any) {})
	if err != nil {
		panic(err)
	}
	close(f.ready)
	for m := range f.requests {
		f.serve(m)
	}
}

type fake struct {
	server   *jupyter.Server
	temp     string
	input    chan string
	ready    chan struct{}
	requests chan *jupyter.Message
}

func (f *fake) receive(channel jupyter.Channel, m *jupyter.Message) {
	<-f.ready
	if channel == jupyter.Stdin {
		var content struct{ Value string }
		json.Unmarshal(m.Content, &content)
		f.input <- content.Value
		return
	}
	f.requests <- m
}

func (f *fake) serve(m *jupyter.Message) {
	f.server.Publish(m, "status", state("busy"), nil)
	defer f.server.Publish(m, "status", state("idle"), nil)
	switch m.Header.Type {
	case "execute_request":
		var content struct{ Code string }
		json.Unmarshal(m.Content, &content)
		reply := map[string]any{"status": "ok"}
		for _, line := range strings.Split(content.Code, "\n") {
			if do, ok := strings.CutPrefix(line, "//do "); ok {
				f.do(m, do, content.Code, reply)
			}
		}
		f.server.Reply(jupyter.Shell, m, "execute_reply", reply, nil)
	case "complete_request":
		f.server.Reply(jupyter.Shell, m, "complete_reply", map[string]any{"status": "ok", "matches": []string{"fromGoNB"}}, nil)
	case "comm_open":
		f.server.Publish(m, "comm_msg", map[string]any{"comm_id": "1"}, nil, []byte("buffer"))
	default:
		f.server.Reply(jupyter.Shell, m, strings.Replace(m.Header.Type, "request", "reply", 1), map[string]any{"status": "ok"}, nil)
	}
}

func (f *fake) print(m *jupyter.Message, stream, text string) {
	f.server.Publish(m, "stream", map[string]string{"name": stream, "text": text}, nil)
}

func (f *fake) do(m *jupyter.Message, do, code string, reply map[string]any) {
	what, rest, _ := strings.Cut(do, " ")
	text, err := strconv.Unquote(rest)
	if err != nil {
		text = rest
	}
	switch what {
	case "stdout", "stderr":
		f.print(m, what, text)
	case "end":
		f.print(m, "stderr", text+"\n")
	case "error":
		reply["status"], reply["ename"], reply["evalue"] = "error", "ERROR", text
	case "main":
		_, body, _ := strings.Cut(code, "%%\n")
		os.WriteFile(filepath.Join(f.temp, "main.go"), []byte("package main\n\nimport \"fmt\"\n\n// moved\n\nfunc main() {\n\tflag.Parse()\n"+body+"\n}\n"), 0o600)
	case "sleep":
		d, _ := time.ParseDuration(text)
		time.Sleep(d)
	case "die":
		syscall.Kill(os.Getpid(), syscall.SIGKILL)
	case "input":
		f.server.Reply(jupyter.Stdin, m, "input_request", map[string]any{"prompt": "? ", "password": false}, nil)
		f.print(m, "stdout", <-f.input)
	case "display":
		f.server.Publish(m, "display_data", map[string]any{"data": map[string]string{"text/plain": text}, "transient": map[string]string{"display_id": "d"}}, nil)
		f.server.Publish(m, "update_display_data", map[string]any{"data": map[string]string{"text/plain": text + "!"}, "transient": map[string]string{"display_id": "d"}}, nil)
	case "flood":
		n, _ := strconv.Atoi(text)
		for range n {
			f.print(m, "stdout", strings.Repeat("x", 999)+"\n")
		}
	}
}
