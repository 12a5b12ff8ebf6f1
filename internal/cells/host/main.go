//go:build linux

// Command host is the program into which a notebook's cells are loaded: see
// gaze/internal/cells, which builds it together with a list of everything that cells may
// use.
//
//	host LIBRARY [ARGUMENT...]   runs a cell
//	host -wait                   waits on file 3 for what to run; ends when that is closed
package main

import (
	"errors"
	"flag"
	"fmt"
	"net"
	"os"
	"plugin"
	"strings"
	"syscall"

	"github.com/janpfeifer/gonb/gonbui"

	"gaze/internal/cells/keep"
	"gaze/internal/cells/order"
	"gaze/internal/trace"
	"gaze/pkg/notebook"
)

// LibraryHash is compared with what cells were linked for (internal/cells/stub.go).
var LibraryHash = order.LibraryHash

func init() {
	if len(os.Args) == 0 { // never; the linker can't know
		fmt.Println(LibraryHash, kept(len(os.Args)), keep.All)
	}
}

func main() {
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, "usage: host LIBRARY [ARGUMENT...]")
		os.Exit(2)
	}
	if os.Args[1] != "-wait" {
		run(os.Args[1], func(r order.Report) {
			if r.Refused != "" {
				fmt.Fprintln(os.Stderr, "error:", r.Refused)
				os.Exit(1)
			}
		})
	}
	conn, err := control()
	if err != nil {
		fmt.Fprintln(os.Stderr, "host: file 3:", err)
		os.Exit(2)
	}
	o, err := wait(conn)
	if err != nil {
		os.Exit(0) // the kernel has ended, or needs no cell any more
	}
	run(o.Library, func(r order.Report) {
		order.Tell(conn, r)
		if r.Refused != "" {
			os.Exit(order.Refused)
		}
	})
}

// control is the connection to the kernel. Programs that the cell starts don't get it.
func control() (*net.UnixConn, error) {
	syscall.CloseOnExec(3)
	file := os.NewFile(3, "kernel")
	defer file.Close()
	conn, err := net.FileConn(file)
	if err != nil {
		return nil, err
	}
	u, ok := conn.(*net.UnixConn)
	if !ok {
		return nil, errors.New("not a Unix socket")
	}
	return u, nil
}

// wait prepares what it is told to until there is a cell to run, and takes over the cell's
// files, folder, arguments and environment.
func wait(conn *net.UnixConn) (*order.Order, error) {
	for {
		o, files, err := order.Receive(conn)
		if err != nil {
			return nil, err
		}
		if o.Library == "" {
			go notebook.Warm(o.Warm)
			continue
		}
		return o, adopt(o, files)
	}
}

// adopt makes the process what the cell's would have been.
func adopt(o *order.Order, files []int) error {
	if len(files) != order.Files {
		return fmt.Errorf("%d files", len(files))
	}
	for to := range 3 {
		if err := syscall.Dup3(files[to], to, 0); err != nil {
			return err
		}
		syscall.Close(files[to])
	}
	takeEnvironment(o.Env)
	os.Setenv("GONB_PIPE", fmt.Sprintf("/proc/self/fd/%d", files[3]))
	os.Setenv("GONB_PIPE_BACK", fmt.Sprintf("/proc/self/fd/%d", files[4]))
	gonbui.IsNotebook = true
	os.Args = append([]string{o.Name}, o.Args...)
	flag.CommandLine.Init(o.Name, flag.ExitOnError)
	return os.Chdir(o.Dir)
}

// takeEnvironment makes the environment the cell's, but for what packages have set since the
// process was started.
func takeEnvironment(env []string) {
	before := variables(started())
	now := variables(env)
	for name := range before {
		if _, ok := now[name]; !ok {
			os.Unsetenv(name)
		}
	}
	for name, value := range now {
		if old, ok := before[name]; !ok || old != value {
			os.Setenv(name, value)
		}
	}
}

// started is the environment that the process was started with.
func started() []string {
	data, err := os.ReadFile("/proc/self/environ")
	if err != nil {
		return os.Environ()
	}
	return strings.Split(strings.TrimRight(string(data), "\x00"), "\x00")
}

func variables(env []string) map[string]string {
	all := make(map[string]string, len(env))
	for _, v := range env {
		if name, value, ok := strings.Cut(v, "="); ok && name != "" {
			all[name] = value
		}
	}
	return all
}

// run loads a cell, runs it and ends the process. tell is told what the cell used, or why it
// couldn't be loaded; nothing of it has run then.
func run(library string, tell func(order.Report)) {
	start, err := load(library)
	trace.Ended("loaded")
	if err != nil {
		tell(order.Report{Refused: err.Error()})
	}
	if len(os.Args) > 1 && os.Args[1] == library {
		os.Args = os.Args[1:]
	}
	notebook.Host(func() {
		start()
		trace.Ended("the cell's main returned")
		tell(order.Report{Used: notebook.Used()})
	})
	os.Exit(0)
}

// load loads a cell, which initialises its variables, and returns its main.
func load(library string) (func(), error) {
	p, err := plugin.Open(library)
	if err != nil {
		return nil, err
	}
	symbol, err := p.Lookup("Gaze_Main")
	if err != nil {
		return nil, err
	}
	start, ok := symbol.(func())
	if !ok {
		return nil, fmt.Errorf("%s: Gaze_Main is a %T", library, symbol)
	}
	return start, nil
}
