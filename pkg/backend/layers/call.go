// Package layers builds the parts of transformers that take time, of nodes of a graph:
// linear layers with the norm or activation before them and the residual after them, and
// self-attention. Where the backend has Gaze's kernels ([backend.Kernels]) and numbers
// are float32, each is one call of a kernel, and so is its gradient; elsewhere it is made
// of GoMLX's operations. Both compute the same, to rounding.
//
// As all functions that build graphs, these panic when shapes don't fit.
package layers

import (
	"math"
	"regexp"
	"strconv"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/support/exceptions"

	"gaze/pkg/backend"
)

// without has GoMLX's operations compute everything, in tests.
var without bool

// kernels says whether nodes can go to a kernel.
func kernels(nodes ...*Node) bool {
	for _, n := range nodes {
		if n != nil && n.DType() != dtypes.Float32 {
			return false
		}
	}
	return !without && backend.Kernels(nodes[0].Graph().Backend())
}

// gradient gives the gradients with respect to a call's inputs, for those with respect to
// its results.
type gradient func(inputs, results []*Node) []*Node

// calls is a graph's calls: the gradient of each, by the name of its function.
type calls map[string]gradient

type callsKey struct{}

// call calls a kernel. GoMLX has no node for that: it is a call of a function, whose name
// says which kernel is meant, and which package backend replaces when the program is
// compiled. The function itself gives NaN, should it ever run.
func call(kernel string, numbers []int64, back gradient, inputs []*Node, results ...shapes.Shape) []*Node {
	g := inputs[0].Graph()
	all, ok := g.State(callsKey{}).(calls)
	if !ok {
		all = calls{}
		g.AttachState(callsKey{}, all)
	}
	name := backend.KernelFunction(kernel, numbers, len(all))
	all[name] = back
	f := NewFunction(g, name, func(g *Graph) []*Node {
		for i, in := range inputs {
			Parameter(g, "x"+strconv.Itoa(i), in.Shape())
		}
		var nothing []*Node
		for _, s := range results {
			nothing = append(nothing, BroadcastToDims(Const(g, float32(math.NaN())), s.Dimensions...))
		}
		return nothing
	})
	return f.Call(inputs...)
}

var called = regexp.MustCompile(`Call\((\w+),`)

func differentiate(node *Node, results []*Node, _ shapes.Shape) []*Node {
	all, _ := node.Graph().State(callsKey{}).(calls)
	name := called.FindStringSubmatch(node.String())
	if name == nil || all[name[1]] == nil {
		exceptions.Panicf("layers: GoMLX has no gradient for calls of functions, as %s is; build it of operations", node)
	}
	return all[name[1]](node.Inputs(), results)
}

// ofOperations is the gradient of a call that computes what the operations do. Calls that
// are gradients themselves have it: there are no kernels for second derivatives.
func ofOperations(operations func(inputs []*Node) []*Node) gradient {
	return func(inputs, results []*Node) []*Node {
		// Nodes that nothing else depends on, and that are kept: were they computed again,
		// gradients within would be by the copies.
		own := make([]*Node, len(inputs))
		for i, in := range inputs {
			own[i] = in.StopCheckpoint()
		}
		return differentiateAll(operations(own), results, own)
	}
}

// differentiateAll gives the gradients with respect to inputs of outputs, for those with
// respect to outputs.
func differentiateAll(outputs, results, inputs []*Node) []*Node {
	total := ScalarZero(inputs[0].Graph(), dtypes.Float32)
	for i, y := range outputs {
		total = Add(total, ReduceAllSum(Mul(y, results[i])))
	}
	return Gradient(total, inputs...)
}
