package study

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"unicode"

	"github.com/gomlx/compute"

	"gaze/pkg/evaluate"
	"gaze/pkg/train"
	"gaze/pkg/transform"
	"gaze/pkg/vit"
)

// job is one row with one seed.
type job struct {
	study  Study
	row    Row
	seed   uint64
	data   string // names the pictures
	start  string // names the model that the row begins with
	number int    // of the run, from 1

	pictures pictures    // decoded once for all runs
	progress *sync.Mutex // held while a run tells of itself
	pool     *train.Pool
}

// run trains, unless that was done before, tests, and reads what came out.
func (j job) run(ctx context.Context, backend compute.Backend) (Run, error) {
	f, err := j.fineTune()
	if err != nil {
		return Run{}, err
	}
	manifest, err := train.ReadManifest(f.Dir)
	if err != nil || manifest.Status != train.Done {
		if manifest, err = j.train(ctx, backend, f, err == nil && hasCheckpoint(f.Dir)); err != nil {
			return Run{}, err
		}
	}
	run := Run{Seed: j.seed, Dir: f.Dir, BestAt: manifest.BestAt, Seconds: manifest.Seconds}
	if run.Epochs, err = train.History(f.Dir); err != nil {
		return Run{}, err
	}
	run.Best, run.Last = *manifest.Best, *run.Epochs[len(run.Epochs)-1].Validation
	for _, e := range run.Epochs {
		run.Pictures += e.Train.Total
	}
	return run, j.test(ctx, backend, &run)
}

// train begins the run, or goes on with it.
func (j job) train(ctx context.Context, backend compute.Backend, f *train.FineTune, resume bool) (*train.Manifest, error) {
	if !resume { // what is there was stopped before its first checkpoint
		if err := os.RemoveAll(f.Dir); err != nil {
			return nil, err
		}
	}
	m, err := j.open()
	if err != nil {
		return nil, err
	}
	defer m.Close()
	f.Model, f.Resume = m, resume
	return f.Run(ctx, backend)
}

func hasCheckpoint(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, "checkpoints", "last.safetensors"))
	return err == nil
}

// fineTune is the run as pkg/train has it, but for the model.
func (j job) fineTune() (*train.FineTune, error) {
	settings, named, err := train.DefaultSettings().With(j.row.Settings)
	if err != nil {
		return nil, err
	}
	if slices.Contains(named, "valid") {
		return nil, errors.New("valid has no place in a study, which has pictures to validate on: leave it out")
	}
	settings.Seed = j.seed
	pipeline, err := transform.Parse(j.row.Pipeline)
	if err != nil {
		return nil, err
	}
	f := &train.FineTune{
		Start: j.start,
		Train: j.pictures.train, Validation: j.pictures.validation, Classes: j.study.Data.Classes, Data: j.data,
		Pipeline: pipeline, EvalPipeline: train.EvaluationPipeline(pipeline), Settings: settings, Workers: j.study.Workers, Pool: j.pool,
	}
	if j.study.Warn != nil {
		f.Warn = func(text string) {
			j.progress.Lock()
			defer j.progress.Unlock()
			j.study.Warn(j.row, text)
		}
	}
	if j.study.Progress != nil {
		f.Progress = func(p train.Progress) {
			j.progress.Lock()
			defer j.progress.Unlock()
			j.study.Progress(Progress{Row: j.row, Seed: j.seed, Run: j.number, Runs: len(j.study.Rows) * len(j.study.Seeds), Progress: p})
		}
	}
	f.Dir = filepath.Join(j.study.Dir, j.folder(f))
	return f, nil
}

// open opens the model that the row begins with.
func (j job) open() (*vit.Model, error) {
	if !vit.IsSpec(j.row.Start) {
		return vit.Load(j.row.Start)
	}
	cfg, err := vit.ParseConfig(j.row.Start)
	if err != nil {
		return nil, err
	}
	cfg.Classes = len(j.study.Data.Classes)
	return vit.New(cfg, j.seed)
}

// folder is a name that a person can read and that stands for all that decides
// the result.
func (j job) folder(f *train.FineTune) string {
	sum := sha256.New()
	fmt.Fprintf(sum, "%s\n%s\n%s\n%s\n%v\n", f.Data, f.Start, f.Pipeline, f.EvalPipeline, f.Settings.Map())
	name := strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) || r == '.' || r == '-' {
			return r
		}
		return '-'
	}, j.row.Name)
	return fmt.Sprintf("%s-seed%d-%s", name, j.seed, hex.EncodeToString(sum.Sum(nil)[:5]))
}

// test classifies the test set with the run's best weights, or the validation set
// where there is no test set. The answers are kept beside the run.
func (j job) test(ctx context.Context, backend compute.Backend, run *Run) error {
	set, pictures := j.study.Data.Test, j.pictures.test
	if set == nil {
		set, pictures = j.study.Data.Validation, j.pictures.validation
	}
	predictions, err := j.predictions(ctx, backend, run.Dir, set, pictures)
	if err != nil {
		return err
	}
	if run.Report, err = evaluate.New(predictions); err != nil {
		return err
	}
	if j.study.Data.Test != nil {
		run.Test = run.Report
	}
	run.Right, err = predictions.Right()
	return err
}
