package main

import (
	"bufio"
	"context"
	"encoding/json"
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
	worker := &shardWorker{workFlags: *w, cmd: cmd, job: j, reader: source.NewReader()}
	defer worker.close()
	if first >= 0 {
		return worker.one(cmd.Context(), first)
	}
	return worker.many(cmd.Context())
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

// one makes a shard's part and prints the receipt.
func (w *shardWorker) one(ctx context.Context, shard int) error {
	if err := w.job.Check(shard); err != nil {
		return misuse(w.cmd, err)
	}
	r, err := w.job.Receipt(ctx, shard)
	if err == nil {
		return w.say(r)
	}
	if err := w.open(); err != nil {
		return err
	}
	if r, err = w.work(ctx, shard); err != nil {
		return err
	}
	return w.say(r)
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
// an engine that reads the progress is told, and goes on with the others.
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
		shard, err := strconv.Atoi(line)
		if err == nil {
			err = w.job.Check(shard)
		}
		if err != nil {
			return misuse(w.cmd, fmt.Errorf("standard input: %q is no shard: %w", line, err))
		}
		if err := w.answer(ctx, shard); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// answer works on a shard and prints what became of it. Its error ends the process.
func (w *shardWorker) answer(ctx context.Context, shard int) error {
	if err := w.open(); err != nil {
		return err
	}
	r, err := w.work(ctx, shard)
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err == nil && w.progress:
		return w.say(corpus.Reply{Shard: shard, Receipt: &r})
	case err == nil:
		return w.say(r)
	case w.progress:
		return w.say(corpus.Reply{Shard: shard, Error: oneLine(err)})
	}
	return err
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
