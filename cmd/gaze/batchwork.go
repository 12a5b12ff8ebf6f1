package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	corpus "gaze/pkg/batch"
	"gaze/pkg/batch/source"
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
	j, err := openJob(cmd, job)
	if err != nil {
		return err
	}
	shards, err := w.shards(j)
	if err != nil {
		return misuse(cmd, err)
	}
	worker := &shardWorker{workFlags: *w, cmd: cmd, job: j, reader: source.NewReader()}
	defer worker.close()
	if w.shard == "-" {
		return worker.many(cmd.Context())
	}
	return worker.list(cmd.Context(), shards)
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

// shardWorker works on shards, one after another. The model is opened for the first that
// needs it.
type shardWorker struct {
	workFlags
	cmd    *cobra.Command
	job    *corpus.Job
	reader *source.Reader
	model  corpus.Model
}

func (w *shardWorker) close() {
	w.reader.Close()
	if w.model != nil {
		w.model.Close()
	}
}

// open opens the model.
func (w *shardWorker) open() (err error) {
	if w.model == nil {
		w.model, err = openBatchModel(w.cmd, w.job.Spec)
	}
	return err
}

// say prints a line of JSON.
func (w *shardWorker) say(v any) error {
	line, err := json.Marshal(v)
	if err != nil {
		return err
	}
	_, err = w.cmd.OutOrStdout().Write(append(line, '\n'))
	return err
}

// list makes the parts of shards. Those that fail are named at the end.
func (w *shardWorker) list(ctx context.Context, shards []int) error {
	var failed []int
	for _, shard := range shards {
		err := w.one(ctx, shard)
		switch {
		case err == nil:
		case ctx.Err() != nil:
			return ctx.Err()
		case w.model == nil || len(shards) == 1: // the next would fail in the same way
			return err
		default:
			fmt.Fprintf(w.cmd.ErrOrStderr(), "gaze: %s\n", oneLine(err))
			failed = append(failed, shard)
		}
	}
	if len(failed) > 0 {
		return fmt.Errorf("%d of %d shards failed (%s)", len(failed), len(shards), corpus.FormatShards(failed))
	}
	return nil
}

// one answers for a shard.
func (w *shardWorker) one(ctx context.Context, shard int) error {
	if w.answer {
		return w.reply(ctx, shard)
	}
	r, err := w.made(ctx, shard)
	if err != nil {
		return err
	}
	return w.say(r)
}

// made is the receipt of a shard, whose part is made if there is none.
func (w *shardWorker) made(ctx context.Context, shard int) (corpus.Receipt, error) {
	if r, err := w.job.Receipt(ctx, shard); err == nil { // without opening the model
		return r, nil
	}
	if err := w.open(); err != nil {
		return corpus.Receipt{}, err
	}
	return w.work(ctx, shard)
}

// progressEvery is the shortest time between two lines on a shard's progress.
const progressEvery = 500 * time.Millisecond

// work makes a shard's part.
func (w *shardWorker) work(ctx context.Context, shard int) (corpus.Receipt, error) {
	o := corpus.WorkOptions{Decoders: w.decoders, Gaze: version()}
	if w.progress {
		var last time.Time
		o.Progress = func(rows, bad int) {
			if time.Since(last) < progressEvery {
				return
			}
			last = time.Now()
			_ = w.say(corpus.Reply{Shard: shard, Rows: rows, Bad: bad}) // whoever reads it may be gone: the part still counts
		}
	}
	return w.job.Work(ctx, shard, w.model, w.reader, o)
}

// many makes the parts of the shards whose numbers are read. A shard that fails ends it, but
// an engine that reads the progress or the answers is told, and goes on with the others.
func (w *shardWorker) many(ctx context.Context) error {
	if w.progress {
		if err := w.open(); err != nil {
			return err
		}
		if err := w.say(corpus.Reply{Ready: true}); err != nil {
			return err
		}
	}
	for line := range linesOf(ctx, w.cmd.InOrStdin()) {
		shards, err := corpus.ParseShards(line, w.job.Shards())
		if err != nil {
			return misuse(w.cmd, fmt.Errorf("standard input: %q names no shards: %w", line, err))
		}
		for _, shard := range shards {
			if err := w.answerTo(ctx, shard); err != nil {
				return err
			}
		}
	}
	return ctx.Err()
}

// answerTo answers for a shard whose number was read.
func (w *shardWorker) answerTo(ctx context.Context, shard int) error {
	if w.progress {
		return w.reply(ctx, shard)
	}
	return w.one(ctx, shard)
}

// reply makes a shard's part and says what became of it. Its error ends the process: there
// is no model, or nobody to tell.
func (w *shardWorker) reply(ctx context.Context, shard int) error {
	r, err := w.made(ctx, shard)
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err == nil:
		return w.say(corpus.Reply{Shard: shard, Receipt: &r})
	case w.model == nil:
		return err
	}
	return w.say(corpus.Reply{Shard: shard, Error: oneLine(err)})
}

// linesOf yields the lines that aren't empty until the input ends or the context is done.
func linesOf(ctx context.Context, in io.Reader) func(yield func(string) bool) {
	lines := make(chan string)
	go func() { // a read can't be interrupted, so it gets its own goroutine
		defer close(lines)
		for s := bufio.NewScanner(in); s.Scan(); {
			if line := strings.TrimSpace(s.Text()); line != "" {
				select {
				case lines <- line:
				case <-ctx.Done():
					return
				}
			}
		}
	}()
	return func(yield func(string) bool) {
		for {
			select {
			case line, ok := <-lines:
				if !ok || !yield(line) {
					return
				}
			case <-ctx.Done():
				return
			}
		}
	}
}
