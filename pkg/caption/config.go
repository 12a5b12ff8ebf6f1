// Package caption is a captioner like CATR (github.com/saahiluppal/catr, itself DETR of
// Carion et al. 2020 with words in place of boxes): a backbone, a transformer encoder over
// its cells, and a transformer decoder that predicts one token after the other while it
// attends to the cells.
//
// It knows the architecture ([Config]), its graphs ([Encode], [Decode] for whole captions,
// and a cached step for one token), CATR's checkpoints, and the search for a caption; a
// [Captioner] returns captions with the attention of each token. The backbones are package
// backbone's, the vocabulary is package wordpiece's; layers, kernels and the storage of
// parameters are package nn's. How good a caption is, and how weights are trained, is for
// packages score, evaluate/captions and train.
//
// Shapes are written [batch, tokens, dim]. Cells are the positions of the backbone's last
// feature map, row by row. The attention of a token is that of the step that PREDICTS it,
// not of the step that reads it.
package caption

import (
	"fmt"
	"math"

	"gaze/pkg/caption/backbone"
)

// Config is the architecture and what the model was trained for: everything but weights
// and vocabulary.
type Config struct {
	Backbone backbone.Config `json:"backbone"`

	Dim           int `json:"dim"`            // width of a token
	Heads         int `json:"heads"`          // of every attention
	Hidden        int `json:"hidden"`         // width inside the feed-forward layers
	EncoderLayers int `json:"encoder_layers"` // may be 0
	DecoderLayers int `json:"decoder_layers"`
	MaxPositions  int `json:"max_positions"` // learned positions: the length of the longest caption with its [CLS]
	Vocab         int `json:"vocab"`         // word pieces
	// Gist, if not nil, is what is read off the picture as a whole.
	Gist *Gist `json:"gist,omitempty"`
	// Neighbours, if not nil, are captioned pictures that the captioner remembers. They need
	// a Gist.
	Neighbours *Neighbours `json:"neighbours,omitempty"`
	// BackboneFrom names the checkpoint that has the backbone's weights, if they aren't in
	// the captioner's own file; see [Model.Complete].
	BackboneFrom string `json:"backbone_from,omitempty"`
	// Search is how the captioner is best asked for captions; nil: greedily.
	Search *Search `json:"search,omitempty"`
	// TiedHead makes the logits products with the word embeddings (Press and Wolf, "Using
	// the Output Embedding to Improve Language Models", 2017), plus a bias. It excludes
	// HeadHidden.
	TiedHead bool `json:"tied_head,omitempty"`
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

// Search is a part of [Options] that a captioner's file recommends.
type Search struct {
	Beam          int     `json:"beam"`
	LengthPenalty float64 `json:"length_penalty"`
	Neighbours    int     `json:"neighbours,omitempty"`
}

// Recommended is the options that the captioner's file recommends.
func (c Config) Recommended() Options {
	if c.Search == nil {
		return Options{}
	}
	return Options{Beam: c.Search.Beam, LengthPenalty: c.Search.LengthPenalty, Neighbours: c.Search.Neighbours}
}

// CATR is the published configuration: ResNet-101 dilated in layer4, six encoder and six
// decoder layers, BERT's uncased vocabulary, pictures of 299 pixels.
func CATR() Config {
	return Config{
		Backbone: backbone.ResNetOf(101, true),
		Dim:      256, Heads: 8, Hidden: 2048, EncoderLayers: 6, DecoderLayers: 6,
		MaxPositions: 128, Vocab: 30522, HeadHidden: []int{512, 512},
		NormEps: 1e-5, EmbedNormEps: 1e-12,
		LongestSide: 299, StartID: 101, EndID: 102, PadID: 0,
	}
}

// Small is a captioner that trains in minutes on a processor: cells of 8×8 pixels in
// pictures of 128, two encoder and three decoder layers, width 128. vocab is the number of
// tokens; [PAD], [CLS] and [SEP] are 0, 1 and 2.
func Small(vocab int) Config {
	return Config{
		Backbone: backbone.Config{Kind: backbone.Patch, PatchSize: 4, Stages: []backbone.Stage{{Channels: 48, Blocks: 1}, {Channels: 128, Blocks: 2}}},
		Dim:      128, Heads: 4, Hidden: 256, EncoderLayers: 2, DecoderLayers: 3,
		MaxPositions: 32, Vocab: vocab, NormEps: 1e-5, EmbedNormEps: 1e-5,
		LongestSide: 128, StartID: 1, EndID: 2, PadID: 0,
	}
}

// Grid is the rows and columns of cells of a picture.
func (c Config) Grid(height, width int) [2]int {
	return c.Backbone.Grid(height, width)
}

// MaxCells is the number of cells of the largest picture.
func (c Config) MaxCells() int {
	height, width := c.LongestSide, c.LongestSide
	if v := c.Backbone.ViT; v != nil {
		height, width = v.ImageSize[0], v.ImageSize[1]
	}
	if side := c.Backbone.Side; side > 0 {
		height, width = side, side
	}
	g := c.Grid(height, width)
	return g[0] * g[1]
}

// checkSizes refuses numbers that only a damaged file has.
func (c Config) checkSizes() error {
	layers := []int{c.EncoderLayers, c.DecoderLayers, len(c.HeadHidden)}
	widths := append([]int{c.Dim, c.Heads, c.Hidden, c.MaxPositions, c.Vocab}, c.HeadHidden...)
	return backbone.CheckSizes(layers, widths, []int{c.LongestSide})
}

// maxGist is far beyond any model's gist.
const maxGist = 1 << 20

// Validate returns an error that says what makes the configuration impossible.
func (c Config) Validate() error {
	if err := c.checkSizes(); err != nil {
		return err
	}
	if err := c.Backbone.Validate(); err != nil {
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
	case c.Gist != nil && (c.Gist.Width < 1 || c.Gist.Width > maxGist):
		return fmt.Errorf("a gist of %d values: it must be 1 to %d", c.Gist.Width, maxGist)
	case c.Gist != nil && c.Backbone.Kind != backbone.Given && c.Gist.Width != c.Backbone.Channels():
		return fmt.Errorf("a gist of %d values on a backbone of %d channels: it is made of their means", c.Gist.Width, c.Backbone.Channels())
	case c.BackboneFrom != "" && c.Backbone.Kind != backbone.EfficientNetLite:
		return fmt.Errorf("the weights of a backbone of kind %q can't come from another checkpoint (%s): only those of %q can", c.Backbone.Kind, c.BackboneFrom, backbone.EfficientNetLite)
	case c.TiedHead && len(c.HeadHidden) > 0:
		return fmt.Errorf("a head tied to the word embeddings has no hidden layers, these are %v", c.HeadHidden)
	case c.Dim%c.Heads != 0:
		return fmt.Errorf("%d heads don't divide the width %d", c.Heads, c.Dim)
	case c.Dim%4 != 0:
		return fmt.Errorf("width %d isn't a multiple of 4: the sine positions of rows and columns each take half of it", c.Dim)
	case c.EncoderLayers < 0:
		return fmt.Errorf("%d encoder layers: there must be 0 or more", c.EncoderLayers)
	}
	if err := c.checkNeighbours(); err != nil {
		return err
	}
	if c.Search == nil {
		return nil
	}
	if err := c.Recommended().Check(c); err != nil {
		return fmt.Errorf("the search that the file recommends: %w", err)
	}
	return nil
}
