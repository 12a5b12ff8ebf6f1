package train

import (
	"errors"
	"fmt"
	"math"

	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"

	"gaze/pkg/nn"
	"gaze/pkg/vit"
	"gaze/pkg/weights"
)

// Network is what is trained: weights to start from, and how they make logits of
// pictures.
type Network struct {
	Weights []*weights.Tensor // float32, in the names that Logits reads them by
	Input   [3]int            // channels, height and width of a picture
	Classes int
	// Drop is stochastic depth: for each residual branch the probability that a
	// picture skips it in training; empty: none.
	Drop []float64
	// Objective, if given, is what is trained for in place of the cross entropy of
	// Logits, which is then nil as Classes is 0. inputs are the batch's, by
	// Batch.Inputs.
	Objective func(scope *model.Scope, images *Node, inputs []*Node, how nn.Training) Objective
	// Logits builds the graph: images [batch, channels, height, width] in, logits
	// [batch, classes] out. how has a DropPath mask, [branches, batch], where branches are
	// dropped; its zero value is how pictures are classified.
	Logits func(scope *model.Scope, images *Node, how nn.Training) *Node
}

// Objective is how well a network does on a batch; all are scalars.
type Objective struct {
	Loss    *Node // to be minimised: a mean, so that batches of any size weigh alike
	Correct *Node // how many answers are right
	Answers *Node // of how many
}

func (n *Network) validate() error {
	switch {
	case n == nil || n.Logits == nil && n.Objective == nil || len(n.Weights) == 0:
		return errors.New("there is no network to train")
	case n.Logits != nil && n.Objective != nil:
		return errors.New("the network has both logits to classify with and an objective: give one")
	case n.Objective != nil && len(n.Drop) > 0:
		return errors.New("stochastic depth belongs to networks that classify")
	case n.Objective == nil && n.Classes < 1:
		return errors.New("the network has no head: give it classes first")
	case n.Input[0] < 1 || n.Input[1] < 1 || n.Input[2] < 1:
		return fmt.Errorf("the network takes pictures of shape %v", n.Input)
	}
	for _, rate := range n.Drop {
		if !(rate >= 0 && rate < 1) {
			return fmt.Errorf("a branch is dropped with probability %g: it must be at least 0 and less than 1", rate)
		}
	}
	seen := map[string]bool{}
	for _, w := range n.Weights {
		if seen[w.Name] {
			return fmt.Errorf("weight %s is there twice", w.Name)
		}
		seen[w.Name] = true
		values, err := w.Float32s()
		if err != nil {
			return err
		}
		for i, v := range values {
			if v-v != 0 {
				return fmt.Errorf("weight %s holds %v at index %d", w.Name, v, i)
			}
		}
	}
	return nil
}

// ViT is the network of a Vision Transformer, to be trained from the model's
// weights; give it the classes first with [vit.Model.WithHead]. dropPath is the
// rate of stochastic depth of the last block; those before it have less, down to
// none of the first, as in timm.
func ViT(m *vit.Model, dropPath float64) (*Network, error) {
	cfg := m.Config
	if cfg.Classes == 0 {
		return nil, errors.New("train: the model has no head: give it classes first")
	}
	if !(dropPath >= 0 && dropPath < 1) {
		return nil, fmt.Errorf("train: stochastic depth of %g: it must be at least 0 and less than 1", dropPath)
	}
	n := &Network{Input: [3]int{cfg.Channels, cfg.ImageSize[0], cfg.ImageSize[1]}, Classes: cfg.Classes}
	for _, p := range cfg.Parameters() {
		w, err := m.Tensor(p.Name)
		if err != nil {
			return nil, fmt.Errorf("train: %w", err)
		}
		n.Weights = append(n.Weights, w)
	}
	if dropPath > 0 {
		for i := range 2 * cfg.Depth {
			n.Drop = append(n.Drop, dropPath*float64(i/2)/math.Max(1, float64(cfg.Depth-1)))
		}
	}
	n.Logits = func(scope *model.Scope, images *Node, how nn.Training) *Node {
		return vit.ForwardTraining(scope, cfg, images, how).Logits
	}
	return n, nil
}

// Probe is the head of a Vision Transformer alone: a linear probe, trained on
// features that were computed once (Outputs.PreLogits of a run) instead of on
// pictures. A batch's images are then features, [batch, features]. What is
// trained goes back into the model by the names of its parameters.
func Probe(m *vit.Model) (*Network, error) {
	if m.Config.Classes == 0 || m.Config.Pool == vit.PoolClassDist {
		return nil, errors.New("train: a probe needs a model with one head")
	}
	n := &Network{Classes: m.Config.Classes}
	for _, name := range []string{"head/weight", "head/bias"} {
		w, err := m.Tensor(name)
		if err != nil {
			return nil, fmt.Errorf("train: %w", err)
		}
		n.Weights = append(n.Weights, w)
	}
	n.Input = [3]int{n.Weights[0].Shape[1], 1, 1}
	n.Logits = func(scope *model.Scope, features *Node, _ nn.Training) *Node {
		x := Reshape(features, -1, n.Input[0])
		head := scope.At("head")
		weight := head.VariableWithShape("weight", shapes.Make(x.DType(), n.Classes, n.Input[0])).NodeValue(x)
		bias := head.VariableWithShape("bias", shapes.Make(x.DType(), n.Classes)).NodeValue(x)
		return Add(DotGeneral(x, []int{1}, nil, weight, []int{1}, nil), ExpandLeftToRank(bias, 2))
	}
	return n, nil
}
