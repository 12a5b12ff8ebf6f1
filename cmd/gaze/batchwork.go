package main

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	corpus "gaze/pkg/batch"
)

// workFlags are the flags of `gaze batch work`.
type workFlags struct {
	shard    string
	block    int
	decoders int
	progress bool
	answer   bool
}

func newBatchWork() *cobra.Command {
	var flags workFlags
	cmd := &cobra.Command{
		Use:   "work JOB --shard N",
		Short: "Make the part of one shard",
		Long: "Make the part of one shard and its receipt, and print the receipt as a line of JSON. It is what\n" +
			"every engine runs, anywhere and any number of times: if the shard is done, its receipt is\n" +
			"printed and nothing else happens. Several shards ('0-3,7') are worked on one after another, so\n" +
			"that the model is opened only once; one that fails doesn't keep the others from being made.\n" +
			"With --shard - the numbers are read from standard input.",
		Example: "  gaze batch work job --shard 0\n" +
			"  gaze batch work job --shard 0-9\n" +
			"  gaze batch work job --shard 3 --block 10     # shards 30 to 39",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return flags.run(cmd, args[0]) },
	}
	f := cmd.Flags()
	f.StringVar(&flags.shard, "shard", "", "the shard's number, counted from 0, or several (0-3,7); - reads lines of them from standard input")
	f.IntVar(&flags.block, "block", 0, "--shard is the number of a block of so many shards, counted from 0: for engines that count their tasks")
	f.IntVar(&flags.decoders, "decoders", 0, "pictures that are read and decoded at a time (default: one for each processor)")
	f.BoolVar(&flags.progress, "progress", false, "also print a line when the model is open, and how far a shard is")
	f.BoolVar(&flags.answer, "answer", false, "print an object with the receipt or the error for each shard; one that fails changes no exit status")
	for _, name := range []string{"progress", "answer"} {
		if err := f.MarkHidden(name); err != nil {
			panic(err) // the flag was not defined
		}
	}
	require(cmd, "shard")
	return cmd
}

func (w *workFlags) run(cmd *cobra.Command, job string) error {
	if strings.Trim(w.shard, "0123456789,- ") != "" { // known before the job is
		return misuse(cmd, fmt.Errorf("--shard %q: it must be a number from 0, numbers and ranges (0-3,7), or -", w.shard))
	}
	j, err := openJob(cmd, job)
	if err != nil {
		return err
	}
	shards, err := w.shards(j)
	if err != nil {
		return misuse(cmd, err)
	}
	server := &corpus.Server{
		Job: j, Out: cmd.OutOrStdout(), Engine: w.progress || w.answer, Brief: w.answer, Log: cmd.ErrOrStderr(),
		Open: func() (corpus.Model, error) { return openBatchModel(cmd, j.Spec) },
		Work: corpus.WorkOptions{Decoders: w.decoders, Gaze: version()},
	}
	defer server.Close()
	if w.shard != "-" {
		return server.List(cmd.Context(), shards)
	}
	err = server.Serve(cmd.Context(), cmd.InOrStdin())
	if errors.Is(err, corpus.ErrShard) {
		return misuse(cmd, err)
	}
	return err
}

// shards are those that --shard and --block name, none if they are read.
func (w *workFlags) shards(j *corpus.Job) ([]int, error) {
	switch {
	case w.block < 0:
		return nil, fmt.Errorf("--block %d: it must be at least 1", w.block)
	case w.shard == "-" && w.block > 0:
		return nil, errors.New("--block goes with the number of a block, not with --shard -")
	case w.shard == "-":
		return nil, nil
	case w.block > 0:
		blocks := (j.Shards() + w.block - 1) / w.block
		n, err := strconv.Atoi(w.shard)
		if err != nil || n < 0 || n >= blocks {
			return nil, fmt.Errorf("--shard %q: %s has blocks 0 to %d of %d shards", w.shard, j.Store, blocks-1, w.block)
		}
		var shards []int
		for shard := n * w.block; shard < min((n+1)*w.block, j.Shards()); shard++ {
			shards = append(shards, shard)
		}
		return shards, nil
	}
	shards, err := corpus.ParseShards(w.shard, j.Shards())
	if err != nil {
		return nil, fmt.Errorf("--shard: %w", err)
	}
	return shards, nil
}
