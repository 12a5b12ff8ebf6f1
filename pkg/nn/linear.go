package nn

import (
	"slices"

	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/support/exceptions"

	"gaze/internal/xla/kernels"
)

// Linear is torch's Linear over the last axis, with what surrounds it in a transformer:
// (f(x)·weightᵀ + bias)·scale + residual, where f is the norm or the activation. Bias,
// Scale, Norm and Residual may be nil.
type Linear struct {
	Weight     *Node      // [out, in]
	Bias       *Node      // [out]
	Scale      *Node      // [out], LayerScale
	Norm       *Norm      // applied to x
	Activation Activation // applied to x; excludes Norm
	Residual   *Node      // [..., out], added to the result
	// Packed says that backend.PackWeights has packed the weight, whose rows are then
	// backend.PackedRows(Out). Packed weights have no gradient.
	Packed bool
	Out    int // only read if Packed
	// FewRows is for graphs that run again and again on a few tokens. If x has fewer rows than
	// [kernels.MinRows] and the weight isn't packed, a kernel reads the weight as it is:
	// packing it in each run would cost as much as multiplying. The result's last bits then
	// depend on whether x has so few rows.
	FewRows bool
	// BFloat16 rounds the factors and the result of the product, as torch.autocast does,
	// and nothing else.
	BFloat16 bool
}

// Apply builds the layer from x [..., in] to [..., out].
func (l Linear) Apply(x *Node) *Node {
	last := x.Rank() - 1
	if l.Weight.Rank() != 2 || last < 1 || x.Shape().Dim(last) != l.Weight.Shape().Dim(1) || l.Norm != nil && l.Activation != NoActivation {
		exceptions.Panicf("nn: a linear layer with weight %s can't be applied to %s (norm: %v, activation: %d)", l.Weight.Shape(), x.Shape(), l.Norm != nil, l.Activation)
	}
	l.check(x)
	if !l.Activation.inKernel() {
		x, l.Activation = l.Activation.Apply(x), NoActivation
	}
	nodes := []*Node{x, l.Weight, l.Bias, l.Scale, l.Residual}
	if l.Norm != nil {
		nodes = append(nodes, l.Norm.Gamma, l.Norm.Beta)
	}
	l.FewRows = l.FewRows && !l.Packed && x.Shape().Size() < kernels.MinRows*x.Shape().Dim(last)
	if !l.FewRows && !l.BFloat16 && (l.Norm == nil || l.Norm.whole()) && useKernels(nodes...) {
		if l.Scale == nil || l.Packed {
			return l.kernel(x)
		}
		return l.scaled(x)
	}
	if l.Packed {
		exceptions.Panicf("nn: packed weights need Gaze's kernels, which this backend doesn't have")
	}
	if l.Norm != nil {
		x = l.Norm.Apply(x)
	}
	y := l.product(l.Activation.Apply(x))
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

// out is the number of results for each row of x.
func (l Linear) out() int {
	if l.Packed {
		return l.Out
	}
	return l.Weight.Shape().Dim(0)
}

// check panics if what surrounds the product doesn't fit it.
func (l Linear) check(x *Node) {
	out := l.out()
	if l.Packed && (out < 1 || kernels.PackedRows(out) != l.Weight.Shape().Dim(0)) {
		exceptions.Panicf("nn: packed weights of shape %s aren't those of %d results", l.Weight.Shape(), out)
	}
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
		exceptions.Panicf("nn: a linear layer's residual has shape %s, its result %v", l.Residual.Shape(), want)
	}
}

func mustBeVector(n *Node, dim int, what string) {
	if n != nil && (n.Rank() != 1 || n.Shape().Dim(0) != dim) {
		exceptions.Panicf("nn: a %s has shape %s, not [%d]", what, n.Shape(), dim)
	}
}

// scaled multiplies by the scale outside of the kernel: the gradient with respect to the
// scale needs the unscaled result.
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

// product is x·weightᵀ over the last axis, as one product of two matrices: with three
// axes, its gradients made a training step of ViT-Ti's blocks a third longer on XLA.
func (l Linear) product(x *Node) *Node {
	dims := slices.Clone(x.Shape().Dimensions)
	dims[len(dims)-1] = l.Weight.Shape().Dim(0)
	multiply := func(inputs []*Node) []*Node {
		return []*Node{precision{l.BFloat16}.product(inputs[0], inputs[1], nil, 1, 1)}
	}
	inputs := []*Node{matrixOf(x), l.Weight}
	if !l.FewRows || l.BFloat16 || !useKernels(inputs...) {
		return Reshape(multiply(inputs)[0], dims...)
	}
	numbers := kernels.LinearAttributes(kernels.LinearForward, kernels.ActivationNone, kernels.LinearHasFewRows, 0)
	shape := shapes.Make(x.DType(), inputs[0].Shape().Dim(0), l.Weight.Shape().Dim(0))
	return Reshape(call(kernels.Linear, numbers, ofOperations(multiply), inputs, shape)[0], dims...)
}

func (l Linear) kernel(x *Node) *Node {
	flags, epsilon := int64(0), 0.0
	inputs := []*Node{x, l.Weight}
	if l.Bias != nil {
		flags |= kernels.LinearHasBias
		inputs = append(inputs, l.Bias)
	}
	if l.Scale != nil {
		flags |= kernels.LinearHasScale
		inputs = append(inputs, l.Scale)
	}
	if l.Norm != nil {
		flags |= kernels.LinearHasNorm
		epsilon = l.Norm.Epsilon
		inputs = append(inputs, l.Norm.Gamma, l.Norm.Beta)
	}
	if l.Residual != nil {
		flags |= kernels.LinearHasResidual
		inputs = append(inputs, l.Residual)
	}
	back := l.back
	if l.Packed {
		flags |= kernels.LinearIsPacked
		back = func([]*Node, []*Node) []*Node {
			exceptions.Panicf("nn: packed weights have no gradient: build the layer with weights that aren't packed")
			return nil
		}
	}
	shape := x.Shape().Clone()
	shape.Dimensions[x.Rank()-1] = l.out()
	return call(kernels.Linear, kernels.LinearAttributes(kernels.LinearForward, int64(l.Activation), flags, epsilon), back, inputs, shape)[0]
}

// back returns the gradients with respect to the kernel's inputs. It computes the input of
// the product again, which would take as much memory to keep as everything else together.
func (l Linear) back(inputs, results []*Node) []*Node {
	x, weight, result := inputs[0], inputs[1], results[0]
	norm, read := l.backTo(x, weight, result)
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
		return []*Node{precision{}.product(result, read, nil, 0, 0), ReduceSum(result, 0)}
	})
	both := call(kernels.Linear, kernels.LinearAttributes(kernels.LinearWeightGradient, kernels.ActivationNone, 0, 0), back, []*Node{result, read}, weight.Shape(), shapes.Make(x.DType(), out))
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

// backTo returns the gradient with respect to x, the input of the activation and the
// product, and the input of the product alone.
func (l Linear) backTo(x, weight, result *Node) (gradients []*Node, read *Node) {
	by := func(inputs []*Node) *Node { // the gradient with respect to the product's input
		return Reshape(precision{}.product(matrixOf(inputs[0]), inputs[1], nil, 1, 0), x.Shape().Dimensions...)
	}
	if l.Activation == NoActivation {
		back := ofOperations(func(inputs []*Node) []*Node { return []*Node{by(inputs)} })
		return call(kernels.Linear, kernels.LinearAttributes(kernels.LinearInputGradient, kernels.ActivationNone, 0, 0), back, []*Node{result, weight}, x.Shape()), x
	}
	back := ofOperations(func(inputs []*Node) []*Node {
		read := l.Activation.Apply(inputs[2])
		return append(differentiateAll([]*Node{read}, []*Node{by(inputs)}, inputs[2:]), read)
	})
	both := call(kernels.Linear, kernels.LinearAttributes(kernels.LinearInputGradient, int64(l.Activation), 0, 0), back, []*Node{result, weight, x}, x.Shape(), x.Shape())
	return both[:1], both[1]
}

// matrixOf joins all axes of x but the last.
func matrixOf(x *Node) *Node { return Reshape(x, -1, x.Shape().Dim(-1)) }
