package caption

import (
	"slices"
	"strings"

	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"
	"github.com/gomlx/gomlx/ml/nn"
)

// params reads the model's variables while a graph is built.
type params struct {
	scope *model.Scope
	cfg   Config
	like  *Node // a node of the graph and of the weights' dtype
}

// in goes into a sub-scope, given as a path.
func (p params) in(format string, args ...any) params {
	p.scope = p.scope.At(format, args...)
	return p
}

// weight is the variable at a path below the scope.
func (p params) weight(path string, shape ...int) *Node {
	scope, name := p.scope, path
	if i := strings.LastIndexByte(path, '/'); i >= 0 {
		for _, s := range strings.Split(path[:i], "/") {
			scope = scope.At("%s", s)
		}
		name = path[i+1:]
	}
	return scope.VariableWithShape(name, shapes.Make(p.like.DType(), shape...)).NodeValue(p.like)
}

// kernelName is what a net calls a convolution's weights that it has rearranged
// to [rows, columns, in, out]: doing so in the graph took a quarter of the
// backbone's time.
const kernelName = "kernel"

// rearranged tells whether the convolution's weights are so.
func (p params) rearranged(name string) bool {
	return p.scope.At("%s", name).GetVariable(kernelName) != nil
}

// linear is torch's Linear over the last axis: x·weightᵀ + bias, weight [out, in].
func (p params) linear(name string, x *Node, out int) *Node {
	in := x.Shape().Dim(-1)
	return affine(x, p.weight(name+"/weight", out, in), p.weight(name+"/bias", out))
}

// affine is x·weightᵀ + bias over x's last axis, as one product of matrices.
func affine(x, weight, bias *Node) *Node {
	dims := slices.Clone(x.Shape().Dimensions)
	last := len(dims) - 1
	x = DotGeneral(Reshape(x, -1, dims[last]), []int{1}, nil, weight, []int{1}, nil)
	dims[last] = weight.Shape().Dim(0)
	return Add(Reshape(x, dims...), ExpandLeftToRank(bias, len(dims)))
}

// layerNorm normalises over the last axis.
func (p params) layerNorm(name string, x *Node, eps float64) *Node {
	dim := x.Shape().Dim(-1)
	return nn.LayerNorm(x, []int{x.Rank() - 1}, eps, p.weight(name+"/weight", dim), p.weight(name+"/bias", dim), nil)
}

// norm is layerNorm with the epsilon of encoder and decoder.
func (p params) norm(name string, x *Node) *Node { return p.layerNorm(name, x, p.cfg.NormEps) }

// feedForward is the two-layer perceptron with ReLU on each token.
func (p params) feedForward(x *Node) *Node {
	return p.linear("mlp/fc2", relu(p.linear("mlp/fc1", x, p.cfg.Hidden)), p.cfg.Dim)
}

func relu(x *Node) *Node { return MaxScalar(x, 0) }
