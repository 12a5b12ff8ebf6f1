// Package slurm runs the shards of a job as an array job of the Slurm workload manager: it
// writes the script and submits it. The cluster's nodes need a file system with the job, the
// pictures and the models, or buckets of them, and the program gaze.
package slurm

import (
	"fmt"
	"strconv"
	"strings"

	"gaze/pkg/batch"
)

// Array is an array job. Each of its tasks is a process that works on some shards.
type Array struct {
	Name    string   // of the Slurm job
	Command []string // of a task, to which the shards are added as its last argument
	Tasks   [][]int  // the shards of each task, in ascending order
	AtOnce  int      // tasks that run at a time; 0: as many as Slurm lets
	Logs    string   // folder of the tasks' logs; "": the folder in which it is submitted
	Card    bool     // a task takes a GPU; otherwise it takes a node
	Options []string // further options of sbatch, such as --partition=long
	Env     []string // variables that the tasks need, NAME=value
}

// maxScript bounds the script: Slurm refuses scripts of more than 4 MiB.
const maxScript = 1 << 20

// Script is the script for sbatch. A node that dies gives its tasks back to the queue; a task
// that fails by itself stays failed.
func (a Array) Script() (string, error) {
	var b strings.Builder
	b.WriteString("#!/bin/sh\n")
	for _, option := range a.options() {
		if strings.ContainsAny(option, "\n\r\x00") {
			return "", fmt.Errorf("the option %q of sbatch isn't one line", option)
		}
		b.WriteString("#SBATCH " + option + "\n")
	}
	b.WriteString("# Each line below the last command has the shards of a task. They can be worked on any\n" +
		"# number of times: what is done already is passed over.\n")
	for _, v := range a.Env {
		name, value, _ := strings.Cut(v, "=")
		b.WriteString("export " + name + "=" + batch.ShellQuote(value) + "\n")
	}
	b.WriteString(`shards=$(sed "1,/^exit # shards:/d" "$0" | sed -n "$((SLURM_ARRAY_TASK_ID + 1))p")` + "\n")
	b.WriteString("exec " + batch.ShellQuote(a.Command...) + ` "$shards"` + "\nexit # shards:\n")
	lines := lists(a.Tasks, batch.FormatShards)
	if len(lines) > maxScript {
		lines = lists(a.Tasks, hull)
	}
	if len(lines) > maxScript {
		return "", fmt.Errorf("%d tasks are too many for a script: give each more shards", len(a.Tasks))
	}
	return b.String() + lines, nil
}

// lists are the lines of the tasks' shards.
func lists(tasks [][]int, format func([]int) string) string {
	var b strings.Builder
	for _, shards := range tasks {
		b.WriteString(format(shards) + "\n")
	}
	return b.String()
}

// hull is a range that holds the shards and maybe others, which are done.
func hull(shards []int) string {
	return fmt.Sprintf("%d-%d", shards[0], shards[len(shards)-1])
}

// options are those of sbatch.
func (a Array) options() []string {
	array := "--array=0-" + strconv.Itoa(len(a.Tasks)-1)
	if a.AtOnce > 0 {
		array += "%" + strconv.Itoa(a.AtOnce)
	}
	device := "--exclusive"
	if a.Card {
		device = "--gres=gpu:1"
	}
	return append([]string{
		"--job-name=" + a.Name, array, "--nodes=1", "--ntasks=1", device, "--requeue",
		"--open-mode=append", "--output=" + option(a.log("%A_%a")),
	}, a.Options...)
}

// log is the path of a log.
func (a Array) log(id string) string {
	name := "slurm-" + id + ".log"
	if a.Logs == "" {
		return name
	}
	return strings.ReplaceAll(a.Logs, "%", "%%") + "/" + name
}

// option writes a value as sbatch reads the options of a script: blanks end a value unless
// it is in quotes.
func option(value string) string {
	if !strings.ContainsAny(value, " \t\"'\\") {
		return value
	}
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(value) + `"`
}
