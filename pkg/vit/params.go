package vit

import (
	"strings"

	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"
	"github.com/gomlx/gomlx/support/exceptions"

	"gaze/pkg/backend/layers"
	"gaze/pkg/nn"
)

// params reads the model's variables while a graph is built.
type params struct {
	scope *model.Scope
	cfg   Config
	like  *Node // a node of the graph and of the weights' dtype
	how   nn.Training
	// packed says which weights of blocks' linear layers, [out, in], the backend has
	// packed; nil: none.
	packed func(out, in int) bool
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

// linear completes a linear layer with its weights and applies it over the last axis.
func (p params) linear(name string, l layers.Linear, x *Node, out int, bias bool) *Node {
	in := x.Shape().Dim(-1)
	l.Weight, l.BFloat16 = p.weight(name+"/weight", out, in), p.how.BFloat16
	l.Packed = p.packed != nil && p.packed(out, in)
	if bias {
		l.Bias = p.weight(name+"/bias", out)
	}
	return l.Of(x)
}

// norm is a layer norm over the last axis, with the model's epsilon.
func (p params) norm(name string, dim int) *layers.Norm {
	return &layers.Norm{Gamma: p.weight(name+"/weight", dim), Beta: p.weight(name+"/bias", dim), Epsilon: p.cfg.NormEps}
}

// layer is the activation as a linear layer knows it; SwiGLU, which takes twice the
// numbers, it doesn't.
func (a Activation) layer() layers.Activation {
	switch a {
	case GELU:
		return layers.GELU
	case GELUTanh:
		return layers.GELUTanh
	case QuickGELU:
		return layers.QuickGELU
	case SwiGLU:
		return layers.NoActivation
	}
	exceptions.Panicf("vit.Forward: activation %s", a)
	return layers.NoActivation
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
