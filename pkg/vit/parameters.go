package vit

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"

	"gaze/pkg/nn"
	"gaze/pkg/weights"
)

// Parameters lists every parameter of the architecture, in the order in which [Forward]
// reads them.
func (c Config) Parameters() []nn.Param {
	var l nn.ParamList
	if c.Stem != nil {
		for _, p := range c.Stem.Parameters() {
			l.Add(stemScope+p.Name, p.Shape...)
		}
	}
	kernel := c.PatchKernel()
	l.Add("patch/weight", c.Dim, c.patchChannels(), kernel[0], kernel[1])
	if c.PatchBias {
		l.Add("patch/bias", c.Dim)
	}
	if c.ClassToken {
		l.Add("class_token", 1, 1, c.Dim)
	}
	if c.DistToken {
		l.Add("dist_token", 1, 1, c.Dim)
	}
	if c.Registers > 0 {
		l.Add("registers", 1, c.Registers, c.Dim)
	}
	l.Add("positions", 1, c.positionPrefix()+c.Patches(), c.Dim)
	if c.PreNorm {
		l.Norm("pre_norm", c.Dim)
	}
	for i := range c.Depth {
		addBlock(&l, fmt.Sprintf("block_%d/", i), c)
	}
	if c.PreLogits != NoPreLogits {
		l.Linear("pre_logits", c.Representation, c.Dim, true)
	}
	if c.FinalNorm {
		dim := c.Dim
		if c.PreLogits == PreLogitsAll {
			dim = c.Representation
		}
		l.Norm("norm", dim)
	}
	if c.PoolNorm {
		l.Norm("pool_norm", c.Dim)
	}
	if c.Classes > 0 {
		l.Linear("head", c.Classes, c.headInput(), true)
		if c.Pool == PoolClassDist {
			l.Linear("head_dist", c.Classes, c.headInput(), true)
		}
	}
	return l
}

// addBlock appends the parameters of one block.
func addBlock(l *nn.ParamList, b string, c Config) {
	l.Norm(b+"norm1", c.Dim)
	l.Linear(b+"attn/qkv", 3*c.Dim, c.Dim, c.QKVBias)
	l.Linear(b+"attn/out", c.Dim, c.Dim, true)
	l.Norm(b+"norm2", c.Dim)
	l.Linear(b+"mlp/fc1", c.fc1Dim(), c.Dim, true)
	l.Linear(b+"mlp/fc2", c.Dim, c.MLPDim, true)
	if c.LayerScale {
		l.Add(b+"scale1", c.Dim)
		l.Add(b+"scale2", c.Dim)
	}
}

// fc1Dim is the width of the MLP's first layer, which for SwiGLU computes gate and value
// in one product.
func (c Config) fc1Dim() int {
	if c.Activation == SwiGLU {
		return 2 * c.MLPDim
	}
	return c.MLPDim
}

// New makes a model with random weights from a seed, as timm initialises a Vision
// Transformer: a truncated normal distribution of deviation 0.02 for weights, tokens and
// positions, biases zero, norms and LayerScale one. Only the head is drawn like the rest
// where timm has zeros, so that its outputs differ. A stem's convolutions are drawn from
// He's normal distribution.
func New(cfg Config, seed uint64) (*Model, error) {
	if err := cfg.Validate(); err != nil {
		return nil, fmt.Errorf("vit: %w", err)
	}
	m := &Model{Config: cfg, Layout: Random, Name: cfg.Architecture(), resize: TimmBicubic, params: nn.Parameters{}}
	m.pipeline = defaultPipeline(Random, cfg)
	for i, p := range cfg.Parameters() {
		data := make([]float32, p.Len())
		fillRandom(data, p, rand.New(rand.NewPCG(seed, uint64(i))))
		m.params[p.Name] = nn.Own(weights.NewTensor(p.Name, p.Shape, data))
	}
	return m, nil
}

func fillRandom(data []float32, p nn.Param, r *rand.Rand) {
	name := p.Name
	if strings.HasPrefix(name, stemScope) {
		stemFill(data, p, r)
		return
	}
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
