package caption

import (
	"fmt"
	"math"

	. "github.com/gomlx/gomlx/core/graph"
)

// batchNormEps is what torchvision's frozen batch norm adds to the variance.
const batchNormEps = 1e-5

// backbone makes features [batch, rows, columns, channels] of pictures
// [batch, 3, height, width].
func (p params) backbone(images *Node) *Node {
	p = p.in("backbone")
	if p.cfg.Backbone.Kind == ViT {
		return p.visionTransformer(images)
	}
	x := TransposeAllDims(images, 0, 2, 3, 1)
	if p.cfg.Backbone.Kind == Patch {
		return p.patchNet(x)
	}
	return p.resNet(x)
}

// conv convolves with the weights under name: torch's, [out, in, rows, columns],
// or those of a net that has them rearranged.
func (p params) conv(name string, x *Node, out int, c convolution) *Node {
	in := x.Shape().Dim(-1)
	if c.size == 1 && c.stride == 1 {
		return Einsum("bhwi,oi->bhwo", x, Reshape(p.weight(name+"/weight", out, in, 1, 1), out, in))
	}
	if p.rearranged(name) {
		return c.apply(x, p.weight(name+"/"+kernelName, c.size, c.size, in, out))
	}
	return c.apply(x, TransposeAllDims(p.weight(name+"/weight", out, in, c.size, c.size), 2, 3, 1, 0))
}

// frozenNorm is batch norm with the statistics that are in the file. Nothing of
// it is trained.
func (p params) frozenNorm(name string, x *Node) *Node {
	n := x.Shape().Dim(-1)
	read := func(what string) *Node { return StopGradient(p.weight(name+"/"+what, n)) }
	scale := Div(read("weight"), Sqrt(AddScalar(read("var"), batchNormEps)))
	shift := Sub(read("bias"), Mul(read("mean"), scale))
	return Add(Mul(x, ExpandLeftToRank(scale, 4)), ExpandLeftToRank(shift, 4))
}

// resNet is torchvision's, without its pooling and head.
func (p params) resNet(x *Node) *Node {
	b := p.cfg.Backbone
	x = relu(p.frozenNorm("bn1", p.conv("conv1", x, b.Width, centred(7, 2, 1))))
	x = maxPool(x, 3, 2)
	for layer, depth := range b.Depths {
		for i := range depth {
			stride, dilation := b.blockStride(layer, i)
			q := p.in("layer%d", layer+1).in("block_%d", i)
			x = q.resNetBlock(x, b.Width<<layer, stride, dilation, i == 0)
		}
	}
	return x
}

// blockStride is the stride and the dilation of a block's 3×3 convolution. As in
// torchvision, the first block of a dilated layer isn't dilated yet.
func (b Backbone) blockStride(layer, block int) (stride, dilation int) {
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
func (p params) resNetBlock(x *Node, n, stride, dilation int, first bool) *Node {
	b := p.cfg.Backbone
	out, y := n*b.expansion(), x
	if b.Bottleneck {
		y = relu(p.frozenNorm("bn1", p.conv("conv1", y, n, centred(1, 1, 1))))
		y = relu(p.frozenNorm("bn2", p.conv("conv2", y, n, centred(3, stride, dilation))))
		y = p.frozenNorm("bn3", p.conv("conv3", y, out, centred(1, 1, 1)))
	} else {
		y = relu(p.frozenNorm("bn1", p.conv("conv1", y, n, centred(3, stride, 1))))
		y = p.frozenNorm("bn2", p.conv("conv2", y, n, centred(3, 1, 1)))
	}
	if first && b.shortcut(x.Shape().Dim(-1), out, stride) {
		if stride > 1 {
			x = Slice(x, AxisRange(), AxisRange().Stride(stride), AxisRange().Stride(stride))
		}
		x = p.frozenNorm("down/bn", p.conv("down/conv", x, out, centred(1, 1, 1)))
	}
	return relu(Add(x, y))
}

// shortcut tells whether a layer's first block has a convolution beside it.
func (b Backbone) shortcut(in, out, stride int) bool { return stride > 1 || in != out }

// patchNet cuts the picture into patches, each a token, and mixes neighbours in
// residual blocks; between stages the size halves.
func (p params) patchNet(x *Node) *Node {
	b := p.cfg.Backbone
	for i, s := range b.Stages {
		q := p.in("stage_%d", i)
		x = q.enterStage(x, i, s.Channels)
		for j := range s.Blocks {
			x = q.in("block_%d", j).patchBlock(x)
		}
	}
	return p.layerNorm("norm", x, p.cfg.NormEps)
}

// enterStage is the convolution before a stage's blocks.
func (p params) enterStage(x *Node, stage, channels int) *Node {
	c := centred(3, 2, 1)
	if stage == 0 {
		size := p.cfg.Backbone.PatchSize
		c = convolution{size: size, stride: size, dilation: 1}
		for i := range 2 { // what doesn't fill a patch is filled up with the mean colour
			c.padding[i][1] = (size - x.Shape().Dim(i+1)%size) % size
		}
	}
	x = p.conv("conv", x, channels, c)
	return Add(x, ExpandLeftToRank(p.weight("conv/bias", channels), 4))
}

// patchBlock is a residual block with its norm before it, as a transformer's.
func (p params) patchBlock(x *Node) *Node {
	n := x.Shape().Dim(-1)
	y := p.layerNorm("norm", x, p.cfg.NormEps)
	for i := 1; i <= 2; i++ {
		name := fmt.Sprintf("conv%d", i)
		y = Add(p.conv(name, y, n, centred(3, 1, 1)), ExpandLeftToRank(p.weight(name+"/bias", n), 4))
		if i == 1 {
			y = relu(y)
		}
	}
	return Add(x, y)
}

// sinePositions is DETR's: half the channels tell the row, half the column, each
// by sines and cosines of falling frequency over coordinates that run from 0 to
// 2π over the part of the picture that isn't padding.
//
// valid: [batch, rows, columns], 1 for picture and 0 for padding. The result is
// [batch, rows, columns, dim].
func sinePositions(valid *Node, dim int) *Node {
	const eps, temperature = 1e-6, 10000
	g, half := valid.Graph(), dim/2
	rows, columns := valid.Shape().Dim(1), valid.Shape().Dim(2)
	count := func(n int) *Node { return ConvertDType(LowerTriangular(g, n), valid.DType()) }
	y := Einsum("bhw,gh->bgw", valid, count(rows))
	x := Einsum("bhw,vw->bhv", valid, count(columns))
	y = Div(y, AddScalar(SliceAxis(y, 1, AxisElem(rows-1)), eps))
	x = Div(x, AddScalar(SliceAxis(x, 2, AxisElem(columns-1)), eps))

	inverse, isCosine := make([]float32, half), make([]bool, half)
	for i := range half {
		inverse[i] = float32(2 * math.Pi / math.Pow(temperature, float64(i/2*2)/float64(half)))
		isCosine[i] = i%2 == 1
	}
	wave := func(coordinate *Node) *Node {
		angle := Mul(ExpandAxes(coordinate, -1), ExpandLeftToRank(ConvertDType(Const(g, inverse), valid.DType()), 4))
		cosine := BroadcastToDims(ExpandLeftToRank(Const(g, isCosine), 4), angle.Shape().Dimensions...)
		return Where(cosine, Cos(angle), Sin(angle))
	}
	return Concatenate([]*Node{wave(y), wave(x)}, 3)
}
