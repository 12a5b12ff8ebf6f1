package train

import (
	"context"
	"fmt"
	"iter"

	"github.com/gomlx/compute"

	"gaze/pkg/transform"
	"gaze/pkg/vit"
)

// probeSource is features in batches.
type probeSource struct {
	features *FeatureSet
	batch    int
	seed     uint64
	shuffle  bool
}

// probeStream keeps the order of a probe's pictures apart from other random
// numbers that begin with the same seed.
const probeStream = 0x70726f6265 // "probe"

// toFeatures computes the features of all pictures once and makes them the
// batches of a linear probe. Runs that share a pool, a model and pictures share
// the features: the head, which the seed draws, plays no part in them.
func (f *FineTune) toFeatures(ctx context.Context, backend compute.Backend, m *vit.Model, s *sources) error {
	key := ""
	if f.Start != "" && f.Data != "" {
		key = fmt.Sprintf("%s\n%s\n%s\n%s\n%v\n%d", backend.Description(), f.Start, f.Data, f.EvalPipeline, s.shape, f.Settings.Batch)
		if f.heldOut != nil {
			key += fmt.Sprintf("\n%+v", *f.heldOut)
		}
	}
	both, err := f.Pool.features(ctx, key, func() (both [2]*FeatureSet, err error) {
		runner, err := vit.NewRunner(backend, m)
		if err != nil {
			return both, err
		}
		defer runner.Close()
		for i, source := range []Source{s.train, s.validation} {
			if source == nil {
				continue
			}
			if both[i], err = computeFeatures(ctx, runner, source); err != nil {
				return both, fmt.Errorf("train: features: %w", err)
			}
		}
		return both, nil
	})
	if err != nil {
		return err
	}
	s.train = both[0].Source(f.Settings.Batch, true, f.Settings.Seed)
	if both[1] != nil {
		s.validation = both[1].Source(f.Settings.Batch, false, f.Settings.Seed)
	}
	return nil
}

func (p *probeSource) Len() int { return (len(p.features.Labels) + p.batch - 1) / p.batch }

func (p *probeSource) Batches(epoch, from int) iter.Seq2[Batch, error] {
	return func(yield func(Batch, error) bool) {
		f, order := p.features, p.order(epoch)
		for start := from * p.batch; start < len(order); start += p.batch {
			var b Batch
			for _, i := range order[start:min(start+p.batch, len(order))] {
				b.Images = append(b.Images, f.Values[i*f.Dim:(i+1)*f.Dim]...)
				b.Labels = append(b.Labels, f.Labels[i])
			}
			if !yield(b, nil) {
				return
			}
		}
	}
}

// order is the pictures of an epoch in the order they come.
func (p *probeSource) order(epoch int) []int {
	order := make([]int, len(p.features.Labels))
	for i := range order {
		order[i] = i
	}
	if p.shuffle {
		r := transform.NewRand(p.seed^probeStream, uint64(epoch), 0, 0)
		for i := len(order) - 1; i > 0; i-- {
			j := r.IntN(i + 1)
			order[i], order[j] = order[j], order[i]
		}
	}
	return order
}
