package vit

import (
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"
	"github.com/gomlx/gomlx/support/exceptions"
)

// Training is how a graph that is differentiated may differ from [Forward]'s. Its
// zero value changes nothing.
type Training struct {
	// Factors multiply the residual branches, [2*depth, batch], for each block that
	// of its attention, then that of its MLP; nil: none do. It is how stochastic
	// depth (Huang et al., "Deep Networks with Stochastic Depth", 2016) is trained: 0
	// drops a picture's branch, 1/(1-rate) keeps it.
	Factors *Node
	// BFloat16 makes the products of matrices (the patches', all linear layers', both
	// of attention) and of their gradients of bfloat16 factors, with bfloat16 results,
	// as torch.autocast does. Weights stay as they are and have gradients of their own
	// dtype; norms, softmax, the residual stream and the loss are computed in it, too.
	// So are biases and activation functions, whose results autocast rounds again.
	BFloat16 bool
	// Checkpoint keeps no more of a block than its input until the gradients are
	// computed, which then computes the block again: Chen et al., "Training Deep Nets
	// with Sublinear Memory Cost", 2016.
	Checkpoint bool
}

// ForwardTraining is [Forward] for training. Outputs are of the images' dtype.
func ForwardTraining(scope *model.Scope, cfg Config, images *Node, how Training) *Intermediates {
	if how.Factors != nil {
		if got, want := how.Factors.Shape(), shapes.Make(images.DType(), 2*cfg.Depth, images.Shape().Dim(0)); !got.Equal(want) {
			exceptions.Panicf("vit.ForwardTraining: factors have shape %s, two for each block and picture are %s", got, want)
		}
	}
	return params{scope: scope, cfg: cfg, like: images, how: how}.forward(images)
}
