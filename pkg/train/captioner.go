package train

import (
	"fmt"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"

	"gaze/pkg/caption"
	"gaze/pkg/nn"
)

// Captioner is the network of a captioner, to be trained from the model's weights
// on pictures that all have the size [height, width]. A batch's inputs are
//
//	tokens int32 [rows, tokens]            as caption.Decode has them
//	maps float32 [rows, tokens-1, cells]   as caption.TargetMaps has them, if teach isn't 0
//
// whose rows are a multiple of the pictures; teach is the weight of the maps'
// divergence. Its evaluations count word pieces, each predicted after the right
// ones before it.
func Captioner(m *caption.Model, size [2]int, teach float64) (*Network, error) {
	if !(teach >= 0) {
		return nil, fmt.Errorf("train: maps are taught with weight %g: it must be at least 0", teach)
	}
	cfg := m.Config
	list, err := m.Tensors()
	if err != nil {
		return nil, fmt.Errorf("train: %w", err)
	}
	n := &Network{Weights: list, Input: [3]int{3, size[0], size[1]}}
	n.Objective = func(scope *model.Scope, images *Node, inputs []*Node, how nn.Training) Objective {
		out := caption.Decode(scope, cfg, caption.Encode(scope, cfg, images, nil), inputs[0], nil)
		var taught *caption.TargetMaps
		if teach > 0 {
			taught = &caption.TargetMaps{Maps: inputs[1], Weight: teach}
		}
		l := caption.Loss(cfg, out, inputs[0], taught)
		return Objective{Loss: l.Total, Correct: l.Correct, Answers: l.Tokens}
	}
	return n, nil
}

// FreezeStatistics freezes what no training of a captioner changes: the frozen
// batch norms of a ResNet.
func FreezeStatistics() Rule {
	return Freeze(caption.Frozen)
}
