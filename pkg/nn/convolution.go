package nn

import (
	"slices"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/support/exceptions"

	"gaze/internal/xla/kernels"
)

// Convolution is a convolution of pictures and what surrounds it, f(conv(x, Kernel)·Scale +
// Shift + Residual). What is nil is left out.
type Convolution struct {
	Kernel *Node // [rows, columns, in, out]; nil for [Variables.Convolve], which reads it

	Stride   int       // from one position of the kernel to the next, in rows and columns; 0: 1
	Dilation int       // from one element of the kernel to the next; 0: 1
	Padding  [2][2]int // zeros before and after the rows, before and after the columns

	Scale, Shift *Node // [out], such as those of a batch norm
	Residual     *Node // [batch, rows out, columns out, out]
	ReLU         bool  // f is max(y, 0); otherwise nothing is applied

	// Packed says that the kernel was uploaded as a [PackedKernel]. It then has no gradient,
	// nor has anything else here, and all is computed in one pass.
	Packed bool

	// pointwise is the kernel of one element in torch's order, [out, in].
	pointwise *Node
}

// channelsLast is the order of the axes of pictures and kernels.
var channelsLast = compute.ConvolveAxesConfig{
	InputBatch: 0, InputSpatial: []int{1, 2}, InputChannels: 3,
	KernelSpatial: []int{0, 1}, KernelInputChannels: 2, KernelOutputChannels: 3,
	OutputBatch: 0, OutputSpatial: []int{1, 2}, OutputChannels: 3,
}

// goBackendName is the name that GoMLX's own backend gives itself.
const goBackendName = "Go Backend"

// Apply convolves x [batch, rows, columns, in] to [batch, rows out, columns out, out].
func (c Convolution) Apply(x *Node) *Node {
	c.Stride, c.Dilation = max(c.Stride, 1), max(c.Dilation, 1)
	if c.pointwise != nil {
		out, in := c.pointwise.Shape().Dim(0), c.pointwise.Shape().Dim(1)
		c.Kernel = Reshape(Transpose(c.pointwise, 0, 1), 1, 1, in, out)
	}
	shape := c.check(x)
	if c.Packed {
		if !useKernels(x, c.Kernel, c.Scale, c.Shift, c.Residual) {
			exceptions.Panicf("nn: packed kernels need Gaze's kernels, which this backend doesn't have")
		}
		return c.call(x, shape, func([]*Node, []*Node) []*Node {
			exceptions.Panicf("nn: packed kernels have no gradient: build the convolution with a kernel that isn't packed")
			return nil
		})
	}
	y := c.alone(x, shape)
	if c.Scale != nil {
		y = Mul(y, ExpandLeftToRank(c.Scale, 4))
	}
	if c.Shift != nil {
		y = Add(y, ExpandLeftToRank(c.Shift, 4))
	}
	if c.Residual != nil {
		y = Add(c.Residual, y)
	}
	if c.ReLU {
		y = ReLU.Apply(y)
	}
	return y
}

// check panics if anything doesn't fit, and returns the result's shape.
func (c Convolution) check(x *Node) shapes.Shape {
	if x.Rank() != 4 || c.Kernel.Rank() != 4 || x.Shape().Dim(3) != c.Kernel.Shape().Dim(2) {
		exceptions.Panicf("nn: a convolution with a kernel %s [rows, columns, in, out] can't be applied to %s", c.Kernel.Shape(), x.Shape())
	}
	shape, out := x.Shape().Clone(), c.Kernel.Shape().Dim(3)
	for i, p := range c.Padding {
		room := x.Shape().Dim(i+1) + p[0] + p[1] - c.Dilation*(c.Kernel.Shape().Dim(i)-1) - 1
		if p[0] < 0 || p[1] < 0 || room < 0 {
			exceptions.Panicf("nn: a convolution with a kernel %s, padding %v and dilation %d doesn't fit %s", c.Kernel.Shape(), c.Padding, c.Dilation, x.Shape())
		}
		shape.Dimensions[i+1] = room/c.Stride + 1
	}
	shape.Dimensions[3] = out
	mustBeVector(c.Scale, out, "convolution's scale")
	mustBeVector(c.Shift, out, "convolution's shift")
	if c.Residual != nil && !slices.Equal(c.Residual.Shape().Dimensions, shape.Dimensions) {
		exceptions.Panicf("nn: a convolution's residual has shape %s, its result %v", c.Residual.Shape(), shape.Dimensions)
	}
	return shape
}

// alone is the convolution without what surrounds it. A kernel's gradient is that of the
// operations, from which the compiler drops the convolution itself.
func (c Convolution) alone(x *Node, result shapes.Shape) *Node {
	positions, terms, out := result.Size()/result.Dim(3), c.Kernel.Shape().Size()/result.Dim(3), result.Dim(3)
	if terms == c.Kernel.Shape().Dim(2) || !kernels.WorthConvolving(positions, terms, out) || !useKernels(x, c.Kernel) {
		return c.operations(x)
	}
	only := Convolution{Kernel: c.Kernel, Stride: c.Stride, Dilation: c.Dilation, Padding: c.Padding}
	return only.call(x, result, ofOperations(func(inputs []*Node) []*Node {
		only.Kernel = inputs[1]
		return []*Node{only.operations(inputs[0])}
	}))
}

// call calls the kernel that computes everything.
func (c Convolution) call(x *Node, result shapes.Shape, back gradient) *Node {
	var flags int64
	inputs := []*Node{x, c.Kernel}
	for _, part := range []struct {
		flag int64
		node *Node
	}{{kernels.ConvolutionHasScale, c.Scale}, {kernels.ConvolutionHasShift, c.Shift}, {kernels.ConvolutionHasResidual, c.Residual}} {
		if part.node != nil {
			flags |= part.flag
			inputs = append(inputs, part.node)
		}
	}
	if c.ReLU {
		flags |= kernels.ConvolutionHasReLU
	}
	if c.Packed {
		flags |= kernels.ConvolutionIsPacked
	}
	numbers := kernels.ConvolutionAttributes(c.Stride, c.Dilation, c.Padding[0][0], c.Padding[1][0], flags)
	return call(kernels.Convolution, numbers, back, inputs, result)[0]
}

// operations is the convolution alone, made of GoMLX's operations.
func (c Convolution) operations(x *Node) *Node {
	rows, columns := c.Kernel.Shape().Dim(0), c.Kernel.Shape().Dim(1)
	switch {
	case rows == 1 && columns == 1 && c.Padding == [2][2]int{}:
		return c.ofPixels(x)
	case x.Graph().Backend().Name() == goBackendName:
		return c.asProduct(x)
	case rows == c.Stride && columns == c.Stride && c.Dilation == 1:
		return c.ofPatches(x)
	}
	return ConvGeneral(x, c.Kernel, channelsLast, []int{c.Stride, c.Stride}, c.Padding[:], nil, []int{c.Dilation, c.Dilation}, 1, 1)
}

// ofPixels is the product of a kernel of one element.
func (c Convolution) ofPixels(x *Node) *Node {
	if c.Stride > 1 {
		x = Slice(x, AxisRange(), AxisRange().Stride(c.Stride), AxisRange().Stride(c.Stride))
	}
	if c.pointwise != nil {
		return Einsum("bhwi,oi->bhwo", x, c.pointwise)
	}
	return Einsum("bhwi,io->bhwo", x, Reshape(c.Kernel, c.Kernel.Shape().Dim(2), c.Kernel.Shape().Dim(3)))
}

// asProduct is the convolution as one matrix product (im2col): the Go backend's own
// convolution is a hundred times slower.
func (c Convolution) asProduct(x *Node) *Node {
	under := Concatenate(c.windows(c.pad(x)), 3)
	return Einsum("bhwi,io->bhwo", under, Reshape(c.Kernel, -1, c.Kernel.Shape().Dim(3)))
}

// windows lists, for each element of the kernel, the pixels of the padded pictures that it
// meets at every position, each [batch, rows out, columns out, in].
func (c Convolution) windows(padded *Node) []*Node {
	var span [2]int // from the first to past the last pixel that an element meets
	for i := range span {
		steps := (padded.Shape().Dim(i+1) - c.Dilation*(c.Kernel.Shape().Dim(i)-1) - 1) / c.Stride
		span[i] = steps*c.Stride + 1
	}
	var list []*Node
	for i := range c.Kernel.Shape().Dim(0) {
		for j := range c.Kernel.Shape().Dim(1) {
			y, x := i*c.Dilation, j*c.Dilation
			list = append(list, Slice(padded, AxisRange(), AxisRange(y, y+span[0]).Stride(c.Stride), AxisRange(x, x+span[1]).Stride(c.Stride)))
		}
	}
	return list
}

// pad surrounds x with the zeros of the padding.
func (c Convolution) pad(x *Node) *Node {
	if c.Padding == [2][2]int{} {
		return x
	}
	axis := func(p [2]int) compute.PadAxis { return compute.PadAxis{Start: p[0], End: p[1]} }
	return Pad(x, ScalarZero(x.Graph(), x.DType()), compute.PadAxis{}, axis(c.Padding[0]), axis(c.Padding[1]))
}

// ofPatches is the convolution as one matrix product for a kernel whose stride is its size.
// Its gradient is much faster than a convolution's.
func (c Convolution) ofPatches(x *Node) *Node {
	x = c.pad(x)
	d := x.Shape().Dimensions
	rows, columns := d[1]/c.Stride, d[2]/c.Stride
	x = Slice(x, AxisRange(), AxisRange(0, rows*c.Stride), AxisRange(0, columns*c.Stride))
	x = TransposeAllDims(Reshape(x, d[0], rows, c.Stride, columns, c.Stride, d[3]), 0, 1, 3, 2, 4, 5)
	out := c.Kernel.Shape().Dim(3)
	y := Einsum("pi,io->po", Reshape(x, d[0]*rows*columns, -1), Reshape(c.Kernel, -1, out))
	return Reshape(y, d[0], rows, columns, out)
}
