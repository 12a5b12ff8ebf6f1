package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"gaze/internal/report"
	"gaze/pkg/explain"
	"gaze/pkg/hub"
	"gaze/pkg/study"
	"gaze/pkg/train"
	"gaze/pkg/transform"
	"gaze/pkg/vit"
)

// opened is a model that is asked for maps.
type opened struct {
	name      string
	digest    string
	model     *vit.Model
	explainer *explain.Explainer
	pipeline  transform.Pipeline
	forward   time.Duration // that a forward pass of one picture takes
}

func (o *opened) close() {
	_ = o.explainer.Close()
	_ = o.model.Close()
}

// trained trains the study's final setting with each seed, or finds the runs, and returns
// their folders and the row.
func (r *recipe) trained(ctx context.Context) ([]string, study.Row, error) {
	s, err := report.FinalSetting(ctx, filepath.Join(r.work, "models"))
	if err != nil {
		return nil, study.Row{}, err
	}
	s.Seeds = s.Seeds[:min(len(s.Seeds), r.plan.Seeds)]
	dirs, err := r.train(ctx, s)
	return dirs, s.Rows[0], err
}

// twin trains the twin of the first seed's model.
func (r *recipe) twin(ctx context.Context) (string, error) {
	dirs, row, err := r.trained(ctx)
	if err != nil {
		return "", err
	}
	s, err := report.FinalSetting(ctx, filepath.Join(r.work, "models"))
	if err != nil {
		return "", err
	}
	m, err := train.LoadModel(dirs[0])
	if err != nil {
		return "", err
	}
	cell := m.Config.PatchSize[0]
	if err := m.Close(); err != nil {
		return "", err
	}
	file, err := train.ModelFile(dirs[0])
	if err != nil {
		return "", err
	}
	if row, err = report.Erased(row, file, cell, erased); err != nil {
		return "", err
	}
	s.Rows, s.Seeds = []study.Row{row}, s.Seeds[:1]
	twins, err := r.train(ctx, s)
	if err != nil {
		return "", err
	}
	return twins[0], nil
}

// train trains what isn't there yet and returns the runs' folders.
func (r *recipe) train(ctx context.Context, s *study.Study) ([]string, error) {
	s.Workers = r.workers
	s.Progress = func(p study.Progress) {
		if p.EpochDone() {
			fmt.Fprintf(os.Stderr, "%s, seed %d: %s\n", p.Row.Name, p.Seed, p.Progress)
		}
	}
	result, err := s.Run(ctx, r.device)
	if err != nil {
		return nil, err
	}
	if len(result.Missing) > 0 {
		return nil, fmt.Errorf("%s, seed %d: %s", result.Missing[0].Row, result.Missing[0].Seed, result.Missing[0].Why)
	}
	var dirs []string
	for _, run := range result.Outcomes[0].Runs {
		dirs = append(dirs, run.Dir)
	}
	return dirs, nil
}

// open opens a model, by its path or the name of one that ships.
func (r *recipe) open(name, path string) (*opened, error) {
	if _, err := os.Stat(path); err != nil {
		found, err := hub.Resolve(path)
		if err != nil {
			return nil, err
		}
		path = found
	}
	m, err := train.LoadModel(path)
	if err != nil {
		return nil, err
	}
	o := &opened{name: name, model: m}
	if o.pipeline, err = m.Preprocessing(); err == nil {
		o.digest, err = m.Digest()
	}
	if err == nil {
		o.explainer, err = explain.NewExplainer(r.device, m)
	}
	if err != nil {
		return nil, errors.Join(err, m.Close())
	}
	return o, nil
}

// timed notes how long a forward pass takes, for the forecast.
func (o *opened) timed(pictures []*transform.Tensor) error {
	const n = 16
	shape := pictures[0].Shape
	var images []float32
	for i := range n {
		images = append(images, pictures[i%len(pictures)].Data...)
	}
	run := func() error {
		if o.model.Config.Classes > 0 {
			_, err := o.explainer.Logits(images, [4]int{n, shape[0], shape[1], shape[2]}, nil)
			return err
		}
		_, err := o.explainer.Explain("attention", pictures[:min(n, len(pictures))], explain.Options{})
		return err
	}
	if err := run(); err != nil { // compiles
		return err
	}
	start := time.Now()
	err := run()
	o.forward = time.Since(start) / n
	return err
}
