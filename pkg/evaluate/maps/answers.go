package maps

import (
	"context"
	"fmt"
	"math"

	"gaze/internal/parallel"
	"gaze/pkg/vit"
)

// responder is a model that can be asked: an [explain.Explainer].
type responder interface {
	Config() vit.Config
	Logits(images []float32, shape [4]int, drop []bool) (vit.Array, error)
}

// asked is a changed picture that a model is asked about.
type asked struct {
	of   *Case
	fill func(dst []float32) error // writes the picture, [channels, height, width]
	drop []bool                    // the patches whose tokens are left out; nil: none
}

// answer is what the model says of the case's class.
type answer struct {
	logit, probability float64
	first              bool // the class is the predicted one
}

// askBatch is the number of pictures of a run. There is one size, filled up with copies,
// or another program would be compiled for every rest.
const askBatch = 64

// ask asks a model about pictures, in batches that goroutines build. Either all of them
// drop tokens or none does.
func ask(ctx context.Context, e responder, list []asked, workers int) ([]answer, error) {
	out := make([]answer, 0, len(list))
	var images []float32
	var drop []bool
	for at := 0; at < len(list); at += askBatch {
		part := list[at:min(at+askBatch, len(list))]
		shape := part[0].of.Tensor.Shape
		size, patches := shape[0]*shape[1]*shape[2], len(part[0].drop)
		if images == nil {
			images, drop = make([]float32, askBatch*size), make([]bool, askBatch*patches)
		}
		err := parallel.Each(ctx, askBatch, workers, func(i int) error {
			a := part[i%len(part)]
			if a.of.Tensor.Shape != shape || len(a.drop) != patches {
				return fmt.Errorf("maps: %s is %v with %d patches to drop, %s %v with %d: pictures that are judged together must be alike",
					a.of.Name, a.of.Tensor.Shape, len(a.drop), part[0].of.Name, shape, patches)
			}
			copy(drop[i*patches:], a.drop)
			if i >= len(part) {
				return nil // what an earlier batch left there will do
			}
			return a.fill(images[i*size : (i+1)*size])
		})
		if err != nil {
			return nil, err
		}
		var dropped []bool
		if patches > 0 {
			dropped = drop
		}
		logits, err := e.Logits(images, [4]int{askBatch, shape[0], shape[1], shape[2]}, dropped)
		if err != nil {
			return nil, err
		}
		classes := len(logits.Values) / askBatch
		for i, a := range part {
			got, err := answered(a.of, logits.Values[i*classes:(i+1)*classes])
			if err != nil {
				return nil, err
			}
			out = append(out, got)
		}
	}
	return out, nil
}

// answered reads the answer out of the logits.
func answered(c *Case, logits []float32) (a answer, err error) {
	if c.Class < 0 || c.Class >= len(logits) {
		return a, fmt.Errorf("maps: %s is explained for class %d, but the model has %d, counted from 0", c.Name, c.Class, len(logits))
	}
	a.logit, a.first = float64(logits[c.Class]), true
	sum := 0.0
	for i, v := range logits {
		if math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) {
			return a, fmt.Errorf("maps: the logit of class %d is %g for %s, or a part of it: look for weights or pixels that are far too large", i, v, c.Name)
		}
		a.first = a.first && (v < logits[c.Class] || i >= c.Class && v == logits[c.Class])
		sum += math.Exp(float64(v) - a.logit)
	}
	a.probability = 1 / sum
	return a, nil
}

// plain is a case's own picture.
func plain(c *Case) asked {
	return asked{of: c, fill: func(dst []float32) error { copy(dst, c.Tensor.Data); return nil }}
}
