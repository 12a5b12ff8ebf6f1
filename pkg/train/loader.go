package train

import (
	"context"
	"iter"

	"gaze/pkg/data"
)

// FromLoader makes a loader a source of batches. When ctx ends, so do they, with
// its error. A batch without pictures stands for one of which all were bad, so
// that the numbers of the others stay.
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
