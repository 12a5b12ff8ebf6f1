package layers

import (
	"math"
	"slices"

	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/layers/activation"
	"github.com/gomlx/gomlx/ml/nn"
	"github.com/gomlx/gomlx/support/exceptions"
)

// Activation is a function of each number.
type Activation int64

const (
	NoActivation Activation = iota
	GELU                    // x·Φ(x), with the normal distribution's Φ: torch's GELU
	GELUTanh                // GELU with its approximation by tanh
	QuickGELU               // x·sigmoid(1.702x), CLIP's
)

// Of applies the function.
func (a Activation) Of(x *Node) *Node {
	switch a {
	case NoActivation:
		return x
	case GELU:
		return activation.Gelu(x)
	case GELUTanh:
		return activation.GeluApproximate(x)
	case QuickGELU:
		return Mul(x, Sigmoid(MulScalar(x, 1.702)))
	}
	exceptions.Panicf("layers: there is no activation %d", a)
	return nil
}

// Norm is torch's LayerNorm over the last axis.
type Norm struct {
	Gamma, Beta *Node // [dim]; nil: 1, 0
	Epsilon     float64
}

// Of normalises x, [..., dim].
func (n Norm) Of(x *Node) *Node {
	n.check(x)
	if n.whole() && kernels(x, n.Gamma, n.Beta) {
		return n.kernel(x)
	}
	return n.operations(x)
}

func (n Norm) operations(x *Node) *Node {
	return nn.LayerNorm(x, []int{x.Rank() - 1}, n.Epsilon, n.Gamma, n.Beta, nil)
}

// check panics when a parameter doesn't fit.
func (n Norm) check(x *Node) {
	mustBeVector(n.Gamma, x.Shape().Dim(-1), "norm's gamma")
	mustBeVector(n.Beta, x.Shape().Dim(-1), "norm's beta")
}

// whole says whether both parameters are there, as kernels need it.
func (n Norm) whole() bool { return n.Gamma != nil && n.Beta != nil }

func (n Norm) kernel(x *Node) *Node {
	back := func(inputs, results []*Node) []*Node {
		return n.back(inputs[0], inputs[1], results[0])
	}
	return call("norm", []int64{bits(n.Epsilon)}, back, []*Node{x, n.Gamma, n.Beta}, x.Shape())[0]
}

// back gives the gradients with respect to x, gamma and beta.
func (n Norm) back(x, gamma, result *Node) []*Node {
	back := ofOperations(func(inputs []*Node) []*Node {
		x, gamma, result := inputs[0], inputs[1], inputs[2]
		again := Norm{gamma, ZerosLike(gamma), n.Epsilon}
		return differentiateAll([]*Node{again.operations(x)}, []*Node{result}, []*Node{x, gamma, again.Beta})
	})
	return call("norm", []int64{bits(n.Epsilon)}, back, []*Node{x, gamma, result}, x.Shape(), gamma.Shape(), gamma.Shape())
}

// Linear is torch's Linear over the last axis with what a transformer has around it:
// (f(x)·weightᵀ + bias)·scale + residual, where f is the norm or the activation.
type Linear struct {
	Weight     *Node      // [out, in]
	Bias       *Node      // [out]; nil: none
	Scale      *Node      // [out], a layer scale; nil: none
	Norm       *Norm      // of x, before the product; nil: none
	Activation Activation // of x, before the product; not with a norm
	Residual   *Node      // [..., out], added to the result; nil: none
	Packed     bool       // the weight is packed by backend.PackWeights; there is no gradient then
	// BFloat16 rounds the factors of the product, and the product, as torch.autocast
	// does; all else stays as it is.
	BFloat16 bool
}

// Of builds the layer: x [..., in] in, [..., out] out.
func (l Linear) Of(x *Node) *Node {
	last := x.Rank() - 1
	if l.Weight.Rank() != 2 || last < 1 || x.Shape().Dim(last) != l.Weight.Shape().Dim(1) || l.Norm != nil && l.Activation != NoActivation {
		exceptions.Panicf("layers: a linear layer with weight %s of %s, norm %v, activation %d", l.Weight.Shape(), x.Shape(), l.Norm != nil, l.Activation)
	}
	l.check(x)
	nodes := []*Node{x, l.Weight, l.Bias, l.Scale, l.Residual}
	if l.Norm != nil {
		nodes = append(nodes, l.Norm.Gamma, l.Norm.Beta)
	}
	if !l.BFloat16 && (l.Norm == nil || l.Norm.whole()) && kernels(nodes...) {
		if l.Scale == nil || l.Packed {
			return l.kernel(x)
		}
		return l.scaled(x)
	}
	if l.Packed {
		exceptions.Panicf("layers: packed weights are for kernels, which there are none of here")
	}
	if l.Norm != nil {
		x = l.Norm.Of(x)
	}
	y := l.product(l.Activation.Of(x))
	if l.Bias != nil {
		y = Add(y, ExpandLeftToRank(l.Bias, y.Rank()))
	}
	if l.Scale != nil {
		y = Mul(y, ExpandLeftToRank(l.Scale, y.Rank()))
	}
	if l.Residual != nil {
		y = Add(l.Residual, y)
	}
	return y
}

// check panics when what is around the product doesn't fit it.
func (l Linear) check(x *Node) {
	out := l.Weight.Shape().Dim(0)
	mustBeVector(l.Bias, out, "linear layer's bias")
	mustBeVector(l.Scale, out, "linear layer's scale")
	if l.Norm != nil {
		l.Norm.check(x)
	}
	if l.Residual == nil {
		return
	}
	want := slices.Clone(x.Shape().Dimensions)
	want[len(want)-1] = out
	if !slices.Equal(l.Residual.Shape().Dimensions, want) {
		exceptions.Panicf("layers: a linear layer's residual is %s, its result %v", l.Residual.Shape(), want)
	}
}

func mustBeVector(n *Node, dim int, what string) {
	if n != nil && (n.Rank() != 1 || n.Shape().Dim(0) != dim) {
		exceptions.Panicf("layers: a %s is %s, not [%d]", what, n.Shape(), dim)
	}
}

// scaled scales apart from the kernel: the gradient by the scale needs what is scaled.
func (l Linear) scaled(x *Node) *Node {
	scale, residual := l.Scale, l.Residual
	l.Scale, l.Residual = nil, nil
	y := l.kernel(x)
	y = Mul(y, ExpandLeftToRank(scale, y.Rank()))
	if residual != nil {
		y = Add(residual, y)
	}
	return y
}

// product is x·weightᵀ over the last axis. It is one of matrices, all rows in a line:
// the gradients of one over three axes made a training step of ViT-Ti's blocks a third
// longer on XLA.
func (l Linear) product(x *Node) *Node {
	dims := slices.Clone(x.Shape().Dimensions)
	last := len(dims) - 1
	y := factors{l.BFloat16}.product(matrixOf(x), l.Weight, nil, 1, 1)
	dims[last] = l.Weight.Shape().Dim(0)
	return Reshape(y, dims...)
}

// The kinds of product that the kernel makes, and what more it is given.
const (
	forward = iota
	backward
	weights

	hasBias     = 1
	hasNorm     = 2
	hasResidual = 4
	isPacked    = 8
	hasScale    = 16
)

func (l Linear) kernel(x *Node) *Node {
	flags, epsilon := int64(0), int64(0)
	inputs := []*Node{x, l.Weight}
	if l.Bias != nil {
		flags |= hasBias
		inputs = append(inputs, l.Bias)
	}
	if l.Scale != nil {
		flags |= hasScale
		inputs = append(inputs, l.Scale)
	}
	if l.Norm != nil {
		flags |= hasNorm
		epsilon = bits(l.Norm.Epsilon)
		inputs = append(inputs, l.Norm.Gamma, l.Norm.Beta)
	}
	if l.Residual != nil {
		flags |= hasResidual
		inputs = append(inputs, l.Residual)
	}
	back := l.back
	if l.Packed {
		flags |= isPacked
		back = func([]*Node, []*Node) []*Node {
			exceptions.Panicf("layers: packed weights have no gradient: build the layer of weights that aren't packed")
			return nil
		}
	}
	shape := x.Shape().Clone()
	shape.Dimensions[x.Rank()-1] = l.Weight.Shape().Dim(0)
	return call("linear", []int64{forward, int64(l.Activation), flags, epsilon}, back, inputs, shape)[0]
}

// back gives the gradients with respect to the kernel's inputs. What the product read is
// made again, since keeping it would take as much memory as all else.
func (l Linear) back(inputs, results []*Node) []*Node {
	x, weight, result := inputs[0], inputs[1], results[0]
	norm, read := l.backTo(x, weight, result) // read is what the product read
	if l.Norm != nil {
		at := 2
		if l.Bias != nil {
			at++
		}
		again := Norm{inputs[at], inputs[at+1], l.Norm.Epsilon}
		read = again.kernel(x)
		norm = again.back(x, inputs[at], norm[0])
	}
	out := weight.Shape().Dim(0)
	back := ofOperations(func(inputs []*Node) []*Node {
		result, read := matrixOf(inputs[0]), matrixOf(inputs[1])
		return []*Node{factors{}.product(result, read, nil, 0, 0), ReduceSum(result, 0)}
	})
	both := call("linear", []int64{weights, 0, 0, 0}, back, []*Node{result, read}, weight.Shape(), shapes.Make(x.DType(), out))
	gradients := []*Node{norm[0], both[0]}
	if l.Bias != nil {
		gradients = append(gradients, both[1])
	}
	gradients = append(gradients, norm[1:]...)
	if l.Residual != nil {
		gradients = append(gradients, result)
	}
	return gradients
}

// backTo gives the gradient with respect to what a product with its activation reads, and
// what the product itself read.
func (l Linear) backTo(x, weight, result *Node) (gradients []*Node, read *Node) {
	by := func(inputs []*Node) *Node { // the gradient by what the product read
		return Reshape(factors{}.product(matrixOf(inputs[0]), inputs[1], nil, 1, 0), x.Shape().Dimensions...)
	}
	if l.Activation == NoActivation {
		back := ofOperations(func(inputs []*Node) []*Node { return []*Node{by(inputs)} })
		return call("linear", []int64{backward, 0, 0, 0}, back, []*Node{result, weight}, x.Shape()), x
	}
	back := ofOperations(func(inputs []*Node) []*Node {
		read := l.Activation.Of(inputs[2])
		return append(differentiateAll([]*Node{read}, []*Node{by(inputs)}, inputs[2:]), read)
	})
	both := call("linear", []int64{backward, int64(l.Activation), 0, 0}, back, []*Node{result, weight, x}, x.Shape(), x.Shape())
	return both[:1], both[1]
}

// matrixOf is x with all axes but the last in one.
func matrixOf(x *Node) *Node { return Reshape(x, -1, x.Shape().Dim(-1)) }

// bits is a positive number as the kernels read it.
func bits(x float64) int64 { return int64(math.Float64bits(x)) }
