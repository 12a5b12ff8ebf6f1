package slurm

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gaze/internal/batchtest"
	"gaze/pkg/batch"
)

// asNode makes the test program a task: its arguments are a job's folder and shards.
const asNode = "GAZE_TEST_SLURM"

func TestMain(m *testing.M) {
	if os.Getenv(asNode) == "" {
		os.Exit(m.Run())
	}
	shards, err := batch.ParseShards(os.Args[2], 100)
	if err == nil {
		_, err = batchtest.Make(context.Background(), os.Args[1], shards)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// runs is an sbatch that runs the tasks of an array one after another, but not those that
// come after the given one.
const runs = `echo 5
for last in "$@"; do :; done
n=0
while [ $n -lt %d ]; do SLURM_ARRAY_TASK_ID=$n ` + asNode + `=1 sh "$0".in; n=$((n + 1)); done`

// start is an engine on fake programs of Slurm's, and a job of 6 shards in 3 tasks.
func start(t *testing.T, tasks int) (*Engine, *batch.Job, string, *[]string) {
	t.Helper()
	folder := fake(t, map[string]string{"sbatch": fmt.Sprintf(runs, tasks), "squeue": "", "scontrol": "echo 'MaxArraySize = 3'"})
	j := batchtest.Plan(t, 6)
	said := &[]string{}
	return &Engine{
		Array:  Array{Command: []string{os.Args[0], j.Store.String()}, Logs: filepath.Join(j.Store.String(), "logs")},
		Finish: []string{"gaze", "batch", "run", "job"}, PerTask: 1,
		Say: func(text string) { *said = append(*said, text) },
	}, j, folder, said
}

var all = []int{0, 1, 2, 3, 4, 5}

func TestEngineWaits(t *testing.T) {
	for _, tasks := range []int{3, 2} {
		e, j, _, said := start(t, tasks)
		e.Wait = true
		done, failed := 0, []int{}
		err := e.Run(t.Context(), j, all, func(event batch.Event) {
			if event.Receipt != nil {
				done++
			} else {
				failed = append(failed, event.Shard)
			}
		})
		if err != nil || done != 2*tasks || len(failed) != 6-2*tasks {
			t.Errorf("%d of 3 tasks: %v, %d done, %v failed", tasks, err, done, failed)
		}
		if len(*said) != 1 || !strings.Contains((*said)[0], "submitted 6 shards in 3 tasks as job 5") {
			t.Errorf("said %q", *said)
		}
	}
}

func TestEngineQueues(t *testing.T) {
	e, j, folder, _ := start(t, 3)
	if err := e.Run(t.Context(), j, all, nil); !errors.Is(err, batch.ErrQueued) {
		t.Fatal(err)
	}
	args, err := os.ReadFile(filepath.Join(folder, "sbatch.args"))
	if err != nil || !strings.Contains(string(args), "--dependency=afterok:5 --kill-on-invalid-dep=yes") {
		t.Errorf("%v\n%s", err, args)
	}
	script, err := j.Store.Read(t.Context(), scriptName)
	if err != nil || !strings.Contains(string(script), "--array=0-2\n") || !strings.Contains(string(script), "--job-name=gaze-"+j.ID[:12]) {
		t.Errorf("%v\n%s", err, script)
	}
}

func TestEnginePrints(t *testing.T) {
	e, j, folder, _ := start(t, 3)
	text := ""
	e.Print = func(script string) error { text = script; return nil }
	if err := e.Run(t.Context(), j, []int{1, 3}, nil); !errors.Is(err, batch.ErrQueued) || !strings.HasSuffix(text, "\n1\n3\n") {
		t.Errorf("%v\n%s", err, text)
	}
	if _, err := os.Stat(filepath.Join(folder, "sbatch.args")); err == nil {
		t.Error("it was submitted")
	}
}

func TestEngineRefusesTwice(t *testing.T) {
	e, j, folder, _ := start(t, 3)
	if err := os.WriteFile(filepath.Join(folder, "squeue"), []byte("#!/bin/sh\necho 4\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := e.Run(t.Context(), j, all, nil); err == nil || !strings.Contains(err.Error(), "in Slurm's queue already, as 4") {
		t.Error(err)
	}
}
