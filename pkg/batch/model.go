package batch

import (
	"context"
	"errors"
	"fmt"

	"gaze/pkg/transform"
)

// Model makes the results of pictures. [NewViT], [NewCaptioner], [NewConvnet], [NewBreeds]
// and [Together] make models. Prepare may be called at the same time, Run at most InFlight
// times at once.
type Model interface {
	// Background is the colour that transparent pictures are put on; nil to drop alpha.
	Background() *[3]uint8
	// Prepare makes of a decoded picture what Run takes. It must not keep the picture. Its
	// error is the picture's.
	Prepare(im *transform.Image) (Prepared, error)
	// Batch is how many pictures Run takes at most. Fewer are for the end of a shard.
	Batch() int
	// InFlight is how many calls of Run at a time keep the processor busy.
	InFlight() int
	// Run returns the result of each picture, which are all of one size. The other pictures
	// don't change a result.
	Run(ctx context.Context, pictures []Prepared) ([]Result, error)
	Close() error
}

// Prepared is a picture as a [Model] takes it.
type Prepared struct {
	Size  any // pictures run together only if their sizes are equal
	Value any
}

// Together makes the results of several models of each picture.
func Together(models ...Model) Model {
	if len(models) == 1 {
		return models[0]
	}
	return together(models)
}

type together []Model

func (t together) Background() *[3]uint8 { return t[0].Background() }

// sizes is the sizes of a picture for two models.
type sizes struct{ first, rest any }

func (t together) Prepare(im *transform.Image) (Prepared, error) {
	var parts []Prepared
	var size any
	for _, m := range t {
		p, err := m.Prepare(im)
		if err != nil {
			return Prepared{}, err
		}
		parts, size = append(parts, p), sizes{p.Size, size}
	}
	return Prepared{size, parts}, nil
}

// Batch is the largest that all of the models take.
func (t together) Batch() int {
	n := t[0].Batch()
	for _, m := range t[1:] {
		n = min(n, m.Batch())
	}
	return n
}

func (t together) InFlight() int { return 1 }

func (t together) Run(ctx context.Context, pictures []Prepared) ([]Result, error) {
	results := make([]Result, len(pictures))
	for k, m := range t {
		own := make([]Prepared, len(pictures))
		for i, p := range pictures {
			own[i] = p.Value.([]Prepared)[k]
		}
		list, err := m.Run(ctx, own)
		if err != nil {
			return nil, err
		}
		if len(list) != len(pictures) {
			return nil, fmt.Errorf("batch: a model made %d results of %d pictures", len(list), len(pictures))
		}
		for i := range list {
			results[i].add(list[i])
		}
	}
	return results, nil
}

func (t together) Close() error {
	var errs []error
	for _, m := range t {
		errs = append(errs, m.Close())
	}
	return errors.Join(errs...)
}

// add takes over what another model made.
func (r *Result) add(o Result) {
	if o.Label != "" {
		r.Label, r.Class, r.Probability = o.Label, o.Class, o.Probability
	}
	if o.Logits != nil {
		r.Logits = o.Logits
	}
	if o.Embedding != nil {
		r.Embedding = o.Embedding
	}
	if o.Attention != nil {
		r.Attention, r.Grid = o.Attention, o.Grid
	}
	if o.Caption != "" || o.LogProb != 0 {
		r.Caption, r.LogProb = o.Caption, o.LogProb
	}
}
