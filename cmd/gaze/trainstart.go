package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"gaze/pkg/data"
	"gaze/pkg/train"
	"gaze/pkg/vit"
)

// openStart opens the starting model and gives it to the job.
func (f *trainFlags) openStart(cmd *cobra.Command, job *train.FineTune, splits *data.Splits) (*vit.Model, error) {
	m, err := f.startModel(cmd, job, splits)
	if err != nil {
		return nil, err
	}
	if err := defaultPipelines(cmd, job, m); err != nil {
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
	if job.Before, err = trainedBefore(f.model); err != nil {
		m.Close()
		return nil, err
	}
	job.Model, job.Start, job.Notes = m, m.Name+" sha256:"+digest, f.notes()
	return m, nil
}

// trainedBefore returns the checksums of the pictures that a model was trained on, if it
// is from a run.
func trainedBefore(model string) (map[string]bool, error) {
	if vit.IsSpec(model) {
		return nil, nil
	}
	record, err := readRecord(model)
	if err != nil || record.manifest == nil {
		return nil, err
	}
	record.addTrained(record.before)
	return record.before, nil
}

// defaultPipelines uses the model's own pipeline if none is given, and checks, before any
// picture is read, that the model can take the pipelines' results.
func defaultPipelines(cmd *cobra.Command, job *train.FineTune, m *vit.Model) error {
	var err error
	if job.Pipeline, err = pipelineFor(cmd, m, job.Pipeline); err != nil {
		return err
	}
	if job.EvalPipeline == nil {
		job.EvalPipeline = job.Pipeline
	}
	if err := m.Config.CheckPipeline(job.EvalPipeline); err != nil {
		return fmt.Errorf("--eval-pipeline: %w", err)
	}
	return nil
}

func (f *trainFlags) startModel(cmd *cobra.Command, job *train.FineTune, splits *data.Splits) (*vit.Model, error) {
	if !vit.IsSpec(f.model) {
		return loadModel(cmd, f.model)
	}
	if chosen(cmd) != (vit.LoadOptions{}) {
		return nil, misuse(cmd, errors.New("--weights and --head-name select from a checkpoint, but --model describes a new model: leave them out"))
	}
	cfg, err := vit.ParseConfig(f.model)
	if err != nil {
		return nil, misuse(cmd, fmt.Errorf("--model: %w", err))
	}
	cfg.Classes = len(splits.Classes)
	return vit.New(cfg, job.Settings.Seed)
}
