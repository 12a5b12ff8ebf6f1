package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"gaze/pkg/data"
	"gaze/pkg/train"
	"gaze/pkg/transform"
	"gaze/pkg/vit"
)

// openStart opens the model that training begins with and gives it to the job.
func (f *trainFlags) openStart(cmd *cobra.Command, job *train.FineTune, splits *data.Splits) (*vit.Model, error) {
	m, err := f.startModel(cmd, job, splits)
	if err != nil {
		return nil, err
	}
	if err := defaultPipelines(job, m); err != nil {
		m.Close()
		return nil, err
	}
	digest, err := m.Digest()
	if err == nil && !vit.IsSpec(f.model) {
		err = m.CheckFinite()
	}
	if err != nil {
		m.Close()
		return nil, err
	}
	job.Model, job.Start, job.Notes = m, m.Name+" sha256:"+digest, f.notes()
	return m, nil
}

// defaultPipelines takes the model's own pipeline where none is given.
func defaultPipelines(job *train.FineTune, m *vit.Model) error {
	own, err := transform.Parse(m.Pipeline())
	if err != nil {
		return fmt.Errorf("the checkpoint's own pipeline: %w", err)
	}
	if job.Pipeline == nil {
		job.Pipeline = own
	}
	if job.EvalPipeline == nil {
		job.EvalPipeline = own
	}
	return nil
}

func (f *trainFlags) startModel(cmd *cobra.Command, job *train.FineTune, splits *data.Splits) (*vit.Model, error) {
	if !vit.IsSpec(f.model) {
		return loadModel(cmd, f.model)
	}
	if chosen(cmd) != (vit.LoadOptions{}) {
		return nil, misuse(cmd, errors.New("--weights and --head-name choose among what a checkpoint holds: --model describes a new model"))
	}
	cfg, err := vit.ParseConfig(f.model)
	if err != nil {
		return nil, misuse(cmd, fmt.Errorf("--model: %w", err))
	}
	cfg.Classes = len(splits.Classes)
	return vit.New(cfg, job.Settings.Seed)
}

// bestOfRun is the best model of a run's folder; any other path stays as it is.
func bestOfRun(path string) (string, error) {
	if _, err := os.Stat(filepath.Join(path, "run.json")); err != nil {
		return path, nil
	}
	best := filepath.Join(path, "best", "model.safetensors")
	if _, err := os.Stat(best); errors.Is(err, os.ErrNotExist) {
		if m, err := train.ReadManifest(path); err == nil && m.Status == train.Failed {
			return "", fmt.Errorf("the run in %s has no model: it failed (%s); train anew into another folder", path, m.Reason)
		}
		return "", fmt.Errorf("the run in %s has no model yet: its first epoch isn't done ('gaze train --resume -o %s' goes on)", path, path)
	} else if err != nil {
		return "", err
	}
	return best, nil
}
