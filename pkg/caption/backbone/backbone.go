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

// conv applies the convolution of a name.
func (m module) conv(name string, x *Node, out int, c convolution) *Node {
	in := x.Shape().Dim(-1)
	if c.size == 1 && c.stride == 1 {
		return Einsum("bhwi,oi->bhwo", x, Reshape(m.Get(name+"/weight", out, in, 1, 1), out, in))
	}
	return c.apply(x, m.Kernel(name, c.size, in, out))
}

// frozenNorm is batch norm with the statistics of the checkpoint. None of its parameters
// is trained.
func (m module) frozenNorm(name string, x *Node) *Node {
	n := x.Shape().Dim(-1)
	read := func(what string) *Node { return StopGradient(m.Get(name+"/"+what, n)) }
	scale := Div(read("weight"), Sqrt(AddScalar(read("var"), batchNormEps)))
	shift := Sub(read("bias"), Mul(read("mean"), scale))
	return Add(Mul(x, ExpandLeftToRank(scale, 4)), ExpandLeftToRank(shift, 4))
}

// resNet is torchvision's, without its pooling and head.
func (m module) resNet(x *Node) *Node {
	b := m.cfg
	x = nn.ReLU.Apply(m.frozenNorm("bn1", m.conv("conv1", x, b.Width, centred(7, 2, 1))))
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
	out, y := n*b.expansion(), x
	if b.Bottleneck {
		y = nn.ReLU.Apply(m.frozenNorm("bn1", m.conv("conv1", y, n, centred(1, 1, 1))))
		y = nn.ReLU.Apply(m.frozenNorm("bn2", m.conv("conv2", y, n, centred(3, stride, dilation))))
		y = m.frozenNorm("bn3", m.conv("conv3", y, out, centred(1, 1, 1)))
	} else {
		y = nn.ReLU.Apply(m.frozenNorm("bn1", m.conv("conv1", y, n, centred(3, stride, 1))))
		y = m.frozenNorm("bn2", m.conv("conv2", y, n, centred(3, 1, 1)))
	}
	if first && b.shortcut(x.Shape().Dim(-1), out, stride) {
		if stride > 1 {
			x = Slice(x, AxisRange(), AxisRange().Stride(stride), AxisRange().Stride(stride))
		}
		x = m.frozenNorm("down/bn", m.conv("down/conv", x, out, centred(1, 1, 1)))
	}
	return nn.ReLU.Apply(Add(x, y))
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
	c := centred(3, 2, 1)
	if stage == 0 {
		size := m.cfg.PatchSize
		c = convolution{size: size, stride: size, dilation: 1}
		for i := range 2 { // incomplete patches are padded with the mean colour
			c.padding[i][1] = (size - x.Shape().Dim(i+1)%size) % size
		}
	}
	x = m.conv("conv", x, channels, c)
	return Add(x, ExpandLeftToRank(m.Get("conv/bias", channels), 4))
}

// patchBlock is a pre-norm residual block of two convolutions.
func (m module) patchBlock(x *Node) *Node {
	n := x.Shape().Dim(-1)
	y := m.norm("norm", x)
	for i := 1; i <= 2; i++ {
		name := fmt.Sprintf("conv%d", i)
		y = Add(m.conv(name, y, n, centred(3, 1, 1)), ExpandLeftToRank(m.Get(name+"/bias", n), 4))
		if i == 1 {
			y = nn.ReLU.Apply(y)
		}
	}
	return Add(x, y)
}
