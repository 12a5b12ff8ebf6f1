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

// ViT is the network of a Vision Transformer that classifies, to be trained from the
// model's weights; a model without a head needs [vit.Model.WithHead] first. dropPath is
// the rate of stochastic depth in the last block; it falls linearly to 0 in the first,
// as in timm. smoothing is that of the labels; see [Classification]. The batch norms of a
// hybrid's stem keep the statistics of the checkpoint and use them; their weights and biases
// are trained like the rest.
func ViT(m *vit.Model, dropPath, smoothing float64) (*Network, error) {
	cfg := m.Config
	n, err := newViT(m, dropPath, func(string) bool { return true })
	if err != nil {
		return nil, err
	}
	n.Input = [3]int{cfg.Channels, cfg.ImageSize[0], cfg.ImageSize[1]}
	n.Frozen = vit.Frozen
	n.Loss, err = Classification(cfg.Classes, smoothing, func(scope *model.Scope, images *Node, how nn.Training) *Node {
		return vit.ForwardTraining(scope, cfg, images, how).Logits
	})
	return n, err
}

// OnStemFeatures is a hybrid Vision Transformer without its stem, trained on feature maps that
// the stem computed once (Outputs.StemFeatures of a run) instead of on pictures: the same as
// [ViT] with [FreezeStem], at a fraction of the time. The images of a batch are then feature
// maps, [batch, rows, columns, channels] with the sizes of vit.Config.FeatureShape; a
// [FeatureSet] of that many values each makes such batches. [vit.Model.WithSome] puts the
// trained weights back into the model. dropPath and smoothing are as for [ViT].
func OnStemFeatures(m *vit.Model, dropPath, smoothing float64) (*Network, error) {
	cfg := m.Config
	if cfg.Stem == nil {
		return nil, errors.New("train: the model has no stem, so it can't be trained on a stem's features: train it on pictures")
	}
	n, err := newViT(m, dropPath, func(name string) bool { return !vit.InStem(name) })
	if err != nil {
		return nil, err
	}
	n.Input = cfg.FeatureShape()
	n.Loss, err = Classification(cfg.Classes, smoothing, func(scope *model.Scope, features *Node, how nn.Training) *Node {
		return vit.ForwardFeatures(scope, cfg, features, how).Logits
	})
	return n, err
}

// newViT is a network without its loss, of the weights for which use is true.
func newViT(m *vit.Model, dropPath float64, use func(name string) bool) (*Network, error) {
	cfg := m.Config
	if cfg.Classes == 0 {
		return nil, errors.New("train: the model has no head: give it classes first")
	}
	if !(dropPath >= 0 && dropPath < 1) {
		return nil, fmt.Errorf("train: stochastic depth of %g: it must be at least 0 and less than 1", dropPath)
	}
	var names []string
	for _, p := range cfg.Parameters() {
		if use(p.Name) {
			names = append(names, p.Name)
		}
	}
	list, err := tensorsOf(m, names...)
	if err != nil {
		return nil, err
	}
	n := &Network{Weights: list}
	if dropPath > 0 {
		for i := range 2 * cfg.Depth {
			n.Drop = append(n.Drop, dropPath*float64(i/2)/math.Max(1, float64(cfg.Depth-1)))
		}
	}
	return n, nil
}

// Probe is only the head of a Vision Transformer: a linear probe, trained on features
// that were computed once (Outputs.PreLogits of a run) instead of on pictures. The
// images of a batch are then features, [batch, features]. The trained weights have the
// names of the model's parameters. smoothing is that of the labels.
func Probe(m *vit.Model, smoothing float64) (*Network, error) {
	classes := m.Config.Classes
	if classes == 0 || m.Config.Pool == vit.PoolClassDist {
		return nil, errors.New("train: a probe needs a model with one head")
	}
	list, err := tensorsOf(m, "head/weight", "head/bias")
	if err != nil {
		return nil, err
	}
	return linear(list, smoothing)
}

// LinearHead is a linear classifier of features of any model, [batch, dim], as [Probe] is of
// a Vision Transformer's. Its weights, head/weight [classes, dim] and head/bias [classes],
// begin at zero, which for one layer is as good as any other beginning.
func LinearHead(dim, classes int, smoothing float64) (*Network, error) {
	if dim < 1 || classes < 2 {
		return nil, fmt.Errorf("train: a linear head of %d features and %d classes: it needs a feature and two classes", dim, classes)
	}
	return linear([]*weights.Tensor{
		weights.NewTensor("head/weight", []int{classes, dim}, make([]float32, classes*dim)),
		weights.NewTensor("head/bias", []int{classes}, make([]float32, classes)),
	}, smoothing)
}

// linear is the network of a head of a weight, [classes, dim], and a bias.
func linear(list []*weights.Tensor, smoothing float64) (n *Network, err error) {
	classes, dim := list[0].Shape[0], list[0].Shape[1]
	n = &Network{Weights: list, Input: [3]int{dim, 1, 1}}
	n.Loss, err = Classification(classes, smoothing, func(scope *model.Scope, features *Node, _ nn.Training) *Node {
		x := Reshape(features, -1, dim)
		head := scope.At("head")
		weight := head.VariableWithShape("weight", shapes.Make(x.DType(), classes, dim)).NodeValue(x)
		bias := head.VariableWithShape("bias", shapes.Make(x.DType(), classes)).NodeValue(x)
		return Add(DotGeneral(x, []int{1}, nil, weight, []int{1}, nil), ExpandLeftToRank(bias, 2))
	})
	return n, err
}

// tensorsOf is the named parameters of a model.
func tensorsOf(m *vit.Model, names ...string) ([]*weights.Tensor, error) {
	var list []*weights.Tensor
	for _, name := range names {
		w, err := m.Tensor(name)
		if err != nil {
			return nil, fmt.Errorf("train: %w", err)
		}
		list = append(list, w)
	}
	return list, nil
}
