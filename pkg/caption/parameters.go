package caption

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"

	"gaze/pkg/caption/backbone"
	"gaze/pkg/nn"
	"gaze/pkg/weights"
)

// inBackbone begins the names of the backbone's parameters.
const inBackbone = "backbone/"

// Frozen says whether a parameter of this name is one that training doesn't change
// ([backbone.Frozen]).
func Frozen(name string) bool {
	name, ok := strings.CutPrefix(name, inBackbone)
	return ok && backbone.Frozen(name)
}

// Parameters lists every parameter of the architecture, in the order in which the graph
// reads them.
func (c Config) Parameters() []nn.Param {
	var l parameterList
	for _, p := range c.Backbone.Parameters() {
		l.Add(inBackbone+p.Name, p.Shape...)
	}
	l.Linear("project", c.Dim, c.Backbone.Channels(), true)
	if c.Gist != nil {
		l.Norm("project_norm", c.Dim)
		l.Linear("gist", c.Dim, c.Gist.Width, true)
		l.Norm("gist_norm", c.Dim)
	}
	if n := c.Neighbours; n != nil {
		l.Linear(neighboursProject, n.Width, c.Gist.Width, true)
		l.Add(neighboursFeatures, n.Pictures, n.Width)
	}
	for i := range c.EncoderLayers {
		b := fmt.Sprintf("encoder_%d/", i)
		l.Norm(b+"norm1", c.Dim)
		l.attention(b+"self/", c.Dim)
		l.Norm(b+"norm2", c.Dim)
		l.feedForward(b, c)
	}
	if c.EncoderLayers > 0 {
		l.Norm("encoder_norm", c.Dim)
	}
	l.Add("positions", c.MaxPositions, c.Dim)
	l.Add("words", c.Vocab, c.Dim)
	l.Norm("embed_norm", c.Dim)
	for i := range c.DecoderLayers {
		b := fmt.Sprintf("decoder_%d/", i)
		l.Norm(b+"norm1", c.Dim)
		l.attention(b+"self/", c.Dim)
		l.Norm(b+"norm2", c.Dim)
		l.attention(b+"cross/", c.Dim)
		l.Norm(b+"norm3", c.Dim)
		l.feedForward(b, c)
	}
	l.Norm("decoder_norm", c.Dim)
	if c.TiedHead {
		l.Add("head_0/bias", c.Vocab)
		return l.ParamList
	}
	in := c.Dim
	for i, width := range append(append([]int{}, c.HeadHidden...), c.Vocab) {
		l.Linear(fmt.Sprintf("head_%d", i), width, in, true)
		in = width
	}
	return l.ParamList
}

// parameterList lists the parameters of the captioner's parts.
type parameterList struct{ nn.ParamList }

func (l *parameterList) attention(at string, dim int) {
	l.Linear(at+"in", 3*dim, dim, true)
	l.Linear(at+"out", dim, dim, true)
}

func (l *parameterList) feedForward(at string, c Config) {
	l.Linear(at+"mlp/fc1", c.Hidden, c.Dim, true)
	l.Linear(at+"mlp/fc2", c.Dim, c.Hidden, true)
}

// New makes a model with random weights from a seed, to be trained: Glorot and Bengio's
// uniform distribution for matrices, He's normal one for convolutions, a normal one of
// deviation 0.02 for words and positions, norms one, biases zero. A ResNet, whose norms
// are frozen, and an EfficientNet-Lite need weights that were trained elsewhere.
func New(cfg Config, seed uint64) (*Model, error) {
	if err := cfg.Validate(); err != nil {
		return nil, fmt.Errorf("caption: %w", err)
	}
	m := &Model{Config: cfg, Layout: LayoutGaze, params: nn.Parameters{}}
	for i, p := range cfg.Parameters() {
		data := make([]float32, p.Len())
		fill(data, p, rand.New(rand.NewPCG(seed, uint64(i))))
		m.params[p.Name] = nn.Own(weights.NewTensor(p.Name, p.Shape, data))
	}
	return m, nil
}

// fill draws the initial values of a parameter.
func fill(data []float32, p nn.Param, r *rand.Rand) {
	draw := func() float64 { return 0 }
	switch {
	case len(p.Shape) == 1:
		if one := strings.HasSuffix(p.Name, "/weight") || strings.HasSuffix(p.Name, "/var"); one {
			draw = func() float64 { return 1 }
		}
	case p.Name == "words", p.Name == "positions":
		draw = func() float64 { return 0.02 * r.NormFloat64() }
	case len(p.Shape) == 4:
		deviation := math.Sqrt(2 / float64(p.Len()/p.Shape[0]))
		if strings.HasSuffix(p.Name, "conv2/weight") && strings.Contains(p.Name, "/stage_") {
			deviation /= 4 // so that residual branches start small
		}
		draw = func() float64 { return deviation * r.NormFloat64() }
	default:
		limit := math.Sqrt(6 / float64(p.Shape[0]+p.Shape[1]))
		draw = func() float64 { return limit * (2*r.Float64() - 1) }
	}
	for i := range data {
		data[i] = float32(draw())
	}
}
