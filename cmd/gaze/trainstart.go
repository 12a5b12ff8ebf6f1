package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"gaze/pkg/data"
	"gaze/pkg/train"
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
	if job.Before, err = trainedBefore(f.model); err != nil {
		m.Close()
		return nil, err
	}
	job.Model, job.Start, job.Notes = m, m.Name+" sha256:"+digest, f.notes()
	return m, nil
}

// trainedBefore is the sums of the pictures that a model has seen in training, if it is
// a run's.
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

// defaultPipelines takes the model's own pipeline where none is given, and makes
// sure, before any picture is read, that the model can take what they make.
func defaultPipelines(job *train.FineTune, m *vit.Model) error {
	var err error
	if job.Pipeline, err = pipelineFor(m, job.Pipeline); err != nil {
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
		return nil, misuse(cmd, errors.New("--weights and --head-name choose among what a checkpoint holds: --model describes a new model"))
	}
	cfg, err := vit.ParseConfig(f.model)
	if err != nil {
		return nil, misuse(cmd, fmt.Errorf("--model: %w", err))
	}
	cfg.Classes = len(splits.Classes)
	return vit.New(cfg, job.Settings.Seed)
}
