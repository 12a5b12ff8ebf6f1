package train

import (
	"fmt"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"

	"gaze/pkg/caption"
)

// Captioner is the network of a captioner, to be trained from the model's weights on
// pictures that all have the size [height, width]. The inputs of a batch are
//
//	tokens int32 [rows, tokens]                   as caption.Decode takes them
//	target maps float32 [rows, tokens-1, cells]   as caption.TargetMaps, unless mapWeight is 0
//
// where the number of rows is a multiple of the number of pictures. mapWeight is the
// weight of the divergence between the target maps and the attention maps in the loss.
// The answers that are counted are tokens, each predicted from the right ones before it.
func Captioner(m *caption.Model, size [2]int, mapWeight float64) (*Network, error) {
	if !(mapWeight >= 0) {
		return nil, fmt.Errorf("train: target maps of weight %g: it must be at least 0", mapWeight)
	}
	cfg := m.Config
	list, err := m.Tensors()
	if err != nil {
		return nil, fmt.Errorf("train: %w", err)
	}
	loss := CustomLoss(func(scope *model.Scope, images *Node, inputs []*Node) Score {
		out := caption.Decode(scope, cfg, caption.Encode(scope, cfg, images, nil), inputs[0], nil)
		var targets *caption.TargetMaps
		if mapWeight > 0 {
			targets = &caption.TargetMaps{Maps: inputs[1], Weight: mapWeight}
		}
		l := caption.Loss(cfg, out, inputs[0], targets)
		return Score{Loss: l.Total, Correct: l.Correct, Answers: l.Tokens}
	})
	return &Network{Weights: list, Input: [3]int{3, size[0], size[1]}, Loss: loss}, nil
}

// FreezeStatistics freezes the batch norms of a captioner's ResNet, whose statistics
// training doesn't change.
func FreezeStatistics() Rule {
	return Freeze(caption.Frozen)
}
