package nn

import (
	"regexp"
	"strconv"

	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/support/exceptions"
)

// GoMLX has no gradient for calls of functions, nor one for Pad. The gradient of a slice
// is a Pad, so that attention would have no second derivative.
func init() {
	VJPRegistration[NodeTypeCall] = differentiate
	if VJPRegistration[NodeTypePad] == nil {
		VJPRegistration[NodeTypePad] = padGradient
	}
}

// padded finds an axis's padding in the text of a node, the only place where GoMLX shows it.
var padded = regexp.MustCompile(`{Start:(-?\d+) End:(-?\d+) Interior:(\d+)}`)

// padGradient returns, for the operand, its slice of the gradient, and for the fill value
// the sum of the rest.
func padGradient(node *Node, results []*Node, _ shapes.Shape) []*Node {
	axes := padded.FindAllStringSubmatch(node.String(), -1)
	operand, result := node.Inputs()[0], results[0]
	if len(axes) > operand.Rank() {
		exceptions.Panicf("nn: the padding of %s can't be read", node)
	}
	slices := make([]SliceAxisSpec, operand.Rank())
	for i := range slices {
		slices[i] = AxisRange()
		if i >= len(axes) {
			continue
		}
		start, end, apart := number(axes[i][1]), number(axes[i][2]), number(axes[i][3])+1
		if start < 0 || end < 0 {
			exceptions.Panicf("nn: there is no gradient for padding that crops, %s", node)
		}
		slices[i] = AxisRange(start, result.Shape().Dim(i)-end).Stride(apart)
	}
	of := Slice(result, slices...)
	return []*Node{of, Sub(ReduceAllSum(result), ReduceAllSum(of))}
}

func number(digits string) int {
	n, err := strconv.Atoi(digits)
	if err != nil {
		panic(err)
	}
	return n
}
