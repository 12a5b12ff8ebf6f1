package train

import (
	"context"
	"fmt"
	"iter"

	"github.com/gomlx/compute"

	"gaze/pkg/transform"
	"gaze/pkg/vit"
)

// probeSource is pictures' features in memory, in batches.
type probeSource struct {
	features []float32 // [pictures, dim]
	dim      int
	labels   []int
	batch    int
	seed     uint64
	shuffle  bool
}

// probeStream keeps the order of a probe's pictures apart from other random
// numbers that begin with the same seed.
const probeStream = 0x70726f6265 // "probe"

// toFeatures computes the features of all pictures once and makes them the
// batches of a linear probe.
func (s *sources) toFeatures(ctx context.Context, backend compute.Backend, m *vit.Model, batch int, seed uint64) error {
	runner, err := vit.NewRunner(backend, m)
	if err != nil {
		return err
	}
	defer runner.Close()
	for i, source := range []*Source{&s.train, &s.validation} {
		if *source == nil {
			continue
		}
		p := &probeSource{batch: batch, seed: seed, shuffle: i == 0}
		for b, err := range (*source).Batches(0, 0) {
			if err == nil {
				err = ctx.Err()
			}
			if err == nil && len(b.Labels) > 0 {
				err = p.add(runner, b, s.shape)
			}
			if err != nil {
				return fmt.Errorf("train: features: %w", err)
			}
		}
		*source = p
	}
	return nil
}

// add computes the features of a batch of pictures of a shape.
func (p *probeSource) add(runner *vit.Runner, b Batch, shape [3]int) error {
	out, err := runner.Run(b.Images, [4]int{len(b.Labels), shape[0], shape[1], shape[2]}, vit.Want{PreLogits: true})
	if err != nil {
		return err
	}
	p.dim = out.PreLogits.Shape[1]
	p.features = append(p.features, out.PreLogits.Values...)
	p.labels = append(p.labels, b.Labels...)
	return nil
}

func (p *probeSource) Len() int { return (len(p.labels) + p.batch - 1) / p.batch }

func (p *probeSource) Batches(epoch, from int) iter.Seq2[Batch, error] {
	return func(yield func(Batch, error) bool) {
		order := p.order(epoch)
		for start := from * p.batch; start < len(order); start += p.batch {
			var b Batch
			for _, i := range order[start:min(start+p.batch, len(order))] {
				b.Images = append(b.Images, p.features[i*p.dim:(i+1)*p.dim]...)
				b.Labels = append(b.Labels, p.labels[i])
			}
			if !yield(b, nil) {
				return
			}
		}
	}
}

// order is the pictures of an epoch in the order they come.
func (p *probeSource) order(epoch int) []int {
	order := make([]int, len(p.labels))
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
