package convnet

import (
	"fmt"

	. "github.com/gomlx/gomlx/core/graph"

	"gaze/pkg/nn"
)

// This file is the ResNet under hybrid Vision Transformers: Kolesnikov et al., "Big Transfer",
// 2020, with standardised weights (Qiao et al., "Weight Standardization", 2019) and group
// norms, but with norms after the convolutions, as timm's ResNetV2 has it with
// preact=False, stem_type='same' and StdConv2dSame.

// ResNet is the sizes of a [ResNetV2].
type ResNet struct {
	Width  int           `json:"width"`            // channels of the root, the 7×7 convolution: 64
	Stages []ResNetStage `json:"stages,omitempty"` // none: the root alone is the network
}

// ResNetStage is blocks of the same width. Every stage but the first halves the grid.
type ResNetStage struct {
	Blocks   int `json:"blocks"`
	Channels int `json:"channels"` // of a block's output; its inner convolutions have a quarter
}

const (
	groups         = 32   // of each group norm
	groupNormEps   = 1e-5 // torch's
	standardiseEps = 1e-8 // that of timm's hybrids; the layer's own default is 1e-6
)

// ResNetV2Of is the network of standard widths with the given number of blocks in its
// stages: (3, 4, 9) under vit_base_r50_s16, (2, 2, 2, 2) under vit_small_r26_s32, none
// under vit_tiny_r_s16_p8.
func ResNetV2Of(blocks ...int) Config {
	c := Config{Kind: ResNetV2, ResNet: &ResNet{Width: 64}}
	for i, n := range blocks {
		c.ResNet.Stages = append(c.ResNet.Stages, ResNetStage{n, 256 << i})
	}
	return c
}

// Bounds far beyond any model's, so that a damaged configuration doesn't ask for all the
// memory.
const (
	maxResNetStages = 8
	maxResNetBlocks = 1000
	maxResNetWidth  = 1 << 16
)

func (r *ResNet) check() error {
	if r.Width < groups || r.Width > maxResNetWidth || r.Width%groups != 0 {
		return fmt.Errorf("a ResNet whose root has %d channels: they are multiples of %d, up to %d", r.Width, groups, maxResNetWidth)
	}
	if len(r.Stages) > maxResNetStages {
		return fmt.Errorf("a ResNet of %d stages: there are at most %d", len(r.Stages), maxResNetStages)
	}
	for i, s := range r.Stages {
		if s.Blocks < 1 || s.Blocks > maxResNetBlocks {
			return fmt.Errorf("stage %d of a ResNet has %d blocks: there are 1 to %d", i, s.Blocks, maxResNetBlocks)
		}
		if s.Channels < 4*groups || s.Channels > maxResNetWidth || s.Channels%(4*groups) != 0 {
			return fmt.Errorf("stage %d of a ResNet has %d channels: they are multiples of %d, up to %d", i, s.Channels, 4*groups, maxResNetWidth)
		}
	}
	return nil
}

// name is what papers call it: "R50" for 50 layers, "R" for the root alone.
func (r *ResNet) name() string {
	if len(r.Stages) == 0 {
		return "R"
	}
	layers := 2
	for _, s := range r.Stages {
		layers += 3 * s.Blocks
	}
	return fmt.Sprintf("R%d", layers)
}

func (r *ResNet) channels() int {
	if n := len(r.Stages); n > 0 {
		return r.Stages[n-1].Channels
	}
	return r.Width
}

func (r *ResNet) stride() int { return 4 << max(len(r.Stages)-1, 0) }

func (r *ResNet) parameters(l *nn.ParamList) {
	l.Add("root/conv/weight", r.Width, 3, 7, 7)
	l.Norm("root/norm", r.Width)
	in := r.Width
	for i, s := range r.Stages {
		for j := range s.Blocks {
			at := fmt.Sprintf("stage_%d/block_%d/", i, j)
			if j == 0 {
				l.Add(at+"down/conv/weight", s.Channels, in, 1, 1)
				l.Norm(at+"down/norm", s.Channels)
			}
			inner := s.Channels / 4
			for k, c := range [][3]int{{inner, in, 1}, {inner, inner, 3}, {s.Channels, inner, 1}} {
				l.Add(fmt.Sprintf("%sconv%d/weight", at, k+1), c[0], c[1], c[2], c[2])
				l.Norm(fmt.Sprintf("%snorm%d", at, k+1), c[0])
			}
			in = s.Channels
		}
	}
}

// resNet builds a part of a ResNet from the variables of that part.
type resNet struct{ nn.Variables }

func (r *ResNet) features(weights nn.Variables, images *Node) *Node {
	root := resNet{weights.In("root")}
	x := root.convNorm("", TransposeAllDims(images, 0, 2, 3, 1), r.Width, 7, 2)
	x = window{size: 3, stride: 2, dilation: 1}.maxOfPositive(nn.ReLU.Apply(x))
	for i, s := range r.Stages {
		for j := range s.Blocks {
			stride := 1
			if i > 0 && j == 0 {
				stride = 2
			}
			x = resNet{weights.In("stage_%d", i).In("block_%d", j)}.block(x, s.Channels, stride, j == 0)
		}
	}
	return x
}

// block is a bottleneck block with out channels; the first of a stage has a convolution on
// its shortcut.
func (m resNet) block(x *Node, out, stride int, first bool) *Node {
	shortcut := x
	if first {
		shortcut = resNet{m.In("down")}.convNorm("", x, out, 1, stride)
	}
	x = nn.ReLU.Apply(m.convNorm("1", x, out/4, 1, 1))
	x = nn.ReLU.Apply(m.convNorm("2", x, out/4, 3, stride))
	x = m.convNorm("3", x, out, 1, 1)
	return nn.ReLU.Apply(Add(x, shortcut))
}

// convNorm is the convolution and the norm of a number.
func (m resNet) convNorm(number string, x *Node, out, size, stride int) *Node {
	norm := m.NormEpsilon("norm"+number, out, groupNormEps)
	in := x.Shape().Dim(3)
	if size > 1 {
		kernel := standardise(m.Kernel("conv"+number, size, in, out), 0, 1, 2)
		return groupNorm(window{size: size, stride: stride, dilation: 1}.convolve(x, kernel), norm)
	}
	if stride > 1 {
		x = Slice(x, AxisRange(), AxisRange().Stride(stride), AxisRange().Stride(stride))
	}
	weight := standardise(Reshape(m.Get("conv"+number+"/weight", out, in, 1, 1), out, in), 1)
	d := x.Shape().Dimensions
	x = Einsum("pi,oi->po", Reshape(x, -1, in), weight)
	return groupNorm(Reshape(x, d[0], d[1], d[2], out), norm)
}

// standardise makes the weights of each output channel have mean 0 and variance 1. axes are
// those of a channel's weights.
func standardise(weights *Node, axes ...int) *Node {
	centred := Sub(weights, ReduceAndKeep(weights, ReduceMean, axes...))
	variance := ReduceAndKeep(Mul(centred, centred), ReduceMean, axes...)
	return Mul(centred, inverseRoot(AddScalar(variance, standardiseEps)))
}

// inverseRoot is 1/√x. GoMLX has no gradient of Rsqrt.
func inverseRoot(x *Node) *Node { return Inverse(Sqrt(x)) }

// groupNorm normalises each group of channels of each picture of x [batch, rows, columns,
// channels], then scales and shifts each channel.
func groupNorm(x *Node, norm *nn.Norm) *Node {
	d := x.Shape().Dimensions
	g := Reshape(x, d[0], d[1]*d[2], groups, d[3]/groups)
	g = Sub(g, ReduceAndKeep(g, ReduceMean, 1, 3))
	variance := ReduceAndKeep(Mul(g, g), ReduceMean, 1, 3)
	x = Reshape(Mul(g, inverseRoot(AddScalar(variance, norm.Epsilon))), d...)
	return Add(Mul(x, ExpandLeftToRank(norm.Gamma, 4)), ExpandLeftToRank(norm.Beta, 4))
}

// maxOfPositive is the maximum under the window at every position. Values are at least 0,
// as what surrounds the map is. It is made of slices because the Go backend has no gradient
// of its own pooling.
func (w window) maxOfPositive(x *Node) *Node {
	list := w.meets(x)
	out := list[0]
	for _, under := range list[1:] {
		out = Max(out, under)
	}
	return out
}
