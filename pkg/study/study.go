// Package study compares ways of fine-tuning: a row for each, several seeds for
// every row, the same pictures for all, and a test set that no choice was made on.
// It knows how runs are trained and compared; which rows a report compares, and what
// it says of them, it doesn't know.
package study

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/gomlx/compute"

	"gaze/pkg/data"
	"gaze/pkg/evaluate"
	"gaze/pkg/train"
	"gaze/pkg/vit"
)

// Row is one way of fine-tuning.
type Row struct {
	Name     string // short, for tables and legends
	Asks     string // what it is there to find out
	Start    string // a checkpoint's file, or a description as vit.ParseConfig reads it
	Pipeline string // how a picture is prepared to train on; without its random steps, to classify
	Settings string // as train.ParseSettings reads them; the seed is the study's
}

// Study is rows to be compared on a data set.
type Study struct {
	Data *data.Splits // Train and Validation are needed; Test if there is one
	// Folder is what the data set is opened by; "": the folder that its splits are in.
	Folder string
	// HeldOut says which part of the training pictures Validation is, where the data
	// set has no pictures to validate on (see [data.HoldOut]); else nil.
	HeldOut *train.HeldOut
	Rows    []Row
	Seeds   []uint64
	// Dir keeps the runs: those in it are not trained again, and interrupted ones are
	// continued.
	Dir string
	// Parallel is how many runs are trained at a time, each to the same bits as
	// alone: small models leave processors idle. 0: one.
	Parallel int
	Workers  int            // of each run, that decode and transform; 0: one for each processor
	Progress func(Progress) // may be nil; called by one run at a time
	// Warn is called with warnings about a row's run, such as random steps that a probe
	// leaves out; may be nil. They are also in the run's run.json.
	Warn  func(row Row, text string)
	Notes []string // to be shown with the study
}

// Progress is how far a study is.
type Progress struct {
	Row       Row
	Seed      uint64
	Run, Runs int // the one under way, from 1, of how many
	train.Progress
}

// Run is one row with one seed.
type Run struct {
	Seed     uint64
	Dir      string               // its folder, as 'gaze evaluate --run' takes it
	Epochs   []train.EpochMetrics // in order
	BestAt   int                  // the epoch that was best on the validation set, from 1
	Best     train.Evaluation     // on the validation set, after that epoch
	Last     train.Evaluation     // on the validation set, after the last epoch
	Test     *evaluate.Report     // of the best epoch's weights on the test set; nil without one
	Report   *evaluate.Report     // Test; without one, the same on the validation set
	Right    []bool               // which pictures of that set were right
	Seconds  float64              // of training and validation
	Pictures int                  // that were trained on, each as often as it was shown
}

// Outcome is a row's runs, in the order of the seeds.
type Outcome struct {
	Row
	Runs []Run
}

// Result is what a study found.
type Result struct {
	Data     *data.Splits
	Folder   string         // as the study's
	HeldOut  *train.HeldOut // as the study's
	Outcomes []Outcome      // in the order of the rows
}

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

// Run trains what isn't there yet, row by row and seed by seed, and reads the
// rest. A cancelled context saves the run under way and ends with
// [train.ErrStopped].
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
	decoded := s.decodedOnce()
	var jobs []job
	for _, row := range s.Rows {
		for _, seed := range s.Seeds {
			jobs = append(jobs, job{study: s, row: row, seed: seed, data: hash, start: starts[row.Start], pictures: decoded, number: len(jobs) + 1})
		}
	}
	runs, err := s.runs(ctx, backend, jobs)
	if err != nil {
		return nil, err
	}
	result := &Result{Data: s.Data, Folder: s.Folder, HeldOut: s.HeldOut}
	for i, row := range s.Rows {
		result.Outcomes = append(result.Outcomes, Outcome{row, runs[i*len(s.Seeds) : (i+1)*len(s.Seeds)]})
	}
	return result, nil
}

// runs does the jobs in their order, Parallel at a time. After the first error no
// more are started; those under way are saved and stopped.
func (s Study) runs(ctx context.Context, backend compute.Backend, jobs []job) ([]Run, error) {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	var next atomic.Int64
	var progress sync.Mutex
	pool := &train.Pool{}
	defer pool.Close()
	runs, errs := make([]Run, len(jobs)), make([]error, len(jobs))
	var wait sync.WaitGroup
	for range max(1, s.Parallel) {
		wait.Go(func() {
			for i := int(next.Add(1)) - 1; i < len(jobs) && ctx.Err() == nil; i = int(next.Add(1)) - 1 {
				j := jobs[i]
				j.progress, j.pool = &progress, pool
				if runs[i], errs[i] = j.run(ctx, backend); errs[i] != nil {
					errs[i] = fmt.Errorf("study: %s, seed %d: %w", j.row.Name, j.seed, errs[i])
					stop()
				}
			}
		})
	}
	wait.Wait()
	stopped := ctx.Err() != nil
	for _, err := range errs { // the one that stopped the others, if there is one
		if err != nil && !errors.Is(err, train.ErrStopped) {
			return nil, err
		}
	}
	if stopped {
		return nil, fmt.Errorf("study: %w", train.ErrStopped)
	}
	return runs, nil
}

func (s Study) check() error {
	switch {
	case s.Data == nil || s.Data.Train == nil || s.Data.Validation == nil:
		return errors.New("study: the data set needs pictures to train on and others to validate: folders train and val")
	case len(s.Rows) == 0 || len(s.Seeds) == 0:
		return errors.New("study: there are no rows or no seeds")
	case s.Dir == "":
		return errors.New("study: there is no folder to keep the runs in")
	}
	rows, seeds := map[string]bool{}, map[uint64]bool{}
	for _, row := range s.Rows {
		if row.Name == "" || rows[row.Name] {
			return fmt.Errorf("study: every row needs a name of its own, %q isn't one", row.Name)
		}
		rows[row.Name] = true
	}
	for _, seed := range s.Seeds {
		if seeds[seed] {
			return fmt.Errorf("study: seed %d is listed twice", seed)
		}
		seeds[seed] = true
	}
	return nil
}

// hash names the pictures to train and to validate on.
func (s Study) hash(ctx context.Context) (string, error) {
	training, err := s.Data.Train.Hash(ctx)
	if err != nil {
		return "", err
	}
	validation, err := s.Data.Validation.Hash(ctx)
	return training + "+" + validation, err
}

// starts names the models that rows begin with: a checkpoint by its digest, one
// from scratch by its description.
func (s Study) starts() (map[string]string, error) {
	names := map[string]string{}
	for _, row := range s.Rows {
		if _, known := names[row.Start]; known {
			continue
		}
		if vit.IsSpec(row.Start) {
			names[row.Start] = row.Start
			continue
		}
		m, err := vit.Load(row.Start)
		if err != nil {
			return nil, fmt.Errorf("study: %s: %w", row.Name, err)
		}
		digest, err := m.Digest()
		m.Close()
		if err != nil {
			return nil, fmt.Errorf("study: %s: %w", row.Name, err)
		}
		names[row.Start] = m.Name + " sha256:" + digest
	}
	return names, nil
}

// Sweep tries learning rates on a row with the first seed, before anything is
// trained: where does the loss fall, where does it break down?
func (s Study) Sweep(ctx context.Context, backend compute.Backend, name string) (*train.Sweep, error) {
	for _, row := range s.Rows {
		if row.Name != name {
			continue
		}
		j := job{study: s, row: row, seed: s.Seeds[0], pictures: s.decodedOnce(), progress: &sync.Mutex{}}
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
