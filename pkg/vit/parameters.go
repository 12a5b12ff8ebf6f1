package vit

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"

	"gaze/pkg/weights"
)

// Param is one learned array of the model, under Gaze's name for it: the
// path of the variable that [Forward] reads, such as "block_3/attn/qkv/weight".
type Param struct {
	Name  string
	Shape []int // linear layers as torch has them, [out, in]
}

// parameterList gathers parameters.
type parameterList []Param

func (l *parameterList) add(name string, shape ...int) { *l = append(*l, Param{name, shape}) }

func (l *parameterList) norm(name string, dim int) {
	l.add(name+"/weight", dim)
	l.add(name+"/bias", dim)
}

func (l *parameterList) linear(name string, out, in int, bias bool) {
	l.add(name+"/weight", out, in)
	if bias {
		l.add(name+"/bias", out)
	}
}

// Parameters lists every parameter of the architecture, in the order in which
// [Forward] meets them.
func (c Config) Parameters() []Param {
	var l parameterList
	l.add("patch/weight", c.Dim, c.Channels, c.PatchSize[0], c.PatchSize[1])
	if c.PatchBias {
		l.add("patch/bias", c.Dim)
	}
	if c.ClassToken {
		l.add("class_token", 1, 1, c.Dim)
	}
	if c.DistToken {
		l.add("dist_token", 1, 1, c.Dim)
	}
	if c.Registers > 0 {
		l.add("registers", 1, c.Registers, c.Dim)
	}
	l.add("positions", 1, c.positionPrefix()+c.Patches(), c.Dim)
	if c.PreNorm {
		l.norm("pre_norm", c.Dim)
	}
	for i := range c.Depth {
		l.block(fmt.Sprintf("block_%d/", i), c)
	}
	if c.PreLogits != NoPreLogits {
		l.linear("pre_logits", c.Representation, c.Dim, true)
	}
	if c.FinalNorm {
		dim := c.Dim
		if c.PreLogits == PreLogitsAll {
			dim = c.Representation
		}
		l.norm("norm", dim)
	}
	if c.PoolNorm {
		l.norm("pool_norm", c.Dim)
	}
	if c.Classes > 0 {
		l.linear("head", c.Classes, c.headInput(), true)
		if c.Pool == PoolClassDist {
			l.linear("head_dist", c.Classes, c.headInput(), true)
		}
	}
	return l
}

// block lists the parameters of one block.
func (l *parameterList) block(b string, c Config) {
	l.norm(b+"norm1", c.Dim)
	l.linear(b+"attn/qkv", 3*c.Dim, c.Dim, c.QKVBias)
	l.linear(b+"attn/out", c.Dim, c.Dim, true)
	l.norm(b+"norm2", c.Dim)
	l.linear(b+"mlp/fc1", c.fc1Dim(), c.Dim, true)
	l.linear(b+"mlp/fc2", c.Dim, c.MLPDim, true)
	if c.LayerScale {
		l.add(b+"scale1", c.Dim)
		l.add(b+"scale2", c.Dim)
	}
}

// fc1Dim is the width that the MLP's first layer gives: SwiGLU computes value
// and gate in one product.
func (c Config) fc1Dim() int {
	if c.Activation == SwiGLU {
		return 2 * c.MLPDim
	}
	return c.MLPDim
}

// New makes a model with random weights from a seed, as timm initialises a
// Vision Transformer: truncated normal of deviation 0.02 for weights, tokens
// and positions, zero biases, norms and layer scales of one, but the head small
// instead of zero, so that its outputs tell tokens apart.
func New(cfg Config, seed uint64) (*Model, error) {
	if err := cfg.Validate(); err != nil {
		return nil, fmt.Errorf("vit: %w", err)
	}
	m := &Model{Config: cfg, Layout: Random, Name: cfg.Architecture(), resize: TimmBicubic, params: map[string]*entry{}}
	m.pipeline = defaultPipeline(Random, cfg)
	for i, p := range cfg.Parameters() {
		n := 1
		for _, d := range p.Shape {
			n *= d
		}
		data := make([]float32, n)
		fillRandom(data, p.Name, rand.New(rand.NewPCG(seed, uint64(i))))
		m.params[p.Name] = &entry{parts: []part{{tensor: weights.NewTensor(p.Name, p.Shape, data)}}}
	}
	return m, nil
}

func fillRandom(data []float32, name string, r *rand.Rand) {
	isNorm := strings.Contains(name, "norm") && strings.HasSuffix(name, "/weight")
	switch {
	case isNorm, strings.Contains(name, "/scale"):
		for i := range data {
			data[i] = 1
		}
	case strings.HasSuffix(name, "/bias"):
	default:
		for i := range data {
			v := math.Inf(1)
			for math.Abs(v) > 2 {
				v = r.NormFloat64()
			}
			data[i] = float32(0.02 * v)
		}
	}
}
