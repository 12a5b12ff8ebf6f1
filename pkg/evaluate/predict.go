package evaluate

import (
	"context"
	"fmt"

	"github.com/gomlx/compute"

	"gaze/pkg/data"
	"gaze/pkg/vit"
)

// Predict runs a model on the pictures of a loader's set (its epoch 0), whose
// classes are the model's, in the loader's order. Pictures that the loader leaves
// out are left out here. A cancelled context ends it with the context's error.
func Predict(ctx context.Context, backend compute.Backend, m *vit.Model, set data.Set, loader *data.Loader) (*Predictions, error) {
	runner, err := vit.NewRunner(backend, m)
	if err != nil {
		return nil, err
	}
	defer runner.Close()
	p := &Predictions{Classes: m.Labels}
	for i := len(p.Classes); i < m.Config.Classes; i++ {
		p.Classes = append(p.Classes, fmt.Sprint(i))
	}
	for b, err := range loader.Batches(ctx, 0, 0) {
		if err != nil {
			return nil, err
		}
		out, err := runner.Run(b.Images, b.Shape, vit.Want{Logits: true})
		if err != nil {
			return nil, err
		}
		p.Logits = append(p.Logits, out.Logits.Values...)
		p.Labels = append(p.Labels, b.Labels...)
		for _, i := range b.Index {
			p.Names = append(p.Names, set.Name(i))
		}
	}
	return p, ctx.Err()
}
