package vit

import (
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"
	"github.com/gomlx/gomlx/support/exceptions"

	"gaze/pkg/nn"
)

// ForwardTraining is [Forward] for training. Outputs are of the images' dtype.
func ForwardTraining(scope *model.Scope, cfg Config, images *Node, how nn.Training) *Intermediates {
	if how.DropPath != nil {
		if got, want := how.DropPath.Shape(), shapes.Make(images.DType(), 2*cfg.Depth, images.Shape().Dim(0)); !got.Equal(want) {
			exceptions.Panicf("vit.ForwardTraining: the DropPath mask has shape %s, two branches for each block and picture make %s", got, want)
		}
	}
	return params{scope: scope, cfg: cfg, like: images, how: how}.forward(images)
}
