package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"gaze/pkg/backend"
	"gaze/pkg/breeds"
	"gaze/pkg/explain"
	"gaze/pkg/hub"
	"gaze/pkg/transform"
	"gaze/pkg/vit"
)

// breedSession is pets37, or a classifier of breeds that was trained as it was.
type breedSession struct {
	cmd        *cobra.Command
	classifier *breeds.Classifier
	models     []string           // the files of its two models
	crop       transform.Pipeline // of the Vision Transformer: what its map lies over
}

// breedsHead is the file of a checkpoint if it is one of package breeds.
func breedsHead(model string) (string, bool) {
	path, err := hub.Resolve(model)
	if err != nil {
		return "", false
	}
	_, ok, _ := breeds.ReadConfig(path)
	return path, ok
}

// breedsPart is the file of a model that a classifier of breeds consists of. A name of the
// catalogue means that checkpoint, whatever files of that name there are where the command
// runs; it is fetched the first time.
func breedsPart(cmd *cobra.Command, model string) (string, error) {
	c, known := hub.Lookup(model)
	if !known {
		return hub.Resolve(model)
	}
	if path, here := hub.Path(c.Name); here {
		return path, nil
	}
	log := func(text string) { fmt.Fprintln(cmd.ErrOrStderr(), "gaze: "+text) }
	if c.Host != hub.Shipped {
		log(fmt.Sprintf("fetching %s, once (%s)", c.Name, c.Title))
	}
	got, err := hub.Pull(cmd.Context(), c.Name, hub.Options{Log: log})
	if errors.Is(err, hub.ErrUnreachable) || errors.Is(err, hub.ErrRefused) {
		err = fmt.Errorf("%w; --model %s classifies with what ships, without fetching anything", err, hub.Pets37ViT)
	}
	return got.Path, err
}

func openBreeds(cmd *cobra.Command, head, pipeline string) (*breedSession, error) {
	if pipeline != "" {
		return nil, misuse(cmd, errors.New("--pipeline: this model is two networks with a pipeline each ('gaze model' shows them), which can't be replaced by one"))
	}
	if chosen(cmd) != (vit.LoadOptions{}) {
		return nil, misuse(cmd, errors.New("--weights and --head-name choose within a Vision Transformer's checkpoint: this model leaves no choice"))
	}
	b, err := backend.Default()
	if err != nil {
		return nil, err
	}
	s := &breedSession{cmd: cmd}
	s.classifier, err = breeds.Open(b, head, func(model string) (string, error) {
		path, err := breedsPart(cmd, model)
		s.models = append(s.models, path)
		return path, err
	})
	if err != nil {
		return nil, err
	}
	s.crop, err = transform.Parse(s.classifier.ViTPipeline[0])
	return s, err
}

func (s *breedSession) checkHead() error { return nil }
func (s *breedSession) classes() int     { return len(s.classifier.Breeds) }
func (s *breedSession) labels() []string { return s.classifier.Breeds }

// steps decides only how large pictures are decoded: both models prepare their own.
func (s *breedSession) steps() transform.Pipeline { return nil }

func (s *breedSession) ready(im *transform.Image) (readied, error) {
	in, err := s.classifier.Prepare(im)
	return readied{breeds: in}, err
}

// atOnce is 1: a picture and its mirror image are a batch already.
func (s *breedSession) atOnce(int) int { return 1 }

func (s *breedSession) look(pictures []readied) ([]impression, error) {
	a, err := s.classifier.Answer(s.cmd.Context(), pictures[0].breeds)
	if err != nil {
		return nil, err
	}
	looked, err := explain.NewMap(a.Grid[0], a.Grid[1], a.Looked)
	if err != nil {
		return nil, err
	}
	return []impression{{logits: a.Logits, noPet: !s.classifier.LooksLikePet(a), pet: &a.Pet, looked: &looked, steps: s.crop}}, nil
}

func (s *breedSession) close() { s.classifier.Close() }
