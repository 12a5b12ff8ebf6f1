package train

import (
	"context"
	"fmt"
	"iter"

	"gaze/pkg/data"
)

// Batch is what a step takes: pictures, [batch, channels, height, width], and what the
// network's loss compares its answers with. For [Classification] that is labels, or
// targets [batch, classes] in their place; for [CustomLoss] it is Inputs.
type Batch struct {
	Images  []float32
	Labels  []int
	Targets []float32 // nil: labels count
	Inputs  []Values  // in the order in which the loss takes them
}

// checkInputs makes sure that the inputs have the shapes they say.
func (b Batch) checkInputs() error {
	for i, v := range b.Inputs {
		size := 1
		for _, n := range v.Shape {
			if n < 1 {
				return fmt.Errorf("input %d: values of shape %v: every dimension must be at least 1", i, v.Shape)
			}
			size *= n
		}
		if len(v.Floats)+len(v.Ints) != size || v.Floats != nil && v.Ints != nil {
			return fmt.Errorf("input %d: %d floats and %d integers, where the shape is %v", i, len(v.Floats), len(v.Ints), v.Shape)
		}
	}
	return nil
}

// Values is an input of a batch beside its pictures, row-major: floats or integers.
type Values struct {
	Shape  []int
	Floats []float32
	Ints   []int32

	// How they are divided among devices; see part.

	axis  int     // that of the pictures
	whole bool    // they aren't divided
	fill  float32 // stands for pictures where there are too few
}

// Source provides the batches of an epoch. Everything random in them depends only on a
// seed, the epoch and the number of the batch, so that a run that resumes sees the same
// batches as one that wasn't interrupted.
type Source interface {
	// Len is the number of batches in an epoch.
	Len() int
	// Batches yields the epoch's batches from number from on. A batch belongs to the
	// receiver until it asks for the next one. A batch without pictures counts, but is
	// skipped. Stopping early frees what the iterator holds.
	Batches(epoch, from int) iter.Seq2[Batch, error]
}

// FromLoader makes a source of a loader. Its batches end with ctx, and with ctx's
// error. If all pictures of a batch are bad it yields a batch without pictures, so that
// the other batches keep their numbers.
func FromLoader(ctx context.Context, l *data.Loader) Source { return loaderSource{ctx, l} }

type loaderSource struct {
	ctx    context.Context
	loader *data.Loader
}

func (s loaderSource) Len() int { return s.loader.Len() }

func (s loaderSource) Batches(epoch, from int) iter.Seq2[Batch, error] {
	return func(yield func(Batch, error) bool) {
		next := from
		for b, err := range s.loader.Batches(s.ctx, epoch, from) {
			if err != nil {
				yield(Batch{}, err)
				return
			}
			for ; next < b.Number; next++ {
				if !yield(Batch{}, nil) {
					return
				}
			}
			next++
			if !yield(Batch{Images: b.Images, Labels: b.Labels, Targets: b.Targets}, nil) {
				return
			}
		}
		for ; next < s.Len(); next++ {
			if !yield(Batch{}, nil) {
				return
			}
		}
	}
}

// Ahead yields the batches that draw makes, from number from up to but not including
// to, and draws each while the one before is trained on. With it a [Source] of pictures
// that are drawn on the fly needs only a function that makes one batch. An error ends
// the iteration.
func Ahead(from, to int, draw func(batch int) (Batch, error)) iter.Seq2[Batch, error] {
	type drawn struct {
		Batch
		err error
	}
	return func(yield func(Batch, error) bool) {
		next := make(chan drawn, 2)
		done := make(chan struct{})
		defer func() {
			close(done)
			for range next { // the drawing goroutine has ended once this does
			}
		}()
		go func() {
			defer close(next)
			for i := from; i < to; i++ {
				b, err := draw(i)
				select {
				case next <- drawn{b, err}:
				case <-done:
					return
				}
				if err != nil {
					return
				}
			}
		}()
		for d := range next {
			if !yield(d.Batch, d.err) || d.err != nil {
				return
			}
		}
	}
}
