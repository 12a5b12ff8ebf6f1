package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"github.com/gomlx/compute"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"gaze/internal/meter"
	corpus "gaze/pkg/batch"
)

// runEngine is a way to run a job's shards, which flags of `gaze batch run` choose.
type runEngine interface {
	// flags defines the engine's flags.
	flags(f *pflag.FlagSet)
	// asked says whether the flags choose this engine.
	asked() bool
	// open returns the engine for a job.
	open(cmd *cobra.Command, j *corpus.Job) (corpus.Engine, error)
}

// runEngines are the engines apart from processes on this machine, the default.
func runEngines() []runEngine { return nil }

// batchRunFlags are the flags of `gaze batch run`.
type batchRunFlags struct {
	workers        int
	missing, quiet bool
	engines        []runEngine
}

func newBatchRun() *cobra.Command {
	flags := batchRunFlags{engines: runEngines()}
	cmd := &cobra.Command{
		Use:   "run JOB",
		Short: "Run all shards of a job that aren't done",
		Long: "Run all shards of a job that have no receipt yet, and write the manifest when the job is\n" +
			"complete. What was interrupted or killed is continued by running it again: only the shards that\n" +
			"were being worked on are begun anew. A shard that fails is tried again, 3 times in all; then it\n" +
			"is named, the others are done, and the exit status is 1. Bad pictures are rows with their error\n" +
			"and change no exit status.",
		Example: "  gaze batch run job\n" +
			"  gaze batch run job --workers 4",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return flags.run(cmd, args[0]) },
	}
	f := cmd.Flags()
	f.IntVar(&flags.workers, "workers", 1, "processes on this machine; with CUDA, each gets a card of its own as far as there are any")
	f.BoolVar(&flags.missing, "missing", false, "only shards without a receipt: what every run does, said for scripts")
	f.BoolVarP(&flags.quiet, "quiet", "q", false, "no progress and no summary on standard error")
	for _, e := range flags.engines {
		e.flags(f)
	}
	return cmd
}

func (r *batchRunFlags) run(cmd *cobra.Command, job string) error {
	if r.workers < 1 {
		return misuse(cmd, fmt.Errorf("--workers %d: it must be at least 1", r.workers))
	}
	j, err := openJob(cmd, job)
	if err != nil {
		return err
	}
	engine, err := r.engine(cmd, j)
	if err != nil {
		return err
	}
	status, err := j.Status(cmd.Context())
	if err != nil {
		return err
	}
	missing, err := j.Missing(cmd.Context())
	if err != nil {
		return err
	}
	v := newRunView(cmd, status, r.quiet)
	if len(missing) > 0 {
		err = engine.Run(cmd.Context(), j, missing, v.event)
	}
	v.line.clear()
	if err != nil {
		return errors.Join(err, v.note())
	}
	return r.finish(cmd, j, v)
}

// finish writes the manifest, or says which shards failed.
func (r *batchRunFlags) finish(cmd *cobra.Command, j *corpus.Job, v *runView) error {
	m, err := j.Finish(cmd.Context())
	if errors.Is(err, corpus.ErrIncomplete) && len(v.failed) > 0 {
		return fmt.Errorf("%d of %d shards failed (%s); the others are done: run the job again to try them again", len(v.failed), j.Shards(), strings.Join(v.failed, ", "))
	}
	if err != nil {
		return err
	}
	if !r.quiet {
		fmt.Fprintf(cmd.ErrOrStderr(), "gaze: %s is complete: %d pictures in %d parts, %d bad\n", onOneLine(j.Store.String()), m.Rows, len(m.Parts), m.Bad)
	}
	return nil
}

// engine is the engine that the flags choose.
func (r *batchRunFlags) engine(cmd *cobra.Command, j *corpus.Job) (corpus.Engine, error) {
	var chosen runEngine
	for _, e := range r.engines {
		if e.asked() && chosen != nil {
			return nil, misuse(cmd, errors.New("several engines are chosen: choose one"))
		}
		if e.asked() {
			chosen = e
		}
	}
	if chosen != nil {
		return chosen.open(cmd, j)
	}
	exe, err := os.Executable()
	if err != nil {
		return nil, err
	}
	log := cmd.ErrOrStderr()
	return corpus.Local{
		Workers: r.workers,
		Command: func(worker int) *exec.Cmd {
			c := exec.Command(exe, "batch", "work", j.Store.String(), "--shard", "-", "--progress")
			c.Env = workerEnvironment(os.Environ(), worker, r.workers)
			return c
		},
		Log: func(worker int, line string) {
			// Lines of one worker need no number.
			prefix := ""
			if r.workers > 1 {
				prefix = fmt.Sprintf("worker %d: ", worker)
			}
			fmt.Fprintf(log, "gaze: %s%s\n", prefix, printable(strings.TrimPrefix(line, "gaze: ")))
		},
	}, nil
}

// cards is the variable that chooses the cards that a process sees.
const cards = "CUDA_VISIBLE_DEVICES"

// workerEnvironment is the environment of a worker: of several on CUDA, each sees one card.
func workerEnvironment(env []string, worker, of int) []string {
	if of == 1 || !strings.Contains(os.Getenv(compute.ConfigEnvVar), "cuda") {
		return env
	}
	card := strconv.Itoa(worker)
	if list := os.Getenv(cards); list != "" {
		all := strings.Split(list, ",")
		card = all[worker%len(all)]
	}
	return append(env, cards+"="+card)
}

// runView shows how far a run is: a line on a terminal, or else a line now and then.
type runView struct {
	cmd    *cobra.Command
	quiet  bool
	line   *liveLine
	log    io.Writer
	meter  *meter.Meter
	status corpus.Status
	flying map[int]corpus.Event // the latest of each shard that is being worked on
	failed []string
	last   time.Time
}

// plainEvery is the time between two lines where there is no terminal.
const plainEvery = 30 * time.Second

func newRunView(cmd *cobra.Command, s corpus.Status, quiet bool) *runView {
	v := &runView{cmd: cmd, quiet: quiet, status: s, flying: map[int]corpus.Event{}, last: time.Now()}
	v.line = newLiveLine(cmd.ErrOrStderr(), !quiet)
	v.log = v.line.above(cmd.ErrOrStderr())
	v.meter = meter.New(float64(s.Inputs))
	v.meter.At(float64(s.Rows))
	return v
}

// event takes news of a shard.
func (v *runView) event(e corpus.Event) {
	switch {
	case e.Receipt != nil:
		delete(v.flying, e.Shard)
		v.status.Rows += e.Receipt.Rows
		v.status.Bad += e.Receipt.Bad
		v.status.Done++
	case e.Err != nil:
		delete(v.flying, e.Shard)
		text := "it is tried again"
		if e.Last {
			text = "it failed " + strconv.Itoa(corpus.Attempts) + " times"
			v.failed = append(v.failed, strconv.Itoa(e.Shard))
		}
		fmt.Fprintf(v.log, "gaze: shard %d: %s (%s)\n", e.Shard, oneLine(e.Err), text)
	default:
		v.flying[e.Shard] = e
	}
	v.show()
}

// show draws the progress.
func (v *runView) show() {
	rows, bad := v.status.Rows, v.status.Bad
	for _, e := range v.flying {
		rows, bad = rows+e.Rows, bad+e.Bad
	}
	v.meter.At(float64(rows))
	text := fmt.Sprintf("%d of %d pictures", rows, v.status.Inputs)
	if bad > 0 {
		text += fmt.Sprintf(", %d bad", bad)
	}
	if rate := v.meter.Rate(); rate > 0 {
		text += fmt.Sprintf(", %s, %s left", perSecond(rate), v.meter.Left().Round(time.Second))
	}
	v.line.show(text)
	if !v.line.on && !v.quiet && time.Since(v.last) >= plainEvery {
		v.last = time.Now()
		fmt.Fprintf(v.cmd.ErrOrStderr(), "gaze: %s\n", text)
	}
}

// note says what an interrupted run leaves.
func (v *runView) note() error {
	if v.cmd.Context().Err() == nil || v.quiet {
		return nil
	}
	fmt.Fprintf(v.cmd.ErrOrStderr(), "gaze: %d of %d shards are done; run the job again to go on\n", v.status.Done, v.status.Shards)
	return context.Cause(v.cmd.Context())
}
