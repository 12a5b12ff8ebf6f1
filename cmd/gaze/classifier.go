package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"gaze/pkg/backend"
	"gaze/pkg/convnet"
	"gaze/pkg/explain"
	"gaze/pkg/hub"
	"gaze/pkg/transform"
	"gaze/pkg/vit"
)

// classifier is an open model that can name pictures: a Vision Transformer ([session]), a
// convolutional network ([convSession]), or the two that make pets37 ([breedSession]).
type classifier interface {
	checkHead() error
	classes() int
	labels() []string // nil where the checkpoint has none
	steps() transform.Pipeline
	look(im *transform.Image) (impression, error)
	close()
}

// impression is what a classifier makes of a picture.
type impression struct {
	logits []float32
	// pet is the probability that there is a cat or a dog in the picture; only pets37 can
	// tell, and it is nil otherwise. noPet says that the probability is below its threshold.
	pet   *float64
	noPet bool
	// looked is where attention lay, of a model that tells it, over the part of the picture
	// that the pipeline steps leaves.
	looked *explain.Map
	steps  transform.Pipeline
}

func (s *session) checkHead() error          { return s.model.CheckHead() }
func (s *session) classes() int              { return s.model.Config.Classes }
func (s *session) labels() []string          { return s.model.Labels }
func (s *session) steps() transform.Pipeline { return s.pipeline }

func (s *session) look(im *transform.Image) (impression, error) {
	o, err := s.run(im, vit.Want{Logits: true})
	if err != nil {
		return impression{}, err
	}
	return impression{logits: o.Logits.Values}, nil
}

// openClassifier opens a checkpoint as what it is: pets37 or one like it, a convolutional
// network, else a Vision Transformer. The error for a file that is none is the latter's.
func openClassifier(cmd *cobra.Command, model, pipeline string) (classifier, error) {
	if head, ok := breedsHead(model); ok {
		s, err := openBreeds(cmd, head, pipeline)
		if err != nil {
			return nil, err
		}
		return s, nil
	}
	c, ok := loadConvnet(model)
	if !ok {
		s, err := openSession(cmd, model, pipeline)
		if err != nil {
			return nil, err
		}
		return s, nil
	}
	s, err := openConvSession(cmd, c, pipeline)
	if err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return s, nil
}

// loadConvnet opens a checkpoint as a convolutional network, if it is one.
func loadConvnet(fileOrName string) (*convnet.Model, bool) {
	path, err := hub.Resolve(fileOrName)
	if err != nil {
		return nil, false
	}
	m, err := convnet.Load(path)
	return m, err == nil
}

// checkNoChoice is an error if a set of weights or a head was chosen, which a convolutional
// network's checkpoint doesn't offer.
func checkNoChoice(cmd *cobra.Command) error {
	if chosen(cmd) == (vit.LoadOptions{}) {
		return nil
	}
	return misuse(cmd, errors.New("--weights and --head-name choose within a Vision Transformer's checkpoint: this is a convolutional network, which leaves no choice"))
}

// convSession is an open convolutional network with its pipeline and runner.
type convSession struct {
	cmd      *cobra.Command
	model    *convnet.Model
	pipeline transform.Pipeline
	runner   *convnet.Runner
}

// openConvSession takes the given pipeline or the network's own, and a backend.
func openConvSession(cmd *cobra.Command, m *convnet.Model, pipeline string) (*convSession, error) {
	if err := checkNoChoice(cmd); err != nil {
		return nil, err
	}
	warn(cmd, m.Warnings)
	s := &convSession{cmd: cmd, model: m}
	var err error
	if pipeline == "" {
		s.pipeline, err = m.Preprocessing()
	} else if s.pipeline, err = parseTensorPipeline(pipeline); err != nil {
		err = misuse(cmd, fmt.Errorf("--pipeline: %w", err))
	}
	if err != nil {
		return nil, err
	}
	if channels, _, _, _ := s.pipeline.OutputSize(); channels > 0 && channels != 3 {
		return nil, fmt.Errorf("--pipeline: it makes pictures of %d channels, the network takes 3", channels)
	}
	b, err := backend.Default()
	if err != nil {
		return nil, err
	}
	s.runner, err = convnet.NewRunner(b, m)
	return s, err
}

func (s *convSession) checkHead() error {
	if s.model.Classes == 0 {
		return fmt.Errorf("%s has no classifier, so it can't classify", s.model.Path)
	}
	return nil
}

func (s *convSession) classes() int              { return s.model.Classes }
func (s *convSession) labels() []string          { return s.model.Labels }
func (s *convSession) steps() transform.Pipeline { return s.pipeline }

func (s *convSession) look(im *transform.Image) (impression, error) {
	t, err := s.pipeline.Tensor(im)
	if err != nil {
		return impression{}, err
	}
	o, err := s.runner.RunTensors(s.cmd.Context(), []*transform.Tensor{t}, convnet.Want{Logits: true})
	if err != nil {
		return impression{}, err
	}
	return impression{logits: o.Logits.Values}, nil
}

func (s *convSession) close() {
	s.runner.Close()
	s.model.Close()
}
