package evaluate

import (
	"context"
	"fmt"
	"slices"

	"github.com/gomlx/compute"

	"gaze/pkg/data"
	"gaze/pkg/transform"
	"gaze/pkg/vit"
)

// Options say how [Predict] works; the zero value is fine.
type Options struct {
	Pipeline transform.Pipeline    // nil: the model's own
	Batch    int                   // pictures at a time; 0: 32
	Workers  int                   // that decode and transform; 0: one for each processor
	Bad      func(data.BadPicture) // called for pictures that can't be read, which are left out; nil: they are an error
	Progress func(done int)        // called after each batch with the number of pictures classified; may be nil
	Damaged  func(data.BadPicture) // called for pictures that are damaged but could be used; may be nil
}

// Predict runs a model on all pictures of a set, in its order. classes names the
// set's classes, which [Align] finds among the model's. A cancelled context ends
// it with the context's error.
func Predict(ctx context.Context, backend compute.Backend, m *vit.Model, set data.Set, classes []string, o Options) (*Predictions, error) {
	names, labels, err := Align(m, classes)
	if err != nil {
		return nil, err
	}
	if o.Pipeline == nil {
		if o.Pipeline, err = m.Preprocessing(); err != nil {
			return nil, fmt.Errorf("evaluate: %w", err)
		}
	}
	if err := m.Config.CheckPipeline(o.Pipeline); err != nil {
		return nil, fmt.Errorf("evaluate: %w", err)
	}
	if o.Batch == 0 {
		o.Batch = 32
	}
	loader, err := data.NewLoader(set, data.LoaderOptions{Pipeline: o.Pipeline, Batch: o.Batch, Workers: o.Workers, Bad: o.Bad, Damaged: o.Damaged})
	if err != nil {
		return nil, err
	}
	runner, err := vit.NewRunner(backend, m)
	if err != nil {
		return nil, err
	}
	defer runner.Close()
	p := &Predictions{Classes: names}
	for b, err := range loader.Batches(ctx, 0, 0) {
		if err != nil {
			return nil, err
		}
		images, shape := b.Images, b.Shape
		if n := shape[0]; len(p.Labels) > 0 && n < o.Batch { // filled up, or another program would be compiled for it
			shape[0] = o.Batch
			images = append(slices.Clone(images), make([]float32, len(images)/n*(o.Batch-n))...)
		}
		out, err := runner.Run(images, shape, vit.Want{Logits: true})
		if err != nil {
			return nil, err
		}
		p.Logits = append(p.Logits, out.Logits.Values[:len(b.Labels)*m.Config.Classes]...)
		for k, i := range b.Index {
			p.Labels, p.Names = append(p.Labels, labels[b.Labels[k]]), append(p.Names, set.Name(i))
		}
		if o.Progress != nil {
			o.Progress(len(p.Labels))
		}
	}
	return p, ctx.Err()
}
