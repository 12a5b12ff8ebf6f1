package caption

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"

	"gaze/pkg/weights"
)

// Param is one array of the model, under Gaze's name for it: the path of the
// variable that the graph functions read, such as "decoder_3/cross/in/weight".
type Param struct {
	Name  string
	Shape []int // linear layers [out, in], convolutions [out, in, rows, columns], as torch has them
}

// Frozen tells whether the parameter is a statistic of a frozen batch norm,
// which no training changes.
func (p Param) Frozen() bool {
	return strings.HasPrefix(p.Name, "backbone/") && strings.Contains(p.Name, "/bn")
}

// parameterList gathers parameters.
type parameterList []Param

func (l *parameterList) add(name string, shape ...int) { *l = append(*l, Param{name, shape}) }

func (l *parameterList) norm(name string, dim int) {
	l.add(name+"/weight", dim)
	l.add(name+"/bias", dim)
}

func (l *parameterList) linear(name string, out, in int) {
	l.add(name+"/weight", out, in)
	l.add(name+"/bias", out)
}

// Parameters lists every parameter of the architecture, in the order in which
// the graph meets them.
func (c Config) Parameters() []Param {
	var l parameterList
	l.backbone(c.Backbone)
	l.linear("project", c.Dim, c.Backbone.Channels())
	for i := range c.EncoderLayers {
		b := fmt.Sprintf("encoder_%d/", i)
		l.norm(b+"norm1", c.Dim)
		l.attention(b+"self/", c.Dim)
		l.norm(b+"norm2", c.Dim)
		l.feedForward(b, c)
	}
	if c.EncoderLayers > 0 {
		l.norm("encoder_norm", c.Dim)
	}
	l.add("positions", c.MaxPositions, c.Dim)
	l.add("words", c.Vocab, c.Dim)
	l.norm("embed_norm", c.Dim)
	for i := range c.DecoderLayers {
		b := fmt.Sprintf("decoder_%d/", i)
		l.norm(b+"norm1", c.Dim)
		l.attention(b+"self/", c.Dim)
		l.norm(b+"norm2", c.Dim)
		l.attention(b+"cross/", c.Dim)
		l.norm(b+"norm3", c.Dim)
		l.feedForward(b, c)
	}
	l.norm("decoder_norm", c.Dim)
	in := c.Dim
	for i, width := range append(append([]int{}, c.HeadHidden...), c.Vocab) {
		l.linear(fmt.Sprintf("head_%d", i), width, in)
		in = width
	}
	return l
}

func (l *parameterList) attention(at string, dim int) {
	l.linear(at+"in", 3*dim, dim)
	l.linear(at+"out", dim, dim)
}

func (l *parameterList) feedForward(at string, c Config) {
	l.linear(at+"mlp/fc1", c.Hidden, c.Dim)
	l.linear(at+"mlp/fc2", c.Dim, c.Hidden)
}

func (l *parameterList) backbone(b Backbone) {
	switch b.Kind {
	case Patch:
		l.patchNet(b)
		return
	case ViT:
		for _, p := range b.ViT.Parameters() {
			l.add("backbone/"+p.Name, p.Shape...)
		}
		return
	}
	l.add("backbone/conv1/weight", b.Width, 3, 7, 7)
	l.frozenNorm("backbone/bn1", b.Width)
	in := b.Width
	for layer, depth := range b.Depths {
		for i := range depth {
			at := fmt.Sprintf("backbone/layer%d/block_%d/", layer+1, i)
			stride, _ := b.blockStride(layer, i)
			in = l.resNetBlock(at, b, in, b.Width<<layer, stride, i == 0)
		}
	}
}

// resNetBlock lists a block's parameters and returns its output's channels.
func (l *parameterList) resNetBlock(at string, b Backbone, in, n, stride int, first bool) int {
	out := n * b.expansion()
	shapes := [][3]int{{n, in, 3}, {n, n, 3}} // out, in, size of each convolution
	if b.Bottleneck {
		shapes = [][3]int{{n, in, 1}, {n, n, 3}, {out, n, 1}}
	}
	for i, s := range shapes {
		l.add(fmt.Sprintf("%sconv%d/weight", at, i+1), s[0], s[1], s[2], s[2])
		l.frozenNorm(fmt.Sprintf("%sbn%d", at, i+1), s[0])
	}
	if first && b.shortcut(in, out, stride) {
		l.add(at+"down/conv/weight", out, in, 1, 1)
		l.frozenNorm(at+"down/bn", out)
	}
	return out
}

func (l *parameterList) frozenNorm(name string, n int) {
	for _, what := range []string{"weight", "bias", "mean", "var"} {
		l.add(name+"/"+what, n)
	}
}

func (l *parameterList) patchNet(b Backbone) {
	in, size := 3, b.PatchSize
	for i, s := range b.Stages {
		at := fmt.Sprintf("backbone/stage_%d/", i)
		l.add(at+"conv/weight", s.Channels, in, size, size)
		l.add(at+"conv/bias", s.Channels)
		for j := range s.Blocks {
			block := fmt.Sprintf("%sblock_%d/", at, j)
			l.norm(block+"norm", s.Channels)
			for _, conv := range []string{"conv1", "conv2"} {
				l.add(block+conv+"/weight", s.Channels, s.Channels, 3, 3)
				l.add(block+conv+"/bias", s.Channels)
			}
		}
		in, size = s.Channels, 3
	}
	l.norm("backbone/norm", in)
}

// New makes a model with random weights from a seed, to be trained: matrices as
// Glorot and Bengio's uniform, convolutions as He's normal, words and positions
// normal of deviation 0.02, norms one, biases zero. A ResNet's frozen norms make
// it of use only with weights that were trained elsewhere.
func New(cfg Config, seed uint64) (*Model, error) {
	if err := cfg.Validate(); err != nil {
		return nil, fmt.Errorf("caption: %w", err)
	}
	m := &Model{Config: cfg, Layout: LayoutGaze, params: map[string]*weights.Tensor{}, shapes: map[string][]int{}}
	for i, p := range cfg.Parameters() {
		data := make([]float32, product(p.Shape))
		p.fill(data, rand.New(rand.NewPCG(seed, uint64(i))))
		m.params[p.Name], m.shapes[p.Name] = weights.NewTensor(p.Name, p.Shape, data), p.Shape
	}
	return m, nil
}

// fill draws a parameter's first values.
func (p Param) fill(data []float32, r *rand.Rand) {
	draw := func() float64 { return 0 }
	switch {
	case len(p.Shape) == 1:
		if one := strings.HasSuffix(p.Name, "/weight") || strings.HasSuffix(p.Name, "/var"); one {
			draw = func() float64 { return 1 }
		}
	case p.Name == "words", p.Name == "positions":
		draw = func() float64 { return 0.02 * r.NormFloat64() }
	case len(p.Shape) == 4:
		deviation := math.Sqrt(2 / float64(product(p.Shape[1:])))
		if strings.HasSuffix(p.Name, "conv2/weight") && strings.Contains(p.Name, "/stage_") {
			deviation /= 4 // residual branches begin small
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

func product(shape []int) int {
	n := 1
	for _, d := range shape {
		n *= d
	}
	return n
}
