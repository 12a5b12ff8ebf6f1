package study

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"sync/atomic"

	"github.com/gomlx/compute"

	"gaze/pkg/backend"
	"gaze/pkg/data"
	"gaze/pkg/train"
	"gaze/pkg/vit"
)

// pictures are the sets of a study, each picture decoded once as far as it fits into
// memory.
type pictures struct {
	train, validation, test data.Set
}

// decodedOnce keeps up to 256 MiB of each set.
func (s Study) decodedOnce() pictures {
	const room = 256 << 20
	p := pictures{train: data.NewCache(s.Data.Train, room), validation: data.NewCache(s.Data.Validation, room)}
	if s.Data.Test != nil {
		p.test = data.NewCache(s.Data.Test, room)
	}
	return p
}

// Run trains what isn't there yet, row by row and seed by seed, and reads the rest. A run
// that breaks down (a loss of NaN, from too high a rate) is missing from the result, which
// says why; any other error ends the study. A cancelled context saves the run under way and
// ends with [train.ErrStopped]. With an error, the result holds what was finished until
// then, and is nil if nothing could begin.
func (s Study) Run(ctx context.Context, backend compute.Backend) (*Result, error) {
	if err := s.check(); err != nil {
		return nil, err
	}
	hash, err := s.hash(ctx)
	if err != nil {
		return nil, err
	}
	starts, err := s.starts()
	if err != nil {
		return nil, err
	}
	jobs := s.jobs(hash, starts)
	errs := s.runs(ctx, backend, jobs)
	result := s.result(backend.Description(), jobs, errs)
	return result, firstError(ctx, errs)
}

// jobs are all runs in their order.
func (s Study) jobs(hash string, starts map[string]string) []*job {
	decoded := s.decodedOnce()
	var jobs []*job
	for _, row := range s.Rows {
		for _, seed := range s.seedsOf(row) {
			jobs = append(jobs, &job{study: s, row: row, seed: seed, data: hash, start: starts[row.Start], pictures: decoded, number: len(jobs) + 1})
		}
	}
	for _, j := range jobs {
		j.of = len(jobs)
	}
	return jobs
}

// result collects the finished runs.
func (s Study) result(device string, jobs []*job, errs []error) *Result {
	r := &Result{
		Data: s.Data, Folder: s.Folder, HeldOut: s.HeldOut, Classes: s.Data.Classes, Judge: s.judge(), Tested: s.Data.Test != nil,
		Parts:  Parts{Train: s.Data.Train.Len(), Validation: s.Data.Validation.Len()},
		Device: DescribeDevice(device), Notes: s.Notes,
	}
	if r.Tested {
		r.Parts.Test = s.Data.Test.Len()
	}
	if r.Folder == "" {
		r.Folder = filepath.Dir(s.Data.Train.Root)
	}
	at := 0
	for _, row := range s.Rows {
		o := Outcome{Row: row, Features: s.Extractors[row.Start] != nil}
		for range s.seedsOf(row) {
			if j := jobs[at]; j.done {
				o.Runs = append(o.Runs, j.result)
			} else {
				r.Missing = append(r.Missing, Missing{Row: row.Name, Model: row.Model, Seed: j.seed, Why: why(errs[at])})
			}
			at++
		}
		if len(o.Runs) > 0 {
			r.Outcomes = append(r.Outcomes, o)
		}
	}
	return r
}

// why a run is missing.
func why(err error) string {
	if err == nil || errors.Is(err, train.ErrStopped) || errors.Is(err, context.Canceled) {
		return "not finished"
	}
	return err.Error()
}

// judge is what the pictures are called that runs are judged by.
func (s Study) judge() string {
	switch {
	case s.Data.Test != nil && s.Judge != "":
		return s.Judge
	case s.Data.Test != nil:
		return "test"
	case s.HeldOut != nil:
		return "held-out"
	}
	return "validation"
}

// runs does the jobs in their order, Parallel at a time, and returns the error of each.
// After the first error no more are started; those under way are saved and stopped. A run
// that broke down stops no other.
func (s Study) runs(ctx context.Context, device compute.Backend, jobs []*job) []error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	var next atomic.Int64
	var progress sync.Mutex
	pool := &train.Pool{}
	defer pool.Close()
	errs := make([]error, len(jobs))
	var wait sync.WaitGroup
	for range max(1, s.Parallel) {
		wait.Go(func() {
			defer backend.Share()() // the last run has all processors again
			for i := int(next.Add(1)) - 1; i < len(jobs) && ctx.Err() == nil; i = int(next.Add(1)) - 1 {
				j := jobs[i]
				j.progress, j.pool = &progress, pool
				err := j.run(ctx, device)
				progress.Lock() // the others' errors and results are read by finished
				if errs[i] = err; err == nil || errors.Is(err, train.ErrNotFinite) {
					s.finished(device, jobs, errs)
					progress.Unlock()
					continue
				}
				progress.Unlock()
				errs[i] = fmt.Errorf("study: %s, seed %d: %w", j.row.Title(), j.seed, errs[i])
				stop()
			}
		})
	}
	wait.Wait()
	return errs
}

// finished tells of what is finished.
func (s Study) finished(backend compute.Backend, jobs []*job, errs []error) {
	if s.Finished != nil {
		s.Finished(s.result(backend.Description(), jobs, errs))
	}
}

// firstError is the error that ended a study: the one that stopped the others, if there is
// one.
func firstError(ctx context.Context, errs []error) error {
	stopped := ctx.Err() != nil
	for _, err := range errs {
		switch {
		case err == nil || errors.Is(err, train.ErrNotFinite):
		case errors.Is(err, train.ErrStopped) || errors.Is(err, context.Canceled):
			stopped = true
		default:
			return err
		}
	}
	if stopped {
		return fmt.Errorf("study: %w", train.ErrStopped)
	}
	return nil
}

// starts names the models that rows begin with: a checkpoint by its digest, one
// from scratch by its description.
func (s Study) starts() (map[string]string, error) {
	names := map[string]string{}
	for _, row := range s.Rows {
		if _, known := names[row.Start]; known {
			continue
		}
		name, err := s.startOf(row)
		if err != nil {
			return nil, fmt.Errorf("study: %s: %w", row.Title(), err)
		}
		names[row.Start] = name
	}
	return names, nil
}

// startOf names the model that a row begins with.
func (s Study) startOf(row Row) (string, error) {
	if e := s.Extractors[row.Start]; e != nil {
		digest, err := e.Digest()
		return row.Start + " sha256:" + digest, err
	}
	if vit.IsSpec(row.Start) {
		return row.Start, nil
	}
	m, err := vit.Load(row.Start)
	if err != nil {
		return "", err
	}
	defer m.Close()
	digest, err := m.Digest()
	return m.Name + " sha256:" + digest, err
}

// Sweep tries learning rates on the first row of a name with the first seed, before anything
// is trained: where does the loss fall, where does it break down?
func (s Study) Sweep(ctx context.Context, backend compute.Backend, name string) (*train.Sweep, error) {
	for _, row := range s.Rows {
		if row.Name != name || row.Kind != Trains {
			continue
		}
		j := job{study: s, row: row, seed: s.seedsOf(row)[0], pictures: s.decodedOnce(), progress: &sync.Mutex{}}
		f, err := j.fineTune()
		if err != nil {
			return nil, fmt.Errorf("study: %s: %w", name, err)
		}
		if f.Model, err = j.open(); err != nil {
			return nil, fmt.Errorf("study: %s: %w", name, err)
		}
		defer f.Model.Close()
		return f.Sweep(ctx, backend, train.FinderOptions{From: 1e-6, To: 0.1})
	}
	return nil, fmt.Errorf("study: there is no row %q", name)
}
