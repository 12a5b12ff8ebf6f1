package nn

import (
	. "github.com/gomlx/gomlx/core/graph"
	gomlx "github.com/gomlx/gomlx/ml/nn"

	"gaze/internal/xla/kernels"
)

// Norm is torch's LayerNorm over the last axis.
type Norm struct {
	Gamma, Beta *Node // [dim]; nil: 1, 0
	Epsilon     float64
}

// Apply normalises x, [..., dim].
func (n Norm) Apply(x *Node) *Node {
	n.check(x)
	if n.whole() && useKernels(x, n.Gamma, n.Beta) {
		return n.kernel(x)
	}
	return n.operations(x)
}

func (n Norm) operations(x *Node) *Node {
	return gomlx.LayerNorm(x, []int{x.Rank() - 1}, n.Epsilon, n.Gamma, n.Beta, nil)
}

// check panics if a parameter doesn't fit.
func (n Norm) check(x *Node) {
	mustBeVector(n.Gamma, x.Shape().Dim(-1), "norm's gamma")
	mustBeVector(n.Beta, x.Shape().Dim(-1), "norm's beta")
}

// whole says whether both parameters are given, as the kernel needs them.
func (n Norm) whole() bool { return n.Gamma != nil && n.Beta != nil }

func (n Norm) kernel(x *Node) *Node {
	back := func(inputs, results []*Node) []*Node {
		return n.back(inputs[0], inputs[1], results[0])
	}
	return call(kernels.Norm, kernels.NormAttributes(n.Epsilon), back, []*Node{x, n.Gamma, n.Beta}, x.Shape())[0]
}

// back returns the gradients with respect to x, gamma and beta.
func (n Norm) back(x, gamma, result *Node) []*Node {
	back := ofOperations(func(inputs []*Node) []*Node {
		x, gamma, result := inputs[0], inputs[1], inputs[2]
		again := Norm{gamma, ZerosLike(gamma), n.Epsilon}
		return differentiateAll([]*Node{again.operations(x)}, []*Node{result}, []*Node{x, gamma, again.Beta})
	})
	return call(kernels.Norm, kernels.NormAttributes(n.Epsilon), back, []*Node{x, gamma, result}, x.Shape(), gamma.Shape(), gamma.Shape())
}
