// Command gaze-kernel is the kernel that Jupyter starts for Gaze's notebooks:
//
//	gaze-kernel -root CLONE -gonb PATH CONNECTION_FILE
//
// It starts GoNB, which turns cells into programs, and relays between it and Jupyter.
// tools/kernel.sh calls it with the environment that cells need.
package main

import (
	"flag"
	"fmt"
	"os"

	"gaze/internal/kernel"
	"gaze/internal/widgets"
)

// guardArgument makes this program the kernel's guard.
const guardArgument = "-guard"

// sessionVariable is where Jupyter's server puts the path of the notebook.
const sessionVariable = "JPY_SESSION_NAME"

func main() {
	if len(os.Args) == 2 && os.Args[1] == guardArgument {
		kernel.Guard(os.Stdin)
		return
	}
	root := flag.String("root", "", "the clone whose packages cells can import")
	gonb := flag.String("gonb", "", "the GoNB `program`")
	flag.Parse()
	if *root == "" || *gonb == "" || flag.NArg() != 1 {
		fmt.Fprintln(os.Stderr, "usage: gaze-kernel -root CLONE -gonb PATH CONNECTION_FILE")
		os.Exit(2)
	}
	k, err := kernel.New(kernel.Config{
		ConnectionFile: flag.Arg(0), Root: *root, GoNB: *gonb, Arguments: []string{"-go_work=" + *root},
		Guard: guardArgument, Log: os.Stderr,
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, "gaze-kernel:", err)
		os.Exit(1)
	}
	k.Comms = widgets.New(k, widgets.Options{State: flag.Arg(0) + ".widgets", Notebook: os.Getenv(sessionVariable)})
	k.Run()
}
