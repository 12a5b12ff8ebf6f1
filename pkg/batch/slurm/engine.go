package slurm

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"gaze/pkg/batch"
)

// Engine submits the shards of a job to Slurm.
type Engine struct {
	Array            // its name and tasks are set by Run
	PerTask int      // shards of a task; 0: enough to make opening the model cheap
	Finish  []string // the command that finishes the job once all tasks have succeeded; none: nobody does
	Wait    bool     // wait until the tasks have ended
	Print   func(script string) error
	Say     func(text string) // is told what was submitted
}

// scriptName is the script's name in the job.
const scriptName = "logs/slurm.sh"

// Name is the name of a job in Slurm.
func Name(j *batch.Job) string { return "gaze-" + j.ID[:12] }

// Run submits the shards. Without Wait it then returns [batch.ErrQueued]. With Print it only
// hands out the script. A job that is in the queue already is an error.
func (e *Engine) Run(ctx context.Context, j *batch.Job, shards []int, report func(batch.Event)) error {
	e.Name = Name(j)
	e.Tasks = j.Divide(shards, e.PerTask, MaxTasks(ctx))
	script, err := e.Script()
	if err != nil {
		return err
	}
	if e.Print != nil {
		if err := e.Print(script); err != nil {
			return err
		}
		return batch.ErrQueued
	}
	id, err := e.submit(ctx, j, script)
	if err != nil {
		return err
	}
	e.Say(fmt.Sprintf("submitted %d shards in %d tasks as job %s ('squeue --job %s' shows them)", len(shards), len(e.Tasks), id, id))
	if !e.Wait {
		return batch.ErrQueued
	}
	return e.wait(ctx, j, id, shards, report)
}

// submit writes the script into the job and submits it.
func (e *Engine) submit(ctx context.Context, j *batch.Job, script string) (id string, err error) {
	queued, err := Queued(ctx, e.Name)
	if err != nil {
		return "", err
	}
	if len(queued) > 0 {
		return "", fmt.Errorf("%s is in Slurm's queue already, as %s: wait for it, or cancel it ('scancel %s') and run the job again", j.Store, strings.Join(queued, ", "), strings.Join(queued, " "))
	}
	if err := j.WriteLog(ctx, scriptName, script); err != nil {
		return "", err
	}
	if id, err = Submit(ctx, script); err != nil || e.Wait || len(e.Finish) == 0 {
		return id, err
	}
	// Job 12's end makes the manifest. If a task failed, it is taken out of the queue.
	after := "#!/bin/sh\nexec " + batch.ShellQuote(e.Finish...) + "\n"
	options := append([]string{
		"--dependency=afterok:" + id, "--kill-on-invalid-dep=yes", "--job-name=" + e.Name, "--ntasks=1", "--output=" + e.log("%j"),
	}, e.Options...)
	if _, err := Submit(ctx, after, options...); err != nil {
		return id, fmt.Errorf("the shards are submitted as job %s, but not the job that writes the manifest ('gaze batch run' does it, too): %w", id, err)
	}
	return id, nil
}

// between is the time between two questions to Slurm's controller.
const between = 5 * time.Second

// wait reports receipts until the array has ended.
func (e *Engine) wait(ctx context.Context, j *batch.Job, id string, shards []int, report func(batch.Event)) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			live, err := Live(ctx, id)
			if err != nil {
				cancel(err)
			}
			if err != nil || !live {
				return
			}
			select {
			case <-time.After(between):
			case <-ctx.Done():
				return
			}
		}
	}()
	missing, err := j.Watch(ctx, shards, done, report)
	if cause := context.Cause(ctx); cause != nil {
		return fmt.Errorf("job %s goes on in Slurm: %w", id, cause)
	}
	for _, shard := range missing {
		report(batch.Event{Shard: shard, Err: errors.New("its task has ended without a receipt; its log says why"), Last: true})
	}
	return err
}
