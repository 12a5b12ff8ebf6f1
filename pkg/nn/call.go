package nn

import (
	"math"
	"regexp"
	"strconv"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/support/exceptions"

	"gaze/internal/xla/kernels"
	"gaze/pkg/backend"
)

// without makes GoMLX's operations compute everything. Tests set it.
var without bool

// useKernels says whether a kernel can take these nodes, of which nil ones are left out.
func useKernels(nodes ...*Node) bool {
	for _, n := range nodes {
		if n != nil && n.DType() != dtypes.Float32 {
			return false
		}
	}
	return !without && backend.Kernels(nodes[0].Graph().Backend())
}

// gradient maps the gradients with respect to a call's results to those with respect to
// its inputs.
type gradient func(inputs, results []*Node) []*Node

// calls holds the gradient of each call in a graph, by the name of its function.
type calls map[string]gradient

type callsKey struct{}

// call calls a kernel. GoMLX has no node for that, so it becomes the call of a function
// whose name says which kernel is meant, and package backend replaces it when the program
// is compiled. Should the function itself ever run, it returns NaN.
func call(kernel string, numbers []int64, back gradient, inputs []*Node, results ...shapes.Shape) []*Node {
	g := inputs[0].Graph()
	all, ok := g.State(callsKey{}).(calls)
	if !ok {
		all = calls{}
		g.AttachState(callsKey{}, all)
	}
	name := kernels.Function(kernel, numbers, len(all))
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
		exceptions.Panicf("nn: GoMLX has no gradient for calls of functions, such as %s: build it from operations", node)
	}
	return all[name[1]](node.Inputs(), results)
}

// ofOperations is the gradient of a call that computes the same as the operations. Calls
// that are gradients themselves use it: there are no kernels for second derivatives.
func ofOperations(operations func(inputs []*Node) []*Node) gradient {
	return func(inputs, results []*Node) []*Node {
		// Nodes of their own, which checkpointing must not compute again: the gradients
		// below would otherwise be with respect to the copies.
		own := make([]*Node, len(inputs))
		for i, in := range inputs {
			own[i] = in.StopCheckpoint()
		}
		return differentiateAll(operations(own), results, own)
	}
}

// differentiateAll maps the gradients with respect to outputs to those with respect to
// inputs.
func differentiateAll(outputs, results, inputs []*Node) []*Node {
	total := ScalarZero(inputs[0].Graph(), dtypes.Float32)
	for i, y := range outputs {
		total = Add(total, ReduceAllSum(Mul(y, results[i])))
	}
	return Gradient(total, inputs...)
}
