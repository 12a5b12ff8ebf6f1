package train

import (
	"fmt"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"

	"gaze/pkg/caption"
	"gaze/pkg/caption/backbone"
	"gaze/pkg/nn"
)

// CaptionerOnFeatures is the network of a captioner whose features are given
// ([backbone.Given]), to be trained on features that a frozen backbone has made once. What
// a batch has as images are the features, [batch, rows, columns, values]; its inputs are
//
//	tokens int32 [rows, tokens]      as caption.Decode takes them
//	seed int32 [3]                   of the values that are dropped
//	gist float32 [batch, width]      unless the captioner has no gist
//
// where the number of rows is a multiple of the number of pictures. how says what is
// dropped in training, and how targets are smoothed; its Seed must be nil. Evaluation does
// neither.
func CaptionerOnFeatures(m *caption.Model, how caption.Training) (*Network, error) {
	b := m.Config.Backbone
	return trainedOn(m, [3]int{b.Cells[0], b.Cells[1], b.Values}, how, func(scope *model.Scope, features *Node, inputs []*Node, how caption.Training) *caption.Memory {
		var gist *Node
		if m.Config.Gist != nil {
			gist = inputs[2]
		}
		return caption.EncodeFeatures(scope, m.Config, features, gist, how)
	})
}

// CaptionerOnText is the network of such a captioner that learns from sentences alone, each
// with a gist. What a batch has as images are the gists, [batch, 1, 1, width]; its inputs
// are the tokens and the seed as for [CaptionerOnFeatures], a row of tokens for each gist.
// The weights with which cells are projected aren't used: freeze them ([FreezeCells]).
func CaptionerOnText(m *caption.Model, how caption.Training) (*Network, error) {
	if m.Config.Gist == nil {
		return nil, fmt.Errorf("train: a captioner without a gist has nothing to tell sentences by")
	}
	width := m.Config.Gist.Width
	return trainedOn(m, [3]int{1, 1, width}, how, func(scope *model.Scope, gist *Node, _ []*Node, how caption.Training) *caption.Memory {
		return caption.EncodeGist(scope, m.Config, Reshape(gist, -1, width), how)
	})
}

// trainedOn is a network whose memory is made by encode.
func trainedOn(m *caption.Model, input [3]int, how caption.Training, encode func(scope *model.Scope, x *Node, inputs []*Node, how caption.Training) *caption.Memory) (*Network, error) {
	cfg := m.Config
	if cfg.Backbone.Kind != backbone.Given {
		return nil, fmt.Errorf("train: a captioner on a backbone of kind %q: its features must be given (%q)", cfg.Backbone.Kind, backbone.Given)
	}
	for _, rate := range []float64{how.Dropout, how.Input, how.Smoothing} {
		if !(rate >= 0 && rate < 1) {
			return nil, fmt.Errorf("train: dropout or smoothing of %g: it must be at least 0 and less than 1", rate)
		}
	}
	list, err := m.Tensors()
	if err != nil {
		return nil, fmt.Errorf("train: %w", err)
	}
	score := func(scope *model.Scope, x *Node, inputs []*Node, how caption.Training) Score {
		out := caption.Decode(scope, cfg, encode(scope, x, inputs, how), inputs[0], nil)
		l := caption.SmoothedLoss(cfg, out, inputs[0], nil, how.Smoothing)
		return Score{Loss: l.Total, Correct: l.Correct, Answers: l.Tokens}
	}
	loss := CustomLoss(func(scope *model.Scope, x *Node, inputs []*Node) Score {
		return score(scope, x, inputs, caption.Training{})
	})
	loss.graph = func(scope *model.Scope, x *Node, inputs []*Node, _ nn.Training) Score {
		how := how
		how.Seed = inputs[1]
		return score(scope, x, inputs, how)
	}
	return &Network{Weights: list, Input: input, Loss: loss}, nil
}

// FreezeCells freezes the weights with which a captioner projects cells.
func FreezeCells() Rule {
	return Freeze(func(name string) bool {
		return name == "project/weight" || name == "project/bias" || name == "project_norm/weight" || name == "project_norm/bias"
	})
}
