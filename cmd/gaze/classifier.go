package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"gaze/pkg/backend"
	"gaze/pkg/breeds"
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
	// ready makes of a picture what look takes. Pictures of equal sizes may be looked at
	// together, at most so many of n at once as atOnce says; look returns an impression of
	// each. Their number changes no bit of an impression.
	ready(im *transform.Image) (readied, error)
	atOnce(n int) int
	look(pictures []readied) ([]impression, error)
	close()
}

// readied is a picture as a classifier takes it: a tensor or, for pets37, several.
type readied struct {
	tensor *transform.Tensor
	breeds breeds.Prepared
}

// size is the same for pictures that can be looked at together.
func (p readied) size() any {
	if p.tensor == nil {
		return nil
	}
	return p.tensor.Shape
}

// readyTensor is ready of a classifier with one pipeline.
func readyTensor(p transform.Pipeline, im *transform.Image) (readied, error) {
	t, err := p.Tensor(im)
	return readied{tensor: t}, err
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

	warnings []string // of the model
}

func (s *session) checkHead() error          { return s.model.CheckHead() }
func (s *session) classes() int              { return s.model.Config.Classes }
func (s *session) labels() []string          { return s.model.Labels }
func (s *session) steps() transform.Pipeline { return s.pipeline }

func (s *session) ready(im *transform.Image) (readied, error) {
	return readyTensor(s.pipeline, im)
}

// usualBatch is the number of pictures from which on more at once are no faster on a CPU.
const usualBatch = 8

// atOnce is a batch only where Gaze's kernels compute, whose results don't depend on it, and
// where all pictures have one size, so that one program serves them.
func (s *session) atOnce(n int) int {
	dim := s.model.Config.Dim
	if _, _, _, fixed := s.pipeline.OutputSize(); n < usualBatch || !fixed || !backend.PacksWeights(s.runner.Backend(), dim, dim) {
		return 1
	}
	return usualBatch
}

// look fills a batch up with copies of its last picture, so that one program does for all.
func (s *session) look(pictures []readied) ([]impression, error) {
	var tensors []*transform.Tensor
	for _, p := range pictures {
		tensors = append(tensors, p.tensor)
	}
	for len(pictures) > 1 && len(tensors) < usualBatch {
		tensors = append(tensors, tensors[len(tensors)-1])
	}
	o, err := s.runner.RunTensors(tensors, vit.Want{Logits: true})
	if err != nil {
		return nil, err
	}
	seen, each := make([]impression, len(pictures)), len(o.Logits.Values)/len(tensors)
	for i := range seen {
		seen[i].logits = o.Logits.Values[i*each : (i+1)*each : (i+1)*each]
	}
	seen[0].warnings = o.Warnings
	return seen, nil
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

func (s *convSession) ready(im *transform.Image) (readied, error) {
	return readyTensor(s.pipeline, im)
}

// atOnce is 1: on a CPU, pictures together are no faster.
func (s *convSession) atOnce(int) int { return 1 }

func (s *convSession) look(pictures []readied) ([]impression, error) {
	o, err := s.runner.RunTensors(s.cmd.Context(), []*transform.Tensor{pictures[0].tensor}, convnet.Want{Logits: true})
	if err != nil {
		return nil, err
	}
	return []impression{{logits: o.Logits.Values}}, nil
}

func (s *convSession) close() {
	s.runner.Close()
	s.model.Close()
}
