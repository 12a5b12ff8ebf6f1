package client

import (
	"bufio"
	"encoding/json"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func TestMain(m *testing.M) {
	Main() // when a test calls this program as go, goimports or a cell
	os.Exit(m.Run())
}

// kernel answers every request with the same.
func kernel(t *testing.T, answer Answer) (socket string, requests chan Request) {
	socket = filepath.Join(t.TempDir(), "s")
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	requests = make(chan Request, 1)
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			r := bufio.NewReader(conn)
			line, _ := r.ReadBytes('\n')
			var q Request
			json.Unmarshal(line, &q)
			if q.Do == "run" { // the program reads a line
				text, _ := r.ReadString('\n')
				q.Args = append(q.Args, "read:"+strings.TrimSpace(text))
			}
			requests <- q
			data, _ := json.Marshal(answer)
			conn.Write(append(data, '\n'))
			conn.Close()
		}
	}()
	return socket, requests
}

func TestMainActsAsWhatItIsCalled(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	real := filepath.Join(folder, "real")
	if err := os.WriteFile(real, []byte("#!/bin/sh\necho the real one: \"$@\"\nexit 4\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name   string
		args   []string
		answer Answer
		dead   bool // there is no kernel
		do     string
		output string
		code   int
		signal syscall.Signal
	}{
		{name: "go", args: []string{"build", "-o", "x"}, answer: Answer{Output: "./main.go:1:1: wrong\n", Code: 1}, do: "go", output: "./main.go:1:1: wrong\n", code: 1},
		{name: "go", args: []string{"build", "-o", "x"}, do: "go"},
		{name: "go", args: []string{"env"}, answer: Answer{Real: true}, do: "go", output: "the real one: env\n", code: 4},
		{name: "go", args: []string{"env"}, dead: true, output: "the real one: env\n", code: 4},
		{name: "goimports", args: []string{"-w", "main.go"}, do: "goimports"},
		{name: "goimports", args: []string{"-w", "main.go"}, answer: Answer{Real: true}, do: "goimports", output: "the real one: -w main.go\n", code: 4},
		{name: "gonb_1234", args: []string{"-epochs=3"}, answer: Answer{Code: 5}, do: "run", code: 5},
		{name: "gonb_1234", answer: Answer{Code: 137, Signal: int(syscall.SIGKILL)}, do: "run", signal: syscall.SIGKILL},
		{name: "gonb_1234", args: []string{"a"}, answer: Answer{Exec: real}, do: "run", output: "the real one: a\n", code: 4},
		{name: "gonb_1234", dead: true, output: "error: the kernel doesn't answer", code: 1},
	} {
		path := filepath.Join(folder, test.name)
		os.Remove(path)
		if err := os.Symlink(self, path); err != nil {
			t.Fatal(err)
		}
		socket, requests := "/does/not/exist", make(chan Request)
		if !test.dead {
			socket, requests = kernel(t, test.answer)
		}
		cmd := exec.Command(path, test.args...)
		cmd.Env = append(os.Environ(), "GAZE_KERNEL_SOCKET="+socket, "GAZE_GO="+real, "GAZE_GOIMPORTS="+real)
		cmd.Dir, cmd.Stdin = folder, strings.NewReader("from the keyboard\n")
		out, _ := cmd.CombinedOutput()
		status := cmd.ProcessState.Sys().(syscall.WaitStatus)
		if test.signal != 0 {
			if status.Signal() != test.signal {
				t.Errorf("%s %v: ended with %v", test.name, test.args, cmd.ProcessState)
			}
		} else if status.ExitStatus() != test.code || !strings.HasPrefix(string(out), test.output) {
			t.Errorf("%s %v: %v, '%s'", test.name, test.args, cmd.ProcessState, out)
		}
		if test.dead {
			continue
		}
		q := <-requests
		if test.do == "run" {
			test.args = append(test.args, "read:from the keyboard")
			if q.Path != path {
				t.Errorf("%s: asks for %s", test.name, q.Path)
			}
		}
		if q.Do != test.do || strings.Join(q.Args, " ") != strings.Join(test.args, " ") || q.Dir != folder || len(q.Env) == 0 {
			t.Errorf("%s %v: asked %+v", test.name, test.args, q.Args)
		}
	}
}
