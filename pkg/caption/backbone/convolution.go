package backbone

import (
	"slices"

	"github.com/gomlx/compute"
	. "github.com/gomlx/gomlx/core/graph"
)

// convolution is a convolution with a square kernel.
type convolution struct {
	size, stride, dilation int
	padding                [2][2]int // before and after the rows, before and after the columns
}

// centred pads a kernel of odd size so that the output is as large as the input
// over the stride, rounded up.
func centred(size, stride, dilation int) convolution {
	n := dilation * (size - 1) / 2
	return convolution{size, stride, dilation, [2][2]int{{n, n}, {n, n}}}
}

// channelsLast is the order of axes: pictures [batch, rows, columns, channels] and kernels
// [rows, columns, in, out], with which XLA's convolutions on the CPU are fastest.
var channelsLast = compute.ConvolveAxesConfig{
	InputBatch: 0, InputSpatial: []int{1, 2}, InputChannels: 3,
	KernelSpatial: []int{0, 1}, KernelInputChannels: 2, KernelOutputChannels: 3,
	OutputBatch: 0, OutputSpatial: []int{1, 2}, OutputChannels: 3,
}

// goBackend is the name that GoMLX's own backend gives itself.
const goBackend = "Go Backend"

// apply convolves x [batch, rows, columns, in] with a kernel [size, size, in, out].
func (c convolution) apply(x, kernel *Node) *Node {
	if x.Graph().Backend().Name() == goBackend {
		return c.asProduct(x, kernel)
	}
	if c.stride == c.size && c.stride > 1 {
		return c.ofPatches(x, kernel)
	}
	stride, dilation := []int{c.stride, c.stride}, []int{c.dilation, c.dilation}
	return ConvGeneral(x, kernel, channelsLast, stride, c.padding[:], nil, dilation, 1, 1)
}

// asProduct is apply as one matrix product (im2col): the Go backend's own convolution is a
// hundred times slower.
func (c convolution) asProduct(x, kernel *Node) *Node {
	under := Concatenate(c.windows(x, 0), 3)
	return Einsum("bhwi,io->bhwo", under, Reshape(kernel, -1, kernel.Shape().Dim(3)))
}

// ofPatches is apply as one matrix product for a kernel whose stride is its size. Its
// gradient is much faster than a convolution's.
func (c convolution) ofPatches(x, kernel *Node) *Node {
	x = surround(surround(x, 1, c.padding[0], 0), 2, c.padding[1], 0)
	d := x.Shape().Dimensions
	rows, columns := d[1]/c.size, d[2]/c.size
	x = TransposeAllDims(Reshape(x, d[0], rows, c.size, columns, c.size, d[3]), 0, 1, 3, 2, 4, 5)
	out := kernel.Shape().Dim(3)
	y := Einsum("pi,io->po", Reshape(x, d[0]*rows*columns, -1), Reshape(kernel, -1, out))
	return Reshape(y, d[0], rows, columns, out)
}

// windows lists, for each element of the kernel, the pixels under it at every output
// position, each [batch, rows out, columns out, channels].
func (c convolution) windows(x *Node, fill float64) []*Node {
	dims := x.Shape().Dimensions
	padded := surround(surround(x, 1, c.padding[0], fill), 2, c.padding[1], fill)
	var span [2]int // from the first to past the last pixel under one element of the kernel
	for i := range 2 {
		total := dims[i+1] + c.padding[i][0] + c.padding[i][1]
		steps := (total - c.dilation*(c.size-1) - 1) / c.stride
		span[i] = steps*c.stride + 1
	}
	var list []*Node
	for i := range c.size {
		for j := range c.size {
			y, x := i*c.dilation, j*c.dilation
			list = append(list, Slice(padded, AxisRange(),
				AxisRange(y, y+span[0]).Stride(c.stride), AxisRange(x, x+span[1]).Stride(c.stride)))
		}
	}
	return list
}

// surround pads x with fill along an axis. (GoMLX's own Pad has no gradient.)
func surround(x *Node, axis int, room [2]int, fill float64) *Node {
	parts := []*Node{nil, x, nil}
	for i, n := range room {
		if n > 0 {
			shape := x.Shape().Clone()
			shape.Dimensions[axis] = n
			parts[2*i] = BroadcastToShape(Scalar(x.Graph(), x.DType(), fill), shape)
		}
	}
	parts = slices.DeleteFunc(parts, func(p *Node) bool { return p == nil })
	if len(parts) == 1 {
		return x
	}
	return Concatenate(parts, axis)
}

// maxPool takes the maximum of each window. It is made of slices because the Go backend has
// no gradient of its own pooling.
func maxPool(x *Node, size, stride int) *Node {
	list := centred(size, stride, 1).windows(x, -1e30)
	out := list[0]
	for _, w := range list[1:] {
		out = Max(out, w)
	}
	return out
}
