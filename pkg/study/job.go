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

	"gaze/pkg/data"
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
	of     int    // how many runs there are

	pictures pictures    // decoded once for all runs
	progress *sync.Mutex // held while a run tells of itself
	pool     *train.Pool

	done   bool // whether result is there
	result Run
}

// run trains, unless that was done before, tests, and reads what came out.
func (j *job) run(ctx context.Context, backend compute.Backend) error {
	f, err := j.fineTune()
	if err != nil {
		return err
	}
	run := Run{Seed: j.seed, Dir: f.Dir}
	if j.row.Kind == Neighbours {
		err = j.nearest(ctx, backend, f, &run)
	} else {
		err = j.trained(ctx, backend, f, &run)
	}
	if err != nil {
		return err
	}
	j.progress.Lock()
	defer j.progress.Unlock()
	j.result, j.done = run, true
	return nil
}

// trained trains, unless that was done before, and tests.
func (j *job) trained(ctx context.Context, backend compute.Backend, f *train.FineTune, run *Run) error {
	manifest, err := train.ReadManifest(f.Dir)
	if err != nil || manifest.Status != train.Done {
		if manifest, err = j.train(ctx, backend, f, err == nil && hasCheckpoint(f.Dir)); err != nil {
			return err
		}
	}
	run.BestAt, run.Seconds = manifest.BestAt, manifest.Seconds
	if run.Epochs, err = train.History(f.Dir); err != nil {
		return err
	}
	run.Best, run.Last = *manifest.Best, *run.Epochs[len(run.Epochs)-1].Validation
	for _, e := range run.Epochs {
		run.Pictures += e.Train.Total
	}
	return j.test(ctx, f, run, func(set *data.Dataset, pictures data.Set) (*evaluate.Predictions, error) {
		if j.extractor() != nil {
			return j.headPredictions(ctx, backend, f, set, pictures)
		}
		m, err := vit.Load(filepath.Join(f.Dir, "best", "model.safetensors"))
		if err != nil {
			return nil, err
		}
		defer m.Close()
		return evaluate.Predict(ctx, backend, m, pictures, j.study.Data.Classes, evaluate.Options{Workers: j.study.Workers})
	})
}

// train begins the run, or goes on with it.
func (j *job) train(ctx context.Context, backend compute.Backend, f *train.FineTune, resume bool) (*train.Manifest, error) {
	if !resume { // what is there was stopped before its first checkpoint
		if err := os.RemoveAll(f.Dir); err != nil {
			return nil, err
		}
	}
	if j.extractor() != nil {
		return j.trainHead(ctx, backend, f, resume)
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
func (j *job) fineTune() (*train.FineTune, error) {
	settings, err := j.settings()
	if err != nil {
		return nil, err
	}
	pipeline, err := transform.Parse(j.row.Pipeline)
	if err != nil {
		return nil, err
	}
	training, name, err := j.training()
	if err != nil {
		return nil, err
	}
	f := &train.FineTune{
		Start: j.start,
		Train: training, Validation: j.pictures.validation, Classes: j.study.Data.Classes, Data: name,
		Pipeline: pipeline, EvalPipeline: pipeline.Evaluation(), Settings: settings, Workers: j.study.Workers, Pool: j.pool,
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
			j.study.Progress(Progress{Row: j.row, Seed: j.seed, Run: j.number, Runs: j.of, Progress: p})
		}
	}
	f.Dir = filepath.Join(j.study.Dir, j.folder(f))
	return f, nil
}

// settings are a row's settings; those of k-NN, which trains nothing, only have a seed.
func (j *job) settings() (train.Settings, error) {
	text := j.row.Settings
	if j.row.Kind == Neighbours {
		text = ""
	}
	settings, named, err := train.DefaultSettings().With(text)
	switch {
	case err != nil:
		return settings, err
	case slices.Contains(named, "valid"):
		return settings, errors.New("valid has no place in a study, which has pictures to validate on: leave it out")
	case j.row.Kind == Trains && j.extractor() != nil && !settings.Probe:
		return settings, fmt.Errorf("%s only has features: a row of it is k-NN, or has probe=true", j.row.Start)
	case j.row.Kind != Trains && j.row.Kind != Neighbours:
		return settings, fmt.Errorf("there is no kind of row %q", j.row.Kind)
	}
	settings.Seed = j.seed
	return settings, nil
}

// training is the pictures that the run trains on, and what names them together with those
// that it is validated on.
func (j *job) training() (data.Set, string, error) {
	if j.row.PerClass == 0 {
		return j.pictures.train, j.data, nil
	}
	places, err := data.First(j.pictures.train, len(j.study.Data.Classes), j.seed, j.row.PerClass)
	return data.Subset{Set: j.pictures.train, Places: places}, fmt.Sprintf("%s; %d of each class by seed %d", j.data, j.row.PerClass, j.seed), err
}

// extractor is the row's model if it isn't a Vision Transformer, else nil.
func (j *job) extractor() train.Extractor { return j.study.Extractors[j.row.Start] }

// open opens the model that the row begins with.
func (j *job) open() (*vit.Model, error) {
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
func (j *job) folder(f *train.FineTune) string {
	sum := sha256.New()
	fmt.Fprintf(sum, "%s\n%s\n%s\n%s\n%v\n", f.Data, f.Start, f.Pipeline, f.EvalPipeline, f.Settings.Map())
	if j.row.Kind != Trains {
		fmt.Fprintf(sum, "%s\n%s\n", j.row.Kind, j.row.Settings)
	}
	name := strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) || r == '.' || r == '-' {
			return r
		}
		return '-'
	}, j.row.Title())
	return fmt.Sprintf("%s-seed%d-%s", name, j.seed, hex.EncodeToString(sum.Sum(nil)[:5]))
}

// test classifies the test set by predict, or the validation set where there is no test
// set. The answers are kept beside the run.
func (j *job) test(ctx context.Context, f *train.FineTune, run *Run, predict func(set *data.Dataset, pictures data.Set) (*evaluate.Predictions, error)) error {
	set, pictures := j.study.Data.Test, j.pictures.test
	if set == nil {
		set, pictures = j.study.Data.Validation, j.pictures.validation
	}
	predictions, err := keptPredictions(ctx, f.Dir, set, func() (*evaluate.Predictions, error) { return predict(set, pictures) })
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
