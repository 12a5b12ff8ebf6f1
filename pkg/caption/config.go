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
// Shapes are written [batch, tokens, dim]. Cells are the positions of the
// backbone's last feature map, row by row; a cell's attention belongs to the
// step that PREDICTS a piece, not to the one that reads it.
package caption

import (
	"fmt"
	"math"
	"slices"

	"gaze/pkg/vit"
)

// Kinds of backbone.
const (
	ResNet = "resnet" // He et al. 2015, as torchvision has it, batch norms frozen
	Patch  = "patch"  // a patch convolution, then residual blocks; small
	ViT    = "vit"    // a Vision Transformer, whose patches are the cells
)

// Backbone is the convolutional network under the encoder. Every stride rounds
// up, so that a picture of h rows makes ⌈h/stride⌉ rows of cells.
type Backbone struct {
	Kind string `json:"kind"`

	// Of a ResNet.
	Bottleneck bool   `json:"bottleneck,omitempty"` // blocks of three convolutions (50, 101), else of two (18, 34)
	Depths     [4]int `json:"depths,omitzero"`      // blocks of each layer
	Width      int    `json:"width,omitempty"`      // channels of the first layer's inner convolutions: 64
	Dilate     bool   `json:"dilate,omitempty"`     // layer4 keeps its size and widens its kernels instead

	// Of a patch network: the first stage's channels come from a convolution of
	// PatchSize, those of each later stage from one of stride 2.
	PatchSize int     `json:"patch_size,omitempty"`
	Stages    []Stage `json:"stages,omitempty"`

	// Of a Vision Transformer: its configuration, without a head, and by what the
	// channels of pictures are normalised. Pictures are brought to its own size,
	// whatever their shape.
	ViT  *vit.Config `json:"vit,omitempty"`
	Mean []float32   `json:"mean,omitempty"`
	Std  []float32   `json:"std,omitempty"`
}

// Stage is a part of a patch network that keeps its size.
type Stage struct {
	Channels int `json:"channels"`
	Blocks   int `json:"blocks"` // residual blocks
}

// Config is the architecture and what the model was made for: everything but
// weights and words.
type Config struct {
	Backbone Backbone `json:"backbone"`

	Dim           int `json:"dim"`            // width of a token
	Heads         int `json:"heads"`          // of every attention
	Hidden        int `json:"hidden"`         // width inside the feed-forward layers
	EncoderLayers int `json:"encoder_layers"` // may be 0
	DecoderLayers int `json:"decoder_layers"`
	MaxPositions  int `json:"max_positions"` // learned positions: the longest caption with its [CLS]
	Vocab         int `json:"vocab"`         // word pieces
	// HeadHidden are the widths between the decoder and the vocabulary; none: one
	// linear layer.
	HeadHidden []int `json:"head_hidden,omitempty"`

	NormEps      float64 `json:"norm_eps"`       // of the LayerNorms of encoder and decoder
	EmbedNormEps float64 `json:"embed_norm_eps"` // of the one on word embeddings

	// LongestSide is what pictures' longer side is brought to, in pixels.
	LongestSide int `json:"longest_side"`

	StartID int `json:"start_id"` // [CLS]
	EndID   int `json:"end_id"`   // [SEP]
	PadID   int `json:"pad_id"`   // [PAD]
}

// CATR is the published configuration: ResNet-101 dilated in layer4, six layers
// each way, BERT's uncased vocabulary, pictures of 299 pixels.
func CATR() Config {
	return Config{
		Backbone: ResNetOf(101, true),
		Dim:      256, Heads: 8, Hidden: 2048, EncoderLayers: 6, DecoderLayers: 6,
		MaxPositions: 128, Vocab: 30522, HeadHidden: []int{512, 512},
		NormEps: 1e-5, EmbedNormEps: 1e-12,
		LongestSide: 299, StartID: 101, EndID: 102, PadID: 0,
	}
}

// ResNetOf is torchvision's ResNet of 18, 34, 50 or 101 layers; of another depth
// the result isn't valid.
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

// Small is a captioner that trains in minutes on a processor: cells of 8×8
// pixels out of 128, two layers to encode and three to decode, width 128.
// vocab is its number of word pieces; [PAD], [CLS] and [SEP] are 0, 1 and 2.
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

// Channels is the depth of the last feature map.
func (b Backbone) Channels() int {
	switch b.Kind {
	case Patch:
		return b.Stages[len(b.Stages)-1].Channels
	case ViT:
		return b.ViT.Dim
	}
	return b.Width * 8 * b.expansion()
}

// expansion is how many times wider a block's output is than its inside.
func (b Backbone) expansion() int {
	if b.Bottleneck {
		return 4
	}
	return 1
}

// Grid is the rows and columns of cells that a picture makes.
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
				return fmt.Errorf("a ResNet of depths %v: use those of 18, 34, 50 or 101 layers, or others of at least 1", b.Depths)
			}
		}
		if b.Width < 1 {
			return fmt.Errorf("a ResNet of width %d", b.Width)
		}
		if b.Dilate && !b.Bottleneck {
			return fmt.Errorf("a ResNet of two-convolution blocks can't be dilated: torchvision has none")
		}
	case Patch:
		if b.PatchSize < 1 || len(b.Stages) == 0 {
			return fmt.Errorf("a patch network of patch size %d and %d stages", b.PatchSize, len(b.Stages))
		}
		for _, s := range b.Stages {
			if s.Channels < 1 || s.Blocks < 0 {
				return fmt.Errorf("a stage of %d channels and %d blocks", s.Channels, s.Blocks)
			}
		}
	case ViT:
		return b.validateViT()
	default:
		return fmt.Errorf("backbone %q is none of %q, %q and %q", b.Kind, ResNet, Patch, ViT)
	}
	return nil
}

// No model comes near these bounds. They keep a damaged file from asking for all
// the memory before its weights are looked at.
const (
	maxLayers = 1000    // of anything
	maxWidth  = 1 << 20 // of anything
	maxSide   = 4096    // of a picture
)

// checkBounds refuses numbers beyond any model's.
func (c Config) checkBounds() error {
	b := c.Backbone
	widths := []int{c.Dim, c.Heads, c.Hidden, c.MaxPositions, c.Vocab, b.Width, b.PatchSize}
	layers := append([]int{c.EncoderLayers, c.DecoderLayers, len(c.HeadHidden)}, b.Depths[:]...)
	for _, s := range b.Stages {
		widths, layers = append(widths, s.Channels), append(layers, s.Blocks)
	}
	widths = append(widths, c.HeadHidden...)
	if slices.Max(widths) > maxWidth || slices.Max(layers) > maxLayers || c.LongestSide > maxSide || len(b.Stages) > 8 || b.PatchSize > maxSide {
		return fmt.Errorf("a number beyond any model's (layers up to %d, widths up to %d, pictures up to %d pixels)", maxLayers, maxWidth, maxSide)
	}
	return nil
}

// Validate says what makes the configuration impossible, nil if nothing does.
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
			return fmt.Errorf("a LayerNorm epsilon is %g", eps)
		}
	}
	for _, id := range []int{c.StartID, c.EndID, c.PadID} {
		if id < 0 || id >= c.Vocab {
			return fmt.Errorf("special piece %d isn't one of %d", id, c.Vocab)
		}
	}
	switch {
	case c.Dim%c.Heads != 0:
		return fmt.Errorf("%d heads don't divide the width %d", c.Heads, c.Dim)
	case c.Dim%4 != 0:
		return fmt.Errorf("width %d isn't a multiple of 4: sines and cosines of rows and of columns share it", c.Dim)
	case c.EncoderLayers < 0:
		return fmt.Errorf("%d encoder layers", c.EncoderLayers)
	}
	return nil
}
