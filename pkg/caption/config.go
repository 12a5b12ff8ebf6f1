// Package caption is a captioner like CATR (github.com/saahiluppal/catr, itself DETR of
// Carion et al. 2020 with words in place of boxes): a backbone, a transformer encoder over
// its cells, and a transformer decoder that predicts one token after the other while it
// attends to the cells.
//
// It knows the architecture ([Config]), its graphs ([Encode], [Decode] for whole captions,
// and a cached step for one token), CATR's checkpoints, word pieces, and the search for a
// caption; a [Captioner] returns captions with the attention of each token. Layers,
// kernels and the storage of parameters are package nn's, a Vision Transformer as a
// backbone is package vit's. How good a caption is, and how weights are trained, is for
// packages score, evaluate/captions and train.
//
// Shapes are written [batch, tokens, dim]. Cells are the positions of the backbone's last
// feature map, row by row. The attention of a token is that of the step that PREDICTS it,
// not of the step that reads it.
package caption

import (
	"fmt"
	"math"
	"slices"

	"gaze/pkg/vit"
)

// Kinds of backbone.
const (
	ResNet = "resnet" // He et al. 2015, as in torchvision, with frozen batch norms
	Patch  = "patch"  // a patch embedding, then residual blocks; small
	ViT    = "vit"    // a Vision Transformer, whose patches are the cells
)

// Backbone is the network before the encoder. Strides round up: a picture of h rows of
// pixels has ⌈h/stride⌉ rows of cells.
type Backbone struct {
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

	// Of a Vision Transformer: its configuration, without a head, and the mean and
	// standard deviation by which channels are normalised. Pictures of any shape are
	// resized to its own size.
	ViT  *vit.Config `json:"vit,omitempty"`
	Mean []float32   `json:"mean,omitempty"`
	Std  []float32   `json:"std,omitempty"`
}

// Stage is a part of a patch network in which the grid keeps its size.
type Stage struct {
	Channels int `json:"channels"`
	Blocks   int `json:"blocks"` // residual blocks
}

// Config is the architecture and what the model was trained for: everything but weights
// and vocabulary.
type Config struct {
	Backbone Backbone `json:"backbone"`

	Dim           int `json:"dim"`            // width of a token
	Heads         int `json:"heads"`          // of every attention
	Hidden        int `json:"hidden"`         // width inside the feed-forward layers
	EncoderLayers int `json:"encoder_layers"` // may be 0
	DecoderLayers int `json:"decoder_layers"`
	MaxPositions  int `json:"max_positions"` // learned positions: the length of the longest caption with its [CLS]
	Vocab         int `json:"vocab"`         // word pieces
	// HeadHidden are the widths between the decoder and the vocabulary; none: one
	// linear layer.
	HeadHidden []int `json:"head_hidden,omitempty"`

	NormEps      float64 `json:"norm_eps"`       // of the LayerNorms of encoder and decoder
	EmbedNormEps float64 `json:"embed_norm_eps"` // of the one on word embeddings

	// LongestSide is the length in pixels to which the longer side of pictures is resized.
	LongestSide int `json:"longest_side"`

	StartID int `json:"start_id"` // [CLS]
	EndID   int `json:"end_id"`   // [SEP]
	PadID   int `json:"pad_id"`   // [PAD]
}

// CATR is the published configuration: ResNet-101 dilated in layer4, six encoder and six
// decoder layers, BERT's uncased vocabulary, pictures of 299 pixels.
func CATR() Config {
	return Config{
		Backbone: ResNetOf(101, true),
		Dim:      256, Heads: 8, Hidden: 2048, EncoderLayers: 6, DecoderLayers: 6,
		MaxPositions: 128, Vocab: 30522, HeadHidden: []int{512, 512},
		NormEps: 1e-5, EmbedNormEps: 1e-12,
		LongestSide: 299, StartID: 101, EndID: 102, PadID: 0,
	}
}

// ResNetOf is torchvision's ResNet of 18, 34, 50 or 101 layers; for another depth the
// result isn't valid.
func ResNetOf(layers int, dilate bool) Backbone {
	b := Backbone{Kind: ResNet, Width: 64, Dilate: dilate, Bottleneck: layers >= 50}
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

// Small is a captioner that trains in minutes on a processor: cells of 8×8 pixels in
// pictures of 128, two encoder and three decoder layers, width 128. vocab is the number of
// tokens; [PAD], [CLS] and [SEP] are 0, 1 and 2.
func Small(vocab int) Config {
	return Config{
		Backbone: Backbone{Kind: Patch, PatchSize: 4, Stages: []Stage{{48, 1}, {128, 2}}},
		Dim:      128, Heads: 4, Hidden: 256, EncoderLayers: 2, DecoderLayers: 3,
		MaxPositions: 32, Vocab: vocab, NormEps: 1e-5, EmbedNormEps: 1e-5,
		LongestSide: 128, StartID: 1, EndID: 2, PadID: 0,
	}
}

// Stride is the side of a cell in pixels.
func (b Backbone) Stride() int {
	switch b.Kind {
	case Patch:
		return b.PatchSize << (len(b.Stages) - 1)
	case ViT:
		return b.ViT.PatchSize[0]
	}
	if b.Dilate {
		return 16
	}
	return 32
}

// Channels is the number of channels of the last feature map.
func (b Backbone) Channels() int {
	switch b.Kind {
	case Patch:
		return b.Stages[len(b.Stages)-1].Channels
	case ViT:
		return b.ViT.Dim
	}
	return b.Width * 8 * b.expansion()
}

// expansion is the factor from a block's inner channels to those of its output.
func (b Backbone) expansion() int {
	if b.Bottleneck {
		return 4
	}
	return 1
}

// Grid is the rows and columns of cells of a picture.
func (c Config) Grid(height, width int) [2]int {
	s := c.Backbone.Stride()
	return [2]int{(height + s - 1) / s, (width + s - 1) / s}
}

// MaxCells is the number of cells of the largest picture.
func (c Config) MaxCells() int {
	height, width := c.LongestSide, c.LongestSide
	if v := c.Backbone.ViT; v != nil {
		height, width = v.ImageSize[0], v.ImageSize[1]
	}
	g := c.Grid(height, width)
	return g[0] * g[1]
}

func (b Backbone) validate() error {
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
	default:
		return fmt.Errorf("there is no backbone %q: use %q, %q or %q", b.Kind, ResNet, Patch, ViT)
	}
	return nil
}

// Bounds far beyond any model's. They keep a damaged configuration from asking for all
// the memory before the weights are read.
const (
	maxLayers = 1000    // of each kind
	maxWidth  = 1 << 20 // of any layer
	maxSide   = 4096    // of a picture, in pixels
)

// checkBounds refuses numbers beyond these bounds.
func (c Config) checkBounds() error {
	b := c.Backbone
	widths := []int{c.Dim, c.Heads, c.Hidden, c.MaxPositions, c.Vocab, b.Width, b.PatchSize}
	layers := append([]int{c.EncoderLayers, c.DecoderLayers, len(c.HeadHidden)}, b.Depths[:]...)
	for _, s := range b.Stages {
		widths, layers = append(widths, s.Channels), append(layers, s.Blocks)
	}
	widths = append(widths, c.HeadHidden...)
	if slices.Max(widths) > maxWidth || slices.Max(layers) > maxLayers || c.LongestSide > maxSide || len(b.Stages) > 8 || b.PatchSize > maxSide {
		return fmt.Errorf("a size beyond any model's (at most %d layers, widths of %d, pictures of %d pixels): the configuration may be damaged", maxLayers, maxWidth, maxSide)
	}
	return nil
}

// Validate returns an error that says what makes the configuration impossible.
func (c Config) Validate() error {
	if err := c.checkBounds(); err != nil {
		return err
	}
	if err := c.Backbone.validate(); err != nil {
		return err
	}
	positive := []struct {
		name  string
		value int
	}{
		{"dim", c.Dim}, {"heads", c.Heads}, {"hidden", c.Hidden}, {"decoder_layers", c.DecoderLayers},
		{"vocab", c.Vocab}, {"longest_side", c.LongestSide}, {"max_positions", c.MaxPositions - 1},
	}
	for _, h := range c.HeadHidden {
		positive = append(positive, struct {
			name  string
			value int
		}{"head_hidden", h})
	}
	for _, p := range positive {
		if p.value < 1 {
			return fmt.Errorf("%s is too small", p.name)
		}
	}
	for _, eps := range []float64{c.NormEps, c.EmbedNormEps} {
		if !(eps >= 0) || math.IsInf(eps, 0) { // NaN too
			return fmt.Errorf("a LayerNorm epsilon is %g: it must be a number of at least 0", eps)
		}
	}
	for _, id := range []int{c.StartID, c.EndID, c.PadID} {
		if id < 0 || id >= c.Vocab {
			return fmt.Errorf("special piece %d is outside the vocabulary of %d", id, c.Vocab)
		}
	}
	switch {
	case c.Dim%c.Heads != 0:
		return fmt.Errorf("%d heads don't divide the width %d", c.Heads, c.Dim)
	case c.Dim%4 != 0:
		return fmt.Errorf("width %d isn't a multiple of 4: the sine positions of rows and columns each take half of it", c.Dim)
	case c.EncoderLayers < 0:
		return fmt.Errorf("%d encoder layers: there must be 0 or more", c.EncoderLayers)
	}
	return nil
}
