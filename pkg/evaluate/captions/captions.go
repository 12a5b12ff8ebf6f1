// Package captions measures a captioner on the pictures that package scenes draws,
// where everything that a caption can say is known: how close its sentences are to the
// references and whether numbers and subjects are right ([Report]), whether attention
// lies on what a word names ([Pointing]), and whether the captioner needs to attend to
// it ([Occlude]). It knows the drawn scenes; it doesn't know how captioners are trained.
//
// Start with [Evaluate], which draws pictures, captions and measures; [Measure] takes
// captions that exist already.
package captions

import (
	"context"
	"errors"
	"fmt"

	"gaze/internal/parallel"
	"gaze/pkg/caption"
	"gaze/pkg/caption/score"
	"gaze/pkg/data/scenes"
	"gaze/pkg/transform"
)

// Captioner makes captions; *caption.Captioner is one.
type Captioner interface {
	Config() caption.Config
	Caption(images []*transform.Image, o caption.Options) ([]caption.Result, error)
}

// Set names pictures of package scenes: Count of them, from index First on.
type Set struct {
	Seed  uint64
	Split scenes.Split
	First int
	Count int
	Size  int // width and height in pixels; 0: the captioner's longest side
}

// String is the set in words: "pictures 0 to 499 of test, seed 1, 128 pixels".
func (s Set) String() string {
	return fmt.Sprintf("pictures %d to %d of %s, seed %d, %d pixels", s.First, s.First+s.Count-1, s.Split, s.Seed, s.Size)
}

// Options say how [Evaluate] and [Occlude] work; the zero value is fine.
type Options struct {
	// Caption says how captions are made. Its Masked must be empty; NoAttention
	// leaves out everything that is measured on attention.
	Caption caption.Options
	Workers int // that draw; 0: one for each processor
	// Progress is called, one call at a time, with the number of pictures done and
	// of all pictures; may be nil.
	Progress func(done, total int)
}

// chunk is the number of pictures that are drawn and captioned between two checks
// of the context.
const chunk = 32

func (o Options) progress(done, total int) {
	if o.Progress != nil {
		o.Progress(done, total)
	}
}

// check completes a set for a captioner and refuses what can't be measured.
func (s Set) check(c Captioner, o Options) (Set, error) {
	if s.Size == 0 {
		s.Size = c.Config().LongestSide
	}
	switch {
	case s.Count < 1:
		return s, fmt.Errorf("captions: a set of %d pictures", s.Count)
	case s.First < 0:
		return s, fmt.Errorf("captions: a set that begins at picture %d; they are counted from 0", s.First)
	case o.Caption.Masked != nil:
		return s, errors.New("captions: cells are masked by Occlude, not by the options of captions")
	}
	return s, nil
}

// Evaluate draws a set, captions it and measures the captions; the same set and
// options give the same report whatever the number of workers. A cancelled
// context ends it with the context's error.
func Evaluate(ctx context.Context, c Captioner, s Set, o Options) (*Report, error) {
	s, err := s.check(c, o)
	if err != nil {
		return nil, err
	}
	var all []picture
	for at := 0; at < s.Count; at += chunk {
		drawn, err := s.draw(ctx, at, min(chunk, s.Count-at), o.Workers)
		if err != nil {
			return nil, err
		}
		results, err := c.Caption(imagesOf(drawn), o.Caption)
		if err != nil {
			return nil, fmt.Errorf("captions: %w", err)
		}
		for i, scene := range drawn {
			all = append(all, newPicture(s.First+at+i, scene, results[i], c.Config().Backbone.Stride()))
		}
		o.progress(len(all), s.Count)
	}
	r, err := report(all)
	if err != nil {
		return nil, err
	}
	r.Set = s.String()
	return r, nil
}

// Measure measures captions of scenes, one for each. cfg is the captioner's
// configuration: its stride says which pixels are a cell's.
func Measure(list []scenes.Scene, results []caption.Result, cfg caption.Config) (*Report, error) {
	if len(list) == 0 || len(list) != len(results) {
		return nil, fmt.Errorf("captions: %d scenes with %d captions", len(list), len(results))
	}
	var all []picture
	for i, scene := range list {
		all = append(all, newPicture(i, scene, results[i], cfg.Backbone.Stride()))
	}
	return report(all)
}

// draw draws count pictures from the at-th on.
func (s Set) draw(ctx context.Context, at, count, workers int) ([]scenes.Scene, error) {
	out := make([]scenes.Scene, count)
	return out, parallel.Each(ctx, count, workers, func(i int) (err error) {
		out[i], err = scenes.Draw(s.Seed, s.First+at+i, s.Size, s.Split)
		return err
	})
}

func imagesOf(list []scenes.Scene) []*transform.Image {
	var out []*transform.Image
	for _, s := range list {
		out = append(out, s.Image)
	}
	return out
}

// OneReference scores the first reference of each scene of a set against its other
// four: about what a captioner gets that talks as its references do and is as varied
// as they are. The set's size doesn't matter: captions don't depend on it.
func OneReference(ctx context.Context, s Set) (score.Scores, error) {
	s.Size = scenes.MinSize
	list, err := s.draw(ctx, 0, s.Count, 0)
	if err != nil {
		return score.Scores{}, err
	}
	var refs [][]string
	var hyps []string
	for _, scene := range list {
		hyps, refs = append(hyps, scene.Captions[0]), append(refs, scene.Captions[1:])
	}
	bleu, _ := score.BLEU(refs, hyps)
	cider, _ := score.CIDEr(refs, hyps)
	rouge, _ := score.ROUGEL(refs, hyps)
	return score.Scores{BLEU1: bleu[0], BLEU2: bleu[1], BLEU3: bleu[2], BLEU4: bleu[3], CIDEr: cider, ROUGEL: rouge}, nil
}
