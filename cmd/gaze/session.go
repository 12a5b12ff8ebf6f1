package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"gaze/pkg/backend"
	"gaze/pkg/transform"
	"gaze/pkg/vit"
)

// session is an open checkpoint with its pipeline and runner.
type session struct {
	cmd      *cobra.Command
	model    *vit.Model
	title    string // architecture and file name, for figures
	pipeline transform.Pipeline
	runner   *vit.Runner
	warned   map[string]bool
}

// openSession opens a checkpoint and a backend, and takes the given pipeline or the
// checkpoint's own.
func openSession(cmd *cobra.Command, model, pipeline string) (*session, error) {
	var given transform.Pipeline
	if pipeline != "" {
		p, err := parseTensorPipeline(pipeline)
		if err != nil {
			return nil, misuse(cmd, fmt.Errorf("--pipeline: %w", err))
		}
		given = p
	}
	m, err := loadModel(cmd, model)
	if err != nil {
		return nil, err
	}
	s := &session{cmd: cmd, model: m, title: title(m, model), warned: map[string]bool{}}
	if err := s.prepare(given); err != nil {
		return nil, errors.Join(err, m.Close())
	}
	return s, nil
}

// prepare sets the pipeline and gives the model to the backend.
func (s *session) prepare(given transform.Pipeline) error {
	var err error
	if s.pipeline, err = pipelineFor(s.cmd, s.model, given); err != nil {
		return err
	}
	b, err := backend.Default()
	if err != nil {
		return err
	}
	s.runner, err = vit.NewRunner(b, s.model)
	return err
}

// pipelineFor returns the given pipeline or, if it is nil, the model's own, whose
// warnings it prints. It checks now that the model can take the result, so that the error isn't repeated for each
// picture.
func pipelineFor(cmd *cobra.Command, m *vit.Model, given transform.Pipeline) (transform.Pipeline, error) {
	if given != nil {
		if err := m.Config.CheckPipeline(given); err != nil {
			return nil, fmt.Errorf("--pipeline: %w", err)
		}
		return given, nil
	}
	own, err := m.Preprocessing()
	if err != nil {
		return nil, err
	}
	warn(cmd, m.PipelineWarnings)
	if err := m.Config.CheckPipeline(own); err != nil {
		return nil, fmt.Errorf("%s: its own pipeline, %s: %w; give another with --pipeline", m.Path, own, err)
	}
	return own, nil
}

func (s *session) close() {
	s.runner.Close()
	s.model.Close()
}

// warnings prints each warning once: a resized grid needs one line, not one per
// picture.
func (s *session) warnings(texts []string) {
	for _, w := range texts {
		if !s.warned[w] {
			s.warned[w] = true
			warn(s.cmd, []string{w})
		}
	}
}
