package vit

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
	how   Training
}

// in goes into a sub-scope. Entering it twice is allowed: two passes in one
// graph share their weights.
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

// vector is a variable [dim] shaped to add to, or multiply, tokens [batch, tokens, dim].
func (p params) vector(path string, dim int) *Node {
	return Reshape(p.weight(path, dim), 1, 1, dim)
}

// linear is torch's Linear over the last axis: x·weightᵀ + bias, weight [out, in].
// The product is one of matrices, all tokens in a row: the gradients of one over
// three axes made a training step of ViT-Ti's blocks a third longer on XLA.
func (p params) linear(name string, x *Node, out int, bias bool) *Node {
	last := x.Rank() - 1
	w := p.weight(name+"/weight", out, x.Shape().Dim(last))
	dims := slices.Clone(x.Shape().Dimensions)
	x = p.full(p.product(Reshape(x, -1, dims[last]), w).General([]int{1}, nil, []int{1}, nil))
	dims[last] = out
	x = Reshape(x, dims...)
	if bias {
		x = Add(x, ExpandLeftToRank(p.weight(name+"/bias", out), x.Rank()))
	}
	return x
}

// layerNorm normalises over the last axis, with the model's epsilon.
func (p params) layerNorm(name string, x *Node) *Node {
	dim := x.Shape().Dim(-1)
	return nn.LayerNorm(x, []int{x.Rank() - 1}, p.cfg.NormEps, p.weight(name+"/weight", dim), p.weight(name+"/bias", dim), nil)
}

// span is the tokens from index start up to end of x, [batch, tokens, dim]; nil
// if that is none.
func span(x *Node, start, end int) *Node {
	if start == end {
		return nil
	}
	return SliceAxis(x, 1, AxisRange(start, end))
}

// concatenate joins token sequences, [batch, tokens, dim]; nil is an empty one.
func concatenate(sequences ...*Node) *Node {
	var some []*Node
	for _, s := range sequences {
		if s != nil {
			some = append(some, s)
		}
	}
	if len(some) == 1 {
		return some[0]
	}
	return Concatenate(some, 1)
}
