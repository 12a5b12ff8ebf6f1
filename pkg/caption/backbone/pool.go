package backbone

import (
	"github.com/gomlx/compute"
	. "github.com/gomlx/gomlx/core/graph"
)

// maxPool takes the maximum of each window of odd size around a pixel of x [batch, rows,
// columns, channels]. It is made of slices because the Go backend has no gradient of its own
// pooling.
func maxPool(x *Node, size, stride int) *Node {
	room := compute.PadAxis{Start: size / 2, End: size / 2}
	padded := Pad(x, Scalar(x.Graph(), x.DType(), -1e30), compute.PadAxis{}, room, room)
	var span [2]int // from the first to past the last pixel under one element of the window
	for i := range span {
		span[i] = (x.Shape().Dim(i+1)-1)/stride*stride + 1
	}
	var out *Node
	for i := range size {
		for j := range size {
			under := Slice(padded, AxisRange(), AxisRange(i, i+span[0]).Stride(stride), AxisRange(j, j+span[1]).Stride(stride))
			if out != nil {
				under = Max(out, under)
			}
			out = under
		}
	}
	return out
}
