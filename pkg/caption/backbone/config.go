// Package backbone turns pictures into the feature maps that a captioner's encoder reads: a
// ResNet with frozen batch norm, a small network of patches and residual blocks, a Vision
// Transformer without its head, or a frozen EfficientNet-Lite.
//
// It knows each architecture ([Config]), its parameters and its graph ([Config.Features]).
// A Vision Transformer's configuration and forward pass are package vit's, an
// EfficientNet-Lite's package convnet's. What is made of
// the features, and how a checkpoint stores the parameters, is for package caption.
package backbone

import (
	"fmt"
	"slices"

	"gaze/pkg/convnet"
	"gaze/pkg/vit"
)

// Kinds of backbone.
const (
	ResNet = "resnet" // He et al. 2015, as in torchvision, with frozen batch norms
	Patch  = "patch"  // a patch embedding, then residual blocks; small
	ViT    = "vit"    // a Vision Transformer, whose patches are the cells

	EfficientNetLite = convnet.EfficientNetLite // package convnet's, frozen

	Given = "given" // none: features that are computed once take the place of pictures
)

// Config is the architecture of a backbone. Strides round up: a picture of h rows of
// pixels has ⌈h/stride⌉ rows of cells.
type Config struct {
	Kind string `json:"kind"`

	// Of a ResNet.
	Bottleneck bool   `json:"bottleneck,omitempty"` // blocks have three convolutions (50, 101 layers), otherwise two (18, 34)
	Depths     [4]int `json:"depths,omitzero"`      // blocks of each layer
	Width      int    `json:"width,omitempty"`      // channels of the first layer's inner convolutions: 64
	Dilate     bool   `json:"dilate,omitempty"`     // layer4 has dilated kernels instead of a stride

	// Of a patch network: its first stage begins with a convolution of PatchSize, each
	// later stage with one of stride 2.
	PatchSize int     `json:"patch_size,omitempty"`
	Stages    []Stage `json:"stages,omitempty"`

	// Of an EfficientNet-Lite: its architecture, and the side of the squares to which
	// pictures of any shape are resized; 0: they keep their shape.
	Conv *convnet.Config `json:"conv,omitempty"`
	Side int             `json:"side,omitempty"`

	// Of given features: values in a cell, rows and columns of cells, and the side of a
	// cell in pixels of the pictures that they were made of.
	Values     int    `json:"values,omitempty"`
	Cells      [2]int `json:"cells,omitzero"`
	CellStride int    `json:"cell_stride,omitempty"`

	// Of a Vision Transformer: its configuration, without a head. Pictures of any shape
	// are resized to its own size.
	ViT *vit.Config `json:"vit,omitempty"`

	// Of these two: the mean and standard deviation by which channels are normalised.
	Mean []float32 `json:"mean,omitempty"`
	Std  []float32 `json:"std,omitempty"`
}

// Stage is a part of a patch network in which the grid keeps its size.
type Stage struct {
	Channels int `json:"channels"`
	Blocks   int `json:"blocks"` // residual blocks
}

// ResNetOf is torchvision's ResNet of 18, 34, 50 or 101 layers; for another depth the
// result isn't valid.
func ResNetOf(layers int, dilate bool) Config {
	b := Config{Kind: ResNet, Width: 64, Dilate: dilate, Bottleneck: layers >= 50}
	switch layers {
	case 18:
		b.Depths = [4]int{2, 2, 2, 2}
	case 34, 50:
		b.Depths = [4]int{3, 4, 6, 3}
	case 101:
		b.Depths = [4]int{3, 4, 23, 3}
	}
	return b
}

// Stride is the side of a cell in pixels.
func (b Config) Stride() int {
	switch b.Kind {
	case Patch:
		return b.PatchSize << (len(b.Stages) - 1)
	case ViT:
		return b.ViT.PatchSize[0]
	case EfficientNetLite:
		return b.Conv.Stride()
	case Given:
		return b.CellStride
	}
	if b.Dilate {
		return 16
	}
	return 32
}

// Inputs is the number of channels of pictures: 3, or the values of given features.
func (b Config) Inputs() int {
	if b.Kind == Given {
		return b.Values
	}
	return 3
}

// Channels is the number of channels of the last feature map.
func (b Config) Channels() int {
	switch b.Kind {
	case Patch:
		return b.Stages[len(b.Stages)-1].Channels
	case ViT:
		return b.ViT.Dim
	case EfficientNetLite:
		return b.Conv.Channels()
	case Given:
		return b.Values
	}
	return b.Width * 8 * b.expansion()
}

// expansion is the factor from a block's inner channels to those of its output.
func (b Config) expansion() int {
	if b.Bottleneck {
		return 4
	}
	return 1
}

// Grid is the rows and columns of cells of a picture.
func (b Config) Grid(height, width int) [2]int {
	if b.Kind == Given {
		return b.Cells
	}
	s := b.Stride()
	return [2]int{(height + s - 1) / s, (width + s - 1) / s}
}

// Bounds far beyond any model's. They keep a damaged configuration from asking for all
// the memory before the weights are read.
const (
	maxLayers = 1000    // of each kind
	maxWidth  = 1 << 20 // of any layer
	maxSide   = 4096    // of a picture, in pixels
	maxStages = 8       // of a patch network
)

// CheckSizes is an error if numbers of layers, widths of layers or sides of pictures in
// pixels are far beyond those of any model, as in a damaged configuration.
func CheckSizes(layers, widths, sides []int) error {
	beyond := func(values []int, most int) bool {
		return slices.ContainsFunc(values, func(v int) bool { return v > most })
	}
	if beyond(layers, maxLayers) || beyond(widths, maxWidth) || beyond(sides, maxSide) {
		return fmt.Errorf("a size beyond any model's (at most %d layers, widths of %d, pictures of %d pixels): the configuration may be damaged", maxLayers, maxWidth, maxSide)
	}
	return nil
}

// checkSizes is [CheckSizes] for the backbone's own numbers.
func (b Config) checkSizes() error {
	layers, widths := slices.Clone(b.Depths[:]), []int{b.Width}
	for _, s := range b.Stages {
		layers, widths = append(layers, s.Blocks), append(widths, s.Channels)
	}
	if err := CheckSizes(layers, widths, []int{b.PatchSize}); err != nil {
		return err
	}
	if len(b.Stages) > maxStages {
		return fmt.Errorf("a patch network of %d stages: at most %d are possible, each after the first halves the grid", len(b.Stages), maxStages)
	}
	return nil
}

// Validate returns an error that says what makes the configuration impossible.
func (b Config) Validate() error {
	if err := b.checkSizes(); err != nil {
		return err
	}
	switch b.Kind {
	case ResNet:
		for _, d := range b.Depths {
			if d < 1 {
				return fmt.Errorf("a ResNet of depths %v: each must be at least 1", b.Depths)
			}
		}
		if b.Width < 1 {
			return fmt.Errorf("a ResNet of width %d: it must be at least 1", b.Width)
		}
		if b.Dilate && !b.Bottleneck {
			return fmt.Errorf("a ResNet whose blocks have two convolutions can't be dilated, as in torchvision: leave dilate out or set bottleneck")
		}
	case Patch:
		if b.PatchSize < 1 || len(b.Stages) == 0 {
			return fmt.Errorf("a patch network of patch size %d and %d stages: both must be at least 1", b.PatchSize, len(b.Stages))
		}
		for _, s := range b.Stages {
			if s.Channels < 1 || s.Blocks < 0 {
				return fmt.Errorf("a stage of %d channels and %d blocks: it needs at least one channel and no negative number of blocks", s.Channels, s.Blocks)
			}
		}
	case ViT:
		return b.validateViT()
	case EfficientNetLite:
		return b.validateConv()
	case Given:
		return b.validateGiven()
	default:
		return fmt.Errorf("there is no backbone %q: use %q, %q, %q or %q", b.Kind, ResNet, Patch, ViT, EfficientNetLite)
	}
	return nil
}
