package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/gomlx/compute"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	corpus "gaze/pkg/batch"
	"gaze/pkg/batch/slurm"
)

// slurmFlags choose Slurm.
type slurmFlags struct {
	common  *engineFlags
	on      bool
	nodes   int
	wait    bool
	options []string
}

func (s *slurmFlags) flags(f *pflag.FlagSet) {
	f.BoolVar(&s.on, "slurm", false, "submit the shards to Slurm as an array job, whose logs go to JOB/logs")
	f.IntVar(&s.nodes, "nodes", 0, "Slurm: nodes, or with CUDA cards, that work at a time (default: as many as there are)")
	f.BoolVar(&s.wait, "wait", false, "Slurm: wait until the array has ended, and show the progress")
	f.StringArrayVar(&s.options, "sbatch", nil, "Slurm: a further option of sbatch, such as --partition=long; may be given several times")
}

func (s *slurmFlags) asked() bool { return s.on }

func (s *slurmFlags) open(cmd *cobra.Command, j *corpus.Job) (corpus.Engine, error) {
	if err := s.common.check(cmd); err != nil {
		return nil, err
	}
	if s.nodes < 0 || cmd.Flags().Changed("nodes") && s.nodes == 0 {
		return nil, misuse(cmd, errors.New("--nodes: it must be at least 1"))
	}
	logs, err := j.LogFolder()
	if err != nil {
		return nil, err
	}
	work, err := s.common.command("batch", "work", j.Store.String(), "--shard")
	if err != nil {
		return nil, err
	}
	e := &slurm.Engine{
		Array: slurm.Array{
			Command: work, AtOnce: s.nodes, Logs: logs, Card: onCUDA(), Options: s.options,
		},
		PerTask: s.common.perTask,
		Finish:  []string{work[0], "batch", "run", j.Store.String(), "--quiet"},
		Wait:    s.wait,
		Say:     func(text string) { fmt.Fprintln(cmd.ErrOrStderr(), "gaze: "+text) },
	}
	if chosen := os.Getenv(compute.ConfigEnvVar); chosen != "" {
		e.Env = []string{compute.ConfigEnvVar + "=" + chosen}
	}
	if s.common.print {
		e.Print = func(script string) error {
			_, err := fmt.Fprint(cmd.OutOrStdout(), script)
			return err
		}
	}
	return e, nil
}
