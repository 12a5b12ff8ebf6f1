package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	corpus "gaze/pkg/batch"
	"gaze/pkg/batch/spark"
)

// sparkClient is the program that talks to Spark (the module in spark/).
const sparkClient = "gaze-spark"

// sparkFlags choose Spark.
type sparkFlags struct {
	common *engineFlags
	remote string
}

func (s *sparkFlags) flags(f *pflag.FlagSet) {
	s.common.flags(f)
	f.StringVar(&s.remote, "spark", "", "run the shards on Spark, by the Connect server at this URL (sc://host:port); with --print, the URL may be -")
}

func (s *sparkFlags) asked() bool { return s.remote != "" }

func (s *sparkFlags) open(cmd *cobra.Command, j *corpus.Job) (corpus.Engine, error) {
	if err := s.common.check(cmd); err != nil {
		return nil, err
	}
	work, err := s.common.command("batch", "work", j.Store.String(), "--shard", "-", "--answer")
	if err != nil {
		return nil, err
	}
	e := &spark.Engine{Command: work, PerTask: s.common.perTask}
	if s.common.print {
		e.Print = func(sql string) error {
			_, err := fmt.Fprintln(cmd.OutOrStdout(), sql+";")
			return err
		}
		return e, nil
	}
	if !strings.HasPrefix(s.remote, "sc://") {
		return nil, misuse(cmd, fmt.Errorf("--spark %q: it must be the URL of a Connect server, such as sc://localhost:15002", s.remote))
	}
	client, err := findSparkClient()
	if err != nil {
		return nil, err
	}
	log := cmd.ErrOrStderr()
	e.Client = func() *exec.Cmd { return exec.Command(client, s.remote) }
	e.Log = func(line string) { fmt.Fprintln(log, printable(line)) }
	return e, nil
}

// findSparkClient looks for the client beside this program, then where programs are.
func findSparkClient() (string, error) {
	if exe, err := os.Executable(); err == nil {
		beside := filepath.Join(filepath.Dir(exe), sparkClient)
		if _, err := os.Stat(beside); err == nil {
			return beside, nil
		}
	}
	path, err := exec.LookPath(sparkClient)
	if err != nil {
		return "", errors.New("the program gaze-spark, which talks to Spark, isn't beside gaze or in PATH: build it in the source code ('make spark'), or print the query for spark-sql (--spark - --print)")
	}
	return path, nil
}
