package train

import (
	"context"

	"github.com/gomlx/compute"
)

// Sweep tries learning rates on what Run would train: the same head, pictures and
// pipeline; see [FindLearningRate]. Nothing is kept.
func (f FineTune) Sweep(ctx context.Context, backend compute.Backend, how FinderOptions) (*Sweep, error) {
	if f.Warn == nil {
		f.Warn = func(string) {}
	}
	if f.EvalPipeline == nil {
		f.EvalPipeline = EvaluationPipeline(f.Pipeline)
	}
	f.Validation = nil
	s, err := f.sources(ctx)
	if err != nil {
		return nil, err
	}
	m, err := f.prepare(s.shape)
	if err != nil {
		return nil, err
	}
	network, err := f.network(m)
	if err != nil {
		return nil, err
	}
	return FindLearningRate(ctx, backend, network, f.Settings.Options(s.train.Len(), m.Config.Depth), s.train, how)
}
