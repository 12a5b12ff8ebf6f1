// Package client is what GoNB runs in place of the go command, of goimports and of a
// cell's program. Each asks the kernel over its socket to do the work.
package client

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
)

// Variables of the environment that the kernel sets for GoNB.
const (
	SocketVariable    = "GAZE_KERNEL_SOCKET"
	GoVariable        = "GAZE_GO"        // the real go command
	GoImportsVariable = "GAZE_GOIMPORTS" // the real goimports
)

// Request is the first line that a client sends.
type Request struct {
	Do   string   `json:"do"` // "go", "goimports" or "run"
	Args []string `json:"args"`
	Dir  string   `json:"dir"`
	Env  []string `json:"env,omitempty"`
	Path string   `json:"path,omitempty"` // run: the program
}

// Answer is what the kernel answers, one line of JSON.
type Answer struct {
	Real   bool   `json:"real,omitempty"` // run the real command
	Exec   string `json:"exec,omitempty"` // run this program in the client's place
	Output string `json:"output,omitempty"`
	Code   int    `json:"code"`
	Signal int    `json:"signal,omitempty"` // the program's end: by this signal
}

// Main acts as what the program was called as, and doesn't return then. It returns if the
// program is itself.
func Main() {
	name := filepath.Base(os.Args[0])
	if os.Getenv(SocketVariable) == "" {
		return
	}
	switch {
	case name == "go":
		tool("go", os.Getenv(GoVariable))
	case name == "goimports":
		tool("goimports", os.Getenv(GoImportsVariable))
	case strings.HasPrefix(name, "gonb_"):
		launch()
	}
}

// tool asks the kernel to do what a command would, or runs the command.
func tool(do, command string) {
	conn, answers, err := ask(Request{Do: do, Args: os.Args[1:]})
	var a Answer
	if err == nil {
		a, err = read(answers)
		conn.Close()
	}
	if err != nil || a.Real {
		replace(command, os.Args[1:])
	}
	os.Stdout.WriteString(a.Output)
	os.Exit(a.Code)
}

// launch stands for a cell's program: it gives the program its standard input, and ends as
// the program does.
func launch() {
	path := os.Args[0]
	// The kernel interrupts the program.
	signal.Ignore(syscall.SIGINT)
	conn, answers, err := ask(Request{Do: "run", Args: os.Args[1:], Path: path})
	if err != nil {
		fail(err)
	}
	go io.Copy(conn, os.Stdin)
	a, err := read(answers)
	if err != nil {
		fail(err)
	}
	if a.Exec != "" {
		signal.Reset(syscall.SIGINT)
		replace(a.Exec, os.Args[1:])
	}
	if a.Output != "" {
		fmt.Fprintln(os.Stderr, a.Output)
	}
	if a.Signal != 0 {
		signal.Reset()
		syscall.Kill(os.Getpid(), syscall.Signal(a.Signal))
	}
	os.Exit(a.Code)
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, "error: the kernel doesn't answer:", err)
	os.Exit(1)
}

// ask sends a request to the kernel.
func ask(r Request) (net.Conn, *bufio.Reader, error) {
	var err error
	if r.Dir, err = os.Getwd(); err != nil {
		return nil, nil, err
	}
	r.Env = os.Environ()
	conn, err := net.Dial("unix", os.Getenv(SocketVariable))
	if err != nil {
		return nil, nil, err
	}
	line, err := json.Marshal(r)
	if err == nil {
		_, err = conn.Write(append(line, '\n'))
	}
	if err != nil {
		conn.Close()
		return nil, nil, err
	}
	return conn, bufio.NewReader(conn), nil
}

func read(r *bufio.Reader) (Answer, error) {
	var a Answer
	line, err := r.ReadBytes('\n')
	if err != nil {
		return a, err
	}
	return a, json.Unmarshal(line, &a)
}

// replace runs a program in the place of this one.
func replace(command string, args []string) {
	path, err := exec.LookPath(command)
	if err == nil {
		err = syscall.Exec(path, append([]string{path}, args...), os.Environ())
	}
	fmt.Fprintf(os.Stderr, "%s: %v\n", command, err)
	os.Exit(127)
}
