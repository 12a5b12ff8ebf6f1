package train

import (
	"context"
	"errors"

	"github.com/gomlx/compute"
)

// Sweep tries learning rates on what Run would train: the same head, pictures and
// pipeline; see [FindLearningRate]. Nothing is kept.
func (f FineTune) Sweep(ctx context.Context, backend compute.Backend, how FinderOptions) (*Sweep, error) {
	f.sweeping = true
	if f.Settings.HeadEpochs > 0 {
		return nil, errors.New("train: finding a learning rate: head_epochs makes two stages, a test is of one: leave it out to find lr, or name freeze=backbone in its place to find head_lr")
	}
	s, m, network, err := f.begin(ctx, ctx, backend)
	if err != nil {
		return nil, err
	}
	return FindLearningRate(ctx, backend, network, f.Settings.Options(s.train.Len(), m.Config.Depth), s.train, how)
}
