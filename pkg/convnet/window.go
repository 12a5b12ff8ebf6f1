package convnet

import (
	"github.com/gomlx/compute"
	. "github.com/gomlx/gomlx/core/graph"

	"gaze/pkg/nn"
)

// window is how a square kernel of odd size moves over a feature map.
type window struct {
	size, stride, dilation int
	symmetric              bool // torch's padding; otherwise TensorFlow's 'SAME'
}

// padding is the rows before and after a side of n, so that ⌈n/stride⌉ positions fit. With
// 'SAME', a stride of 2 puts the odd row of an even side at its end.
func (w window) padding(n int) [2]int {
	reach := w.dilation * (w.size - 1)
	if w.symmetric {
		p := (w.stride - 1 + reach) / 2
		return [2]int{p, p}
	}
	all := max(0, ((n+w.stride-1)/w.stride-1)*w.stride+reach+1-n)
	return [2]int{all / 2, all - all/2}
}

// outputs is the number of positions along a side of n.
func (w window) outputs(n int) int {
	p := w.padding(n)
	return (n+p[0]+p[1]-w.dilation*(w.size-1)-1)/w.stride + 1
}

// convolve convolves x [batch, rows, columns, in] with a kernel [size, size, in, out].
func (w window) convolve(x, kernel *Node) *Node {
	padding := [2][2]int{w.padding(x.Shape().Dim(1)), w.padding(x.Shape().Dim(2))}
	return nn.Convolution{Kernel: kernel, Stride: w.stride, Dilation: w.dilation, Padding: padding}.Apply(x)
}

// depthwise convolves each channel of x [batch, rows, columns, channels] with its own
// kernel of [size, size, 1, channels], as a sum of shifted maps, each times an element of
// the kernel. XLA fuses the sum into one pass; its own grouped convolution took 10 to 60
// times as long on the CPU.
func (w window) depthwise(x, kernel *Node) *Node {
	channels := kernel.Shape().Dim(3)
	elements := Reshape(kernel, w.size*w.size, channels)
	var sum *Node
	for i, under := range w.meets(x) {
		part := Mul(under, ExpandLeftToRank(Reshape(Slice(elements, AxisElem(i)), channels), 4))
		if sum == nil {
			sum = part
		} else {
			sum = Add(sum, part)
		}
	}
	return sum
}

// meets lists, for each element of the kernel, what it meets at every position, each
// [batch, rows out, columns out, channels].
func (w window) meets(x *Node) []*Node {
	d := x.Shape().Dimensions
	rows, columns := w.padding(d[1]), w.padding(d[2])
	padded := Pad(x, ScalarZero(x.Graph(), x.DType()), compute.PadAxis{}, compute.PadAxis{Start: rows[0], End: rows[1]}, compute.PadAxis{Start: columns[0], End: columns[1]})
	var list []*Node
	for i := range w.size {
		for j := range w.size {
			y, x := i*w.dilation, j*w.dilation
			list = append(list, Slice(padded, AxisRange(),
				AxisRange(y, y+(w.outputs(d[1])-1)*w.stride+1).Stride(w.stride),
				AxisRange(x, x+(w.outputs(d[2])-1)*w.stride+1).Stride(w.stride)))
		}
	}
	return list
}
