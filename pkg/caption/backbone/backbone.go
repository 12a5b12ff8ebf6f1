package backbone

import (
	"fmt"

	. "github.com/gomlx/gomlx/core/graph"

	"gaze/pkg/nn"
)

// batchNormEps is what torchvision's frozen batch norm adds to the variance.
const batchNormEps = 1e-5

// Features builds the graph from pictures [batch, 3, height, width], normalised, to
// features [batch, rows, columns, channels]. Where features are given, they stand in the
// place of pictures, [batch, values, rows, columns]. The weights are variables under the names of
// [Config.Parameters]. It panics on shapes that don't fit.
func (b Config) Features(weights nn.Variables, images *Node) *Node {
	m := module{weights, b}
	switch b.Kind {
	case ViT:
		return m.visionTransformer(images)
	case EfficientNetLite:
		return m.efficientNetLite(images)
	case Given:
		return TransposeAllDims(images, 0, 2, 3, 1)
	}
	x := TransposeAllDims(images, 0, 2, 3, 1)
	if b.Kind == Patch {
		return m.patchNet(x)
	}
	return m.resNet(x)
}

// module builds a part of a backbone from the variables of that part.
type module struct {
	nn.Variables
	cfg Config
}

// in is the part in a scope below this one.
func (m module) in(format string, args ...any) module {
	m.Variables = m.In(format, args...)
	return m
}

// norm is the layer norm over the last axis.
func (m module) norm(name string, x *Node) *Node { return m.Norm(name, x.Shape().Dim(-1)).Apply(x) }

// centred pads a kernel of odd size so that the output is as large as the input over the
// stride, rounded up.
func centred(size, stride, dilation int) nn.Convolution {
	n := dilation * (size - 1) / 2
	return nn.Convolution{Stride: stride, Dilation: dilation, Padding: [2][2]int{{n, n}, {n, n}}}
}

// convNorm is a convolution with what surrounds it, the batch norm of a name first.
func (m module) convNorm(conv, norm string, x *Node, out, size int, c nn.Convolution) *Node {
	c.Scale, c.Shift = m.frozenNorm(norm, out)
	return m.Convolve(conv, x, out, size, c)
}

// frozenNorm is batch norm over n channels with the statistics of the checkpoint, as a scale
// and a shift. None of its parameters is trained.
func (m module) frozenNorm(name string, n int) (scale, shift *Node) {
	read := func(what string) *Node { return StopGradient(m.Get(name+"/"+what, n)) }
	scale = Div(read("weight"), Sqrt(AddScalar(read("var"), batchNormEps)))
	return scale, Sub(read("bias"), Mul(read("mean"), scale))
}

// resNet is torchvision's, without its pooling and head.
func (m module) resNet(x *Node) *Node {
	b, root := m.cfg, centred(7, 2, 1)
	root.ReLU = true
	x = m.convNorm("conv1", "bn1", x, b.Width, 7, root)
	x = maxPool(x, 3, 2)
	for layer, depth := range b.Depths {
		for i := range depth {
			stride, dilation := b.blockStride(layer, i)
			q := m.in("layer%d", layer+1).in("block_%d", i)
			x = q.resNetBlock(x, b.Width<<layer, stride, dilation, i == 0)
		}
	}
	return x
}

// blockStride is the stride and the dilation of a block's 3×3 convolution. As in
// torchvision, the first block of a dilated layer isn't dilated yet.
func (b Config) blockStride(layer, block int) (stride, dilation int) {
	dilated := layer == 3 && b.Dilate
	switch {
	case block > 0 && dilated:
		return 1, 2
	case block > 0, layer == 0, dilated:
		return 1, 1
	}
	return 2, 1
}

// resNetBlock is one block of inner channels n.
func (m module) resNetBlock(x *Node, n, stride, dilation int, first bool) *Node {
	b := m.cfg
	out, shortcut := n*b.expansion(), x
	if first && b.shortcut(x.Shape().Dim(-1), out, stride) {
		shortcut = m.convNorm("down/conv", "down/bn", x, out, 1, centred(1, stride, 1))
	}
	inner := func(i int, x *Node, size, stride, dilation int) *Node {
		c := centred(size, stride, dilation)
		c.ReLU = true
		return m.convNorm(fmt.Sprint("conv", i), fmt.Sprint("bn", i), x, n, size, c)
	}
	last := func(i int, x *Node, size int) *Node {
		c := centred(size, 1, 1)
		c.ReLU, c.Residual = true, shortcut
		return m.convNorm(fmt.Sprint("conv", i), fmt.Sprint("bn", i), x, out, size, c)
	}
	if b.Bottleneck {
		return last(3, inner(2, inner(1, x, 1, 1, 1), 3, stride, dilation), 1)
	}
	return last(2, inner(1, x, 3, stride, 1), 3)
}

// shortcut says whether a layer's first block has a convolution on its shortcut.
func (b Config) shortcut(in, out, stride int) bool { return stride > 1 || in != out }

// patchNet cuts the picture into patches, each a token, and mixes neighbours in residual
// blocks. Each stage after the first halves the grid.
func (m module) patchNet(x *Node) *Node {
	b := m.cfg
	for i, s := range b.Stages {
		q := m.in("stage_%d", i)
		x = q.enterStage(x, i, s.Channels)
		for j := range s.Blocks {
			x = q.in("block_%d", j).patchBlock(x)
		}
	}
	return m.norm("norm", x)
}

// enterStage is the convolution before a stage's blocks.
func (m module) enterStage(x *Node, stage, channels int) *Node {
	size, c := 3, centred(3, 2, 1)
	if stage == 0 {
		size = m.cfg.PatchSize
		c = nn.Convolution{Stride: size}
		for i := range 2 { // incomplete patches are padded with the mean colour
			c.Padding[i][1] = (size - x.Shape().Dim(i+1)%size) % size
		}
	}
	c.Shift = m.Get("conv/bias", channels)
	return m.Convolve("conv", x, channels, size, c)
}

// patchBlock is a pre-norm residual block of two convolutions.
func (m module) patchBlock(x *Node) *Node {
	n := x.Shape().Dim(-1)
	y := m.norm("norm", x)
	for i := 1; i <= 2; i++ {
		name, c := fmt.Sprintf("conv%d", i), centred(3, 1, 1)
		c.Shift, c.ReLU = m.Get(name+"/bias", n), i == 1
		if i == 2 {
			c.Residual = x
		}
		y = m.Convolve(name, y, n, 3, c)
	}
	return y
}
