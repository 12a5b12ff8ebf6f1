package caption

import (
	"strings"

	"github.com/gomlx/compute"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"gaze/pkg/backend"
	"gaze/pkg/caption/backbone"
	"gaze/pkg/nn"
)

// network is a model's weights on a backend, and the programs compiled for them.
type network struct {
	backend  compute.Backend
	weights  nn.Uploaded
	store    *model.Store
	programs *nn.Programs
}

// maxPrograms bounds the programs that are kept.
const maxPrograms = 24

// newNetwork gives the weights to the backend, checking that they are finite. rearrange
// gives them in the order that is fastest, for which there are no gradients.
func newNetwork(b compute.Backend, m *Model, rearrange bool) (*network, error) {
	var arrange func(p nn.Param) nn.Arrangement
	if rearrange {
		arrange = func(p nn.Param) nn.Arrangement { return m.Config.arrangement(b, p) }
	}
	weights, err := m.params.Upload(b, m.Config.Parameters(), arrange)
	if err != nil {
		return nil, err
	}
	n := &network{backend: b, weights: weights, store: model.NewStore(), programs: nn.NewPrograms(b, maxPrograms)}
	weights.AddTo(n.store)
	return n, nil
}

// arrangement is the order in which a backend computes fastest with a parameter.
func (c Config) arrangement(b compute.Backend, p nn.Param) nn.Arrangement {
	inViT := c.Backbone.Kind == backbone.ViT && strings.HasPrefix(p.Name, inBackbone)
	convolves := c.Backbone.Kind == backbone.ResNet || c.Backbone.Kind == backbone.Patch
	switch {
	case len(p.Shape) == 4 && convolves && nn.PacksKernel(b, p.Shape):
		return nn.PackedKernel
	case len(p.Shape) == 4 && p.Shape[3] > 1 && !inViT:
		return nn.ChannelsLast
	case len(p.Shape) == 2 && isLinear(p.Name) && backend.PacksWeights(b, p.Shape[0], p.Shape[1]):
		return nn.PackedWeight
	}
	return nn.TorchOrder
}

// isLinear says whether a matrix is the weight of a whole linear layer. The projections of
// attentions are used in parts.
func isLinear(name string) bool {
	return strings.HasSuffix(name, "/weight") && !strings.HasSuffix(name, "/in/weight") &&
		(!strings.HasPrefix(name, inBackbone) || strings.HasPrefix(name, inBackbone+"block_"))
}

func (n *network) close() error {
	n.programs.Close()
	return n.weights.Free()
}

// run runs the program of a key, which build makes on first use.
func run[F model.ExecGraphFn](n *network, key string, build F, inputs ...any) ([]*tensors.Tensor, error) {
	return nn.Run(n.programs, n.store, key, build, inputs...)
}

// input copies values to the backend.
func input[T float32 | int32 | bool](n *network, values []T, dims ...int) (*tensors.Tensor, error) {
	return nn.Input(n.backend, values, dims...)
}
