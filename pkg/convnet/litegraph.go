package convnet

import (
	"fmt"
	"strings"

	. "github.com/gomlx/gomlx/core/graph"

	"gaze/pkg/nn"
)

// Frozen says whether a parameter of this name is a statistic of batch norm, which training
// doesn't change.
func Frozen(name string) bool {
	return strings.HasSuffix(name, "/bn/mean") || strings.HasSuffix(name, "/bn/var")
}

func (l *Lite) parameters(list *nn.ParamList) {
	addConvolution(list, "stem", l.Stem, 3, 3)
	for _, b := range l.blocks() {
		at := fmt.Sprintf("stage_%d/block_%d/", b.stage, b.index)
		if b.expands {
			addConvolution(list, at+"expand", b.inner, b.in, 1)
		}
		addConvolution(list, at+"depthwise", b.inner, 1, b.kernel)
		addConvolution(list, at+"project", b.out, b.inner, 1)
	}
	if l.Head > 0 {
		addConvolution(list, "head", l.Head, l.Stages[len(l.Stages)-1].Channels, 1)
	}
}

// addConvolution appends the parameters of a convolution with its batch norm.
func addConvolution(list *nn.ParamList, name string, out, in, size int) {
	list.Add(name+"/conv/weight", out, in, size, size)
	for _, what := range []string{"weight", "bias", "mean", "var"} {
		list.Add(name+"/bn/"+what, out)
	}
}

func (l *Lite) features(weights nn.Variables, images *Node) *Node {
	m := liteModule{weights, l}
	x := TransposeAllDims(images, 0, 2, 3, 1)
	x = relu6(m.stem(x))
	for _, b := range l.blocks() {
		x = m.in("stage_%d", b.stage).in("block_%d", b.index).block(x, b)
	}
	if l.Head > 0 {
		x = relu6(m.pointwise("head", x, l.Head))
	}
	return x
}

// relu6 is min(max(x, 0), 6).
func relu6(x *Node) *Node { return MinScalar(MaxScalar(x, 0), 6) }

// liteModule builds a part of a network from the variables of that part.
type liteModule struct {
	nn.Variables
	*Lite
}

// in is the part in a scope below this one.
func (m liteModule) in(format string, args ...any) liteModule {
	m.Variables = m.In(format, args...)
	return m
}

// block is an inverted residual: wide inside, narrow outside, and no activation at its end.
func (m liteModule) block(x *Node, b liteBlock) *Node {
	y := x
	if b.expands {
		y = relu6(m.pointwise("expand", y, b.inner))
	}
	y = relu6(m.depthwise(y, b))
	y = m.pointwise("project", y, b.out)
	if b.residual() {
		y = Add(x, y)
	}
	return y
}

// norm is the batch norm of a convolution as a scale and a shift of each channel. The
// scale is folded into the kernel, which is small beside what the kernel makes: a pass over
// the feature map less, forward and backward.
func (m liteModule) norm(name string, channels int) (scale, shift *Node) {
	read := func(what string) *Node { return m.Get(name+"/bn/"+what, channels) }
	scale = Div(read("weight"), Sqrt(AddScalar(StopGradient(read("var")), m.NormEps)))
	shift = Sub(read("bias"), Mul(StopGradient(read("mean")), scale))
	return scale, shift
}

// stem is the first convolution with its norm.
func (m liteModule) stem(x *Node) *Node {
	scale, shift := m.norm("stem", m.Stem)
	kernel := Mul(m.Kernel("stem/conv", 3, 3, m.Stem), ExpandLeftToRank(scale, 4))
	w := m.window(3, 2, 1)
	return Add(w.convolve(x, kernel), ExpandLeftToRank(shift, 4))
}

// pointwise is a 1×1 convolution with its norm, as one product of matrices.
func (m liteModule) pointwise(name string, x *Node, out int) *Node {
	dims := x.Shape().Dimensions
	in := dims[3]
	scale, shift := m.norm(name, out)
	weight := Mul(Reshape(m.Get(name+"/conv/weight", out, in, 1, 1), out, in), ExpandAxes(scale, -1))
	y := Einsum("pi,oi->po", Reshape(x, -1, in), weight)
	return Reshape(Add(y, ExpandLeftToRank(shift, 2)), dims[0], dims[1], dims[2], out)
}

// depthwise is a block's depthwise convolution with its norm.
func (m liteModule) depthwise(x *Node, b liteBlock) *Node {
	scale, shift := m.norm("depthwise", b.inner)
	kernel := Mul(m.Kernel("depthwise/conv", b.kernel, 1, b.inner), ExpandLeftToRank(scale, 4))
	w := m.window(b.kernel, b.stride, b.dilation)
	return Add(w.depthwise(x, kernel), ExpandLeftToRank(shift, 4))
}

func (m liteModule) window(size, stride, dilation int) window {
	return window{size, stride, dilation, m.SymmetricPadding}
}
