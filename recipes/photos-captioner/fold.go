package main

import (
	"fmt"
	"slices"

	"gaze/pkg/caption"
	"gaze/pkg/caption/backbone"
	"gaze/pkg/convnet"
	"gaze/pkg/weights"
)

// fold makes the captioner of photographs of one that was trained on standardised features
// and on the values of the gist: both are linear in the features, so that their weights go
// into the layers that project them.
func fold(m *caption.Model, cfg caption.Config, s *scale, g *gist) (*caption.Model, error) {
	base, err := caption.New(cfg, 0)
	if err != nil {
		return nil, err
	}
	base.Vocab = m.Vocab
	list, err := m.Tensors()
	if err != nil {
		return nil, err
	}
	byName := map[string][]float32{}
	for _, t := range list {
		if byName[t.Name], err = t.Float32s(); err != nil {
			return nil, err
		}
	}
	cells, cellsBias := standardisedAway(byName["project/weight"], byName["project/bias"], s.mean, s.deviation)
	whole, wholeBias := gistAway(byName["gist/weight"], byName["gist/bias"], g)
	folded := map[string]*weights.Tensor{
		"project/weight": weights.NewTensor("project/weight", []int{cfg.Dim, len(s.mean)}, cells),
		"project/bias":   weights.NewTensor("project/bias", []int{cfg.Dim}, cellsBias),
		"gist/weight":    weights.NewTensor("gist/weight", []int{cfg.Dim, len(s.mean)}, whole),
		"gist/bias":      weights.NewTensor("gist/bias", []int{cfg.Dim}, wholeBias),
	}
	for i, t := range list {
		if f := folded[t.Name]; f != nil {
			list[i] = f
		}
	}
	return base.WithParameters(list)
}

// standardisedAway is the linear layer on raw values that does what a layer did on
// standardised ones.
func standardisedAway(weight, bias, mean, deviation []float32) (w, b []float32) {
	n := len(mean)
	w, b = slices.Clone(weight), slices.Clone(bias)
	for i := range w {
		w[i] /= deviation[i%n]
	}
	for o := range b {
		shift := 0.0
		for c, v := range w[o*n : (o+1)*n] {
			shift += float64(v) * float64(mean[c])
		}
		b[o] -= float32(shift)
	}
	return w, b
}

// gistAway is the linear layer on the means of features that does what a layer did on the
// gist's values.
func gistAway(weight, bias []float32, g *gist) (w, b []float32) {
	width, channels := len(g.bias), len(g.mean)
	w, b = make([]float32, len(bias)*channels), make([]float32, len(bias))
	rows(len(bias), func(o int) {
		layer := make([]float64, width)
		for k := range layer {
			layer[k] = float64(weight[o*width+k])
		}
		shift := float64(bias[o]) + dot(layer, g.bias)
		for c := range channels {
			v := dot(g.weight[c], layer) / g.deviation[c]
			w[o*channels+c] = float32(v)
			shift -= v * g.mean[c]
		}
		b[o] = float32(shift)
	})
	return w, b
}

// onFeatures is a captioner of photographs that takes their features in their place.
func onFeatures(m *caption.Model) (*caption.Model, error) {
	cfg := m.Config
	b := cfg.Backbone
	cfg.Backbone = given(b)
	cfg.BackboneFrom = ""
	out, err := caption.New(cfg, 0)
	if err != nil {
		return nil, err
	}
	out.Vocab, out.Remembered = m.Vocab, m.Remembered
	var list []*weights.Tensor
	for _, p := range cfg.Parameters() {
		values, shape, err := m.Parameter(p.Name)
		if err != nil {
			return nil, err
		}
		list = append(list, weights.NewTensor(p.Name, shape, slices.Clone(values)))
	}
	return out.WithParameters(list)
}

// given is the features of a network of package convnet in its place.
func given(b backbone.Config) backbone.Config {
	return backbone.Config{Kind: backbone.Given, Values: b.Channels(), Cells: b.Grid(b.Side, b.Side), CellStride: b.Stride()}
}

// neighbourWidth is how many values of a picture are compared with those of the pictures
// that the captioner remembers.
const neighbourWidth = 96

// remember gives the captioner the training photographs: their means of features,
// standardised and projected to the directions of greatest variance, and their captions.
func remember(m *caption.Model, g *gist, pooled matrix, captions [][]string) (*caption.Model, error) {
	x := g.standardised(pooled)
	directions, variances := principal(x, neighbourWidth, 12, 1)
	channels := len(g.mean)
	w, b := make([]float32, neighbourWidth*channels), make([]float32, neighbourWidth)
	for i, d := range directions {
		addTo(d, 1/quarticRoot(variances[i])-1, d) // half of the way to equal variances
		shift := 0.0
		for c, v := range d {
			w[i*channels+c] = float32(v / g.deviation[c])
			shift += v / g.deviation[c] * g.mean[c]
		}
		b[i] = float32(-shift)
	}
	var features []float32
	for _, row := range x.timesTransposed(directions) {
		norm := 1 / sqrt(float32(dot(row, row)))
		for _, v := range row {
			features = append(features, float32(v)*norm)
		}
	}
	return m.WithNeighbours(
		weights.NewTensor("weight", []int{neighbourWidth, channels}, w), weights.NewTensor("bias", []int{neighbourWidth}, b),
		weights.NewTensor("features", []int{len(x), neighbourWidth}, features), captions)
}

// photoConfig is the captioner of photographs; trained is its configuration for training on
// features and on a gist of width values.
func photoConfig(net *convnet.Model, side, vocab, width int) (photos, trained caption.Config, err error) {
	b, err := backbone.ConvOf(net)
	if err != nil {
		return photos, trained, err
	}
	b.Side = side
	photos = caption.Config{
		Backbone: b, BackboneFrom: backboneName, Gist: &caption.Gist{Width: b.Channels()},
		Dim: 256, Heads: 8, Hidden: 512, DecoderLayers: 2, MaxPositions: longest, Vocab: vocab, TiedHead: true,
		NormEps: 1e-5, EmbedNormEps: 1e-5, LongestSide: side, StartID: 1, EndID: 2, PadID: 0,
	}
	trained = photos
	trained.Backbone = given(b)
	trained.BackboneFrom, trained.Gist = "", &caption.Gist{Width: width}
	if err := trained.Validate(); err != nil {
		return photos, trained, fmt.Errorf("the captioner on features: %w", err)
	}
	return photos, trained, nil
}
