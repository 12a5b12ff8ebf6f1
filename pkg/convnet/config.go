// Package convnet is the convolutional networks that turn photographs into feature maps:
// for a captioner to look at, for a classifier's head, or as the first layers of a hybrid
// Vision Transformer, whose patches are the cells of such a map.
//
// It knows each architecture ([Config]), its parameters and its graph ([Config.Features]),
// and the layouts of the checkpoints that carry its weights ([Load]); a [Runner] makes
// features of pictures. What is made of the features is for packages vit, caption and
// train.
package convnet

import (
	"fmt"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/support/exceptions"

	"gaze/pkg/nn"
)

// Kinds of network.
const (
	EfficientNetLite = "efficientnet-lite" // Tan and Le 2019, in the Lite variant of Google's tpu repository
	ResNetV2         = "resnetv2"          // He et al. 2016 with weight standardisation and group norm (BiT), as in timm's hybrid Vision Transformers
)

// Config is the architecture of a network: its kind, and what describes that kind.
type Config struct {
	Kind   string  `json:"kind"`
	Lite   *Lite   `json:"lite,omitempty"`   // of an EfficientNet-Lite
	ResNet *ResNet `json:"resnet,omitempty"` // of a ResNetV2
}

// network is what each kind of network provides. Methods other than check may panic if
// check returns an error.
type network interface {
	check() error
	channels() int
	stride() int
	parameters(l *nn.ParamList)
	features(weights nn.Variables, images *Node) *Node
}

// network is the description of the configuration's kind; nil if it isn't there.
func (c Config) network() network {
	switch {
	case c.Kind == EfficientNetLite && c.Lite != nil:
		return c.Lite
	case c.Kind == ResNetV2 && c.ResNet != nil:
		return c.ResNet
	}
	return nil
}

// Check returns an error that says what in the configuration makes no sense.
func (c Config) Check() error {
	switch c.Kind {
	case EfficientNetLite, ResNetV2:
	default:
		return fmt.Errorf("convnet: unknown kind of network %q: use %q or %q", c.Kind, EfficientNetLite, ResNetV2)
	}
	n := c.network()
	if n == nil {
		return fmt.Errorf("convnet: the configuration says %q and doesn't describe one", c.Kind)
	}
	if err := n.check(); err != nil {
		return fmt.Errorf("convnet: %w", err)
	}
	return nil
}

// Channels is the number of values in each cell of the feature map.
func (c Config) Channels() int { return c.network().channels() }

// Stride is the number of pixels from one cell to the next. A picture of h rows of pixels
// has ⌈h/stride⌉ rows of cells.
func (c Config) Stride() int { return c.network().stride() }

// Grid is the rows and columns of cells of a picture.
func (c Config) Grid(height, width int) [2]int {
	s := c.Stride()
	return [2]int{(height + s - 1) / s, (width + s - 1) / s}
}

// Parameters lists the parameters by Gaze's names, in the order in which the graph reads
// them.
func (c Config) Parameters() nn.ParamList {
	var l nn.ParamList
	c.network().parameters(&l)
	return l
}

// Features builds the graph from pictures [batch, 3, height, width], normalised, to
// features [batch, rows, columns, channels]. The weights are variables under the names of
// [Config.Parameters]. It panics on shapes that don't fit.
func (c Config) Features(weights nn.Variables, images *Node) *Node {
	if images.Rank() != 4 || images.Shape().Dim(1) != 3 {
		exceptions.Panicf("convnet: pictures of shape %s, not [batch, 3, height, width]", images.Shape())
	}
	return c.network().features(weights, images)
}
