package main

import (
	"errors"
	"fmt"
	"strconv"

	"github.com/spf13/cobra"

	corpus "gaze/pkg/batch"
)

// workFlags are the flags of `gaze batch work`.
type workFlags struct {
	shard    string
	decoders int
	progress bool
}

func newBatchWork() *cobra.Command {
	var flags workFlags
	cmd := &cobra.Command{
		Use:   "work JOB --shard N",
		Short: "Make the part of one shard",
		Long: "Make the part of one shard and its receipt, and print the receipt as a line of JSON. It is what\n" +
			"every engine runs, anywhere and any number of times: if the shard is done, its receipt is\n" +
			"printed and nothing else happens. With --shard - the numbers of shards are read from standard\n" +
			"input, one a line, so that the model is opened only once; each is answered with a line.",
		Example: "  gaze batch work job --shard 0\n" +
			"  seq 0 9 | gaze batch work job --shard -",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return flags.run(cmd, args[0]) },
	}
	f := cmd.Flags()
	f.StringVar(&flags.shard, "shard", "", "the shard's number, counted from 0; - reads numbers from standard input")
	f.IntVar(&flags.decoders, "decoders", 0, "pictures that are read and decoded at a time (default: one for each processor)")
	f.BoolVar(&flags.progress, "progress", false, "also print a line when the model is open, and how far a shard is")
	if err := f.MarkHidden("progress"); err != nil {
		panic(err) // the flag was not defined
	}
	require(cmd, "shard")
	return cmd
}

func (w *workFlags) run(cmd *cobra.Command, job string) error {
	first := -1
	if w.shard != "-" {
		n, err := strconv.Atoi(w.shard)
		if err != nil || n < 0 {
			return misuse(cmd, fmt.Errorf("--shard %q: it must be a number from 0, or -", w.shard))
		}
		first = n
	}
	j, err := openJob(cmd, job)
	if err != nil {
		return err
	}
	server := &corpus.Server{
		Job: j, Out: cmd.OutOrStdout(), Engine: w.progress,
		Open: func() (corpus.Model, error) { return openBatchModel(cmd, j.Spec) },
		Work: corpus.WorkOptions{Decoders: w.decoders, Gaze: version()},
	}
	defer server.Close()
	if first >= 0 {
		err = server.One(cmd.Context(), first)
	} else {
		err = server.Serve(cmd.Context(), cmd.InOrStdin())
	}
	if errors.Is(err, corpus.ErrShard) {
		return misuse(cmd, err)
	}
	return err
}
