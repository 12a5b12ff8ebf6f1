package main

import (
	"errors"
	"os"
	"strings"

	"github.com/gomlx/compute"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// engineFlags are the flags that the engines on other machines share.
type engineFlags struct {
	gaze    string
	perTask int
	print   bool
}

func (e *engineFlags) flags(f *pflag.FlagSet) {
	f.StringVar(&e.gaze, "gaze", "", "Spark, Slurm: the program on the machines that work (default: the path of this one)")
	f.IntVar(&e.perTask, "per-task", 0, "Spark, Slurm: shards of a task, each of which opens the model once (default: enough for 1000 pictures)")
	f.BoolVar(&e.print, "print", false, "Spark, Slurm: print the query or the script, and run nothing")
}

// check is an error if the flags make no sense.
func (e *engineFlags) check(cmd *cobra.Command) error {
	if e.perTask < 0 {
		return misuse(cmd, errors.New("--per-task: it must be at least 1"))
	}
	for _, name := range []string{"workers"} {
		if cmd.Flags().Changed(name) {
			return misuse(cmd, errors.New("--"+name+" is for processes on this machine"))
		}
	}
	return nil
}

// program is the path of gaze on the machines that work.
func (e *engineFlags) program() (string, error) {
	if e.gaze != "" {
		return e.gaze, nil
	}
	return os.Executable()
}

// command is a command of gaze for the machines that work.
func (e *engineFlags) command(args ...string) ([]string, error) {
	program, err := e.program()
	return append([]string{program}, args...), err
}

// onCUDA says whether the backend that is chosen runs on a card.
func onCUDA() bool { return strings.Contains(os.Getenv(compute.ConfigEnvVar), "cuda") }
