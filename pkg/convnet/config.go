// Package convnet is the convolutional networks that turn photographs into feature maps:
// for a captioner to look at, for a classifier's head, or as the first layers of a hybrid
// Vision Transformer, whose patches are the cells of such a map.
//
// It knows each architecture ([Config]), its parameters and its graph ([Config.Features]),
// and the layouts of the checkpoints that carry its weights. What is made of the features
// is for packages vit, caption and train.
package convnet

import (
	"fmt"

	. "github.com/gomlx/gomlx/core/graph"

	"gaze/pkg/nn"
)

// Kinds of network.
const (
	EfficientNetLite = "efficientnet-lite" // Tan and Le 2019, in the Lite variant of Google's tpu repository
	ResNetV2         = "resnetv2"          // He et al. 2016 with weight standardisation and group norm (BiT), as in timm's hybrid Vision Transformers
)

// Config is the architecture of a network.
type Config struct {
	Kind string `json:"kind"`
}

// Check returns an error that says what in the configuration makes no sense.
func (c Config) Check() error {
	switch c.Kind {
	case EfficientNetLite, ResNetV2:
		return nil
	}
	return fmt.Errorf("convnet: unknown kind of network %q", c.Kind)
}

// Channels is the number of values in each cell of the feature map.
func (c Config) Channels() int { panic("not written") }

// Stride is the number of pixels from one cell to the next. A picture of h rows of pixels
// has ⌈h/stride⌉ rows of cells.
func (c Config) Stride() int { panic("not written") }

// Parameters lists the parameters by Gaze's names, in the order in which the graph reads
// them.
func (c Config) Parameters() nn.ParamList { panic("not written") }

// Features builds the graph from pictures [batch, 3, height, width], normalised, to
// features [batch, rows, columns, channels]. The weights are variables under the names of
// [Config.Parameters]. It panics on shapes that don't fit.
func (c Config) Features(weights nn.Variables, images *Node) *Node { panic("not written") }
