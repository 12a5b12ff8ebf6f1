package nn

import (
	"strings"

	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"

	"gaze/internal/xla/kernels"
)

// Variables reads a model's parameters, which are the variables of a scope, while a graph
// is built, and makes layers of them. Variables that don't exist yet are made with the
// scope's initializer.
type Variables struct {
	Training Training

	scope   *model.Scope
	like    *Node
	epsilon float64
}

// NewVariables reads the variables of a scope. like is a node of the graph and has the
// weights' dtype; epsilon is that of the norms.
func NewVariables(scope *model.Scope, like *Node, epsilon float64, how Training) Variables {
	return Variables{Training: how, scope: scope, like: like, epsilon: epsilon}
}

// In goes into a scope below this one. Entering a scope twice is fine: two passes in one
// graph share their weights.
func (v Variables) In(format string, args ...any) Variables {
	v.scope = v.scope.At(format, args...)
	return v
}

// Scope is the scope that is read.
func (v Variables) Scope() *model.Scope { return v.scope }

// at is the scope and the name of the variable at a path below this scope.
func (v Variables) at(path string) (*model.Scope, string) {
	scope := v.scope
	parts := strings.Split(path, "/")
	for _, s := range parts[:len(parts)-1] {
		scope = scope.At("%s", s)
	}
	return scope, parts[len(parts)-1]
}

// Get is the parameter at a path below this scope.
func (v Variables) Get(path string, shape ...int) *Node {
	scope, name := v.at(path)
	return scope.VariableWithShape(name, shapes.Make(v.like.DType(), shape...)).NodeValue(v.like)
}

// has says whether there is a variable at a path.
func (v Variables) has(path string) bool {
	scope, name := v.at(path)
	return scope.GetVariable(name) != nil
}

// Linear applies the linear layer at a path over the last axis of x. around says what
// else belongs to it: norm or activation before the product, scale and residual after it.
func (v Variables) Linear(path string, x *Node, out int, bias bool, around Linear) *Node {
	return v.Projection(path, x, []int{out, x.Shape().Dim(-1)}, bias, around)
}

// Projection is [Variables.Linear] with a weight of any shape [out, in...], such as a
// convolution's. x has the product of in as its last axis.
func (v Variables) Projection(path string, x *Node, shape []int, bias bool, around Linear) *Node {
	l, out := around, shape[0]
	l.BFloat16 = v.Training.BFloat16
	if l.Packed = v.has(path + "/" + packedName); l.Packed {
		l.Out, l.Weight = out, v.Get(path+"/"+packedName, kernels.PackedRows(out), size(shape[1:]))
	} else if l.Weight = v.Get(path+"/weight", shape...); len(shape) != 2 {
		l.Weight = Reshape(l.Weight, out, -1)
	}
	if bias {
		l.Bias = v.Get(path+"/bias", out)
	}
	return l.Apply(x)
}

// Norm is the layer norm at a path, over dim values.
func (v Variables) Norm(path string, dim int) *Norm { return v.NormEpsilon(path, dim, v.epsilon) }

// NormEpsilon is [Variables.Norm] with an epsilon of its own.
func (v Variables) NormEpsilon(path string, dim int, epsilon float64) *Norm {
	return &Norm{Gamma: v.Get(path+"/weight", dim), Beta: v.Get(path+"/bias", dim), Epsilon: epsilon}
}

// Kernel is the weights of the convolution at a path, [rows, columns, in, out]. Weights
// uploaded in that order ([ChannelsLast]) are read as they are: rearranging them in the
// graph took a quarter of a ResNet's time.
func (v Variables) Kernel(path string, size, in, out int) *Node {
	if name := path + "/" + kernelName; v.has(name) {
		return v.Get(name, size, size, in, out)
	}
	return TransposeAllDims(v.Get(path+"/weight", out, in, size, size), 2, 3, 1, 0)
}

// Convolve applies the convolution at a path, whose kernel has size rows and columns, to x
// [batch, rows, columns, in]. around says what else belongs to it, but for the kernel.
func (v Variables) Convolve(path string, x *Node, out, size int, around Convolution) *Node {
	in := x.Shape().Dim(-1)
	switch name := path + "/" + packedName; {
	case v.has(name):
		around.Kernel, around.Packed = v.Get(name, size, size, in, out), true
	case size == 1:
		around.pointwise = Reshape(v.Get(path+"/weight", out, in, 1, 1), out, in)
	default:
		around.Kernel = v.Kernel(path, size, in, out)
	}
	return around.Apply(x)
}
