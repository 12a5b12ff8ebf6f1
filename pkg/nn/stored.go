package nn

import (
	"fmt"
	"slices"

	"gaze/pkg/weights"
)

// Stored is one parameter as a checkpoint keeps it: one tensor, or several that are
// stacked along the first axis, each possibly in another order than torch's.
type Stored struct {
	Parts []Part
}

// Part is a tensor of a checkpoint that is a parameter or a part of one.
type Part struct {
	Tensor *weights.Tensor
	Order  Order
}

// Order is how a tensor's values lie in a checkpoint, and so how they become a torch
// parameter.
type Order uint8

const (
	AsIs      Order = iota
	Flatten         // any shape, to a vector
	InFirst         // [in, out...], to [out, in]
	OutLast         // [in..., out], to [out, in]
	FromHWIO        // a convolution [height, width, in, out], to [out, in, height, width]
	ToTokens        // [dim], [1, dim] or [n, dim], to [1, n, dim]
	Pointwise       // a 1×1 convolution [out, in, 1, 1], to [out, in]
)

// Own is a parameter that is ready to use.
func Own(t *weights.Tensor) *Stored { return &Stored{Parts: []Part{{Tensor: t}}} }

// Shape is the shape of the torch parameter.
func (s *Stored) Shape() ([]int, error) {
	var all []int
	for _, p := range s.Parts {
		shape, err := p.shape()
		if err != nil {
			return nil, err
		}
		if all == nil {
			all = slices.Clone(shape)
			continue
		}
		if len(shape) != len(all) || !slices.Equal(shape[1:], all[1:]) {
			return nil, fmt.Errorf("tensor %s of shape %v can't be stacked on %s of shape %v", p.Tensor.Name, p.Tensor.Shape, s.Parts[0].Tensor.Name, s.Parts[0].Tensor.Shape)
		}
		all[0] += shape[0]
	}
	return all, nil
}

// shape is the shape of the part in torch's order.
func (p Part) shape() ([]int, error) {
	s := p.Tensor.Shape
	bad := func(want string) error {
		return fmt.Errorf("tensor %s has shape %v, not %s", p.Tensor.Name, s, want)
	}
	switch p.Order {
	case Flatten:
		return []int{p.Tensor.Len()}, nil
	case InFirst:
		if len(s) < 2 {
			return nil, bad("[in, out...]")
		}
		return []int{size(s[1:]), s[0]}, nil
	case OutLast:
		if len(s) < 2 {
			return nil, bad("[in..., out]")
		}
		return []int{s[len(s)-1], size(s[:len(s)-1])}, nil
	case FromHWIO:
		if len(s) != 4 {
			return nil, bad("[height, width, in, out]")
		}
		return []int{s[3], s[2], s[0], s[1]}, nil
	case ToTokens:
		switch len(s) {
		case 1:
			return []int{1, 1, s[0]}, nil
		case 2:
			return []int{1, s[0], s[1]}, nil
		case 3:
			return s, nil
		}
		return nil, bad("[1, tokens, dim]")
	case Pointwise:
		if len(s) != 4 || s[2] != 1 || s[3] != 1 {
			return nil, bad("[out, in, 1, 1]")
		}
		return s[:2], nil
	}
	return s, nil
}

// raw is the parameter's values if the file has them ready to use: one float32 tensor in
// torch's order.
func (s *Stored) raw() ([]float32, bool, error) {
	if len(s.Parts) != 1 || !s.Parts[0].inPlace() {
		return nil, false, nil
	}
	data, err := s.Parts[0].Tensor.Float32s()
	return data, true, err
}

// inPlace says whether the values already lie in torch's order.
func (p Part) inPlace() bool {
	return p.Order == AsIs || p.Order == Flatten || p.Order == ToTokens || p.Order == Pointwise
}

// Float32s is the parameter's values, row-major. They may be the file's own memory and
// must not be written to.
func (s *Stored) Float32s() ([]float32, error) {
	if data, ok, err := s.raw(); ok {
		return data, err
	}
	n := 0
	for _, p := range s.Parts {
		n += p.Tensor.Len()
	}
	data := make([]float32, n)
	return data, s.writeTo(data)
}

// Tensor is the parameter as a tensor of a name. Where the file has its values ready to
// use, a caller that has copied them may let the system forget them ([weights.Tensor.Forget]).
func (s *Stored) Tensor(name string) (*weights.Tensor, error) {
	shape, err := s.Shape()
	if err != nil {
		return nil, err
	}
	values, err := s.Float32s()
	if err != nil {
		return nil, err
	}
	if p := s.Parts[0]; len(s.Parts) == 1 && p.inPlace() && p.Tensor.DType == weights.Float32 {
		return p.Tensor.As(name, shape), nil
	}
	return weights.NewTensor(name, shape, values), nil
}

// CheckFinite returns an error that names the first tensor with a NaN or an infinity.
func (s *Stored) CheckFinite() error {
	for _, p := range s.Parts {
		data, err := p.Tensor.Float32s()
		if err != nil {
			return err
		}
		if err := CheckFinite(p.Tensor.Name, data); err != nil {
			return err
		}
	}
	return nil
}

// writeTo writes the parameter's values to dst, which has their number.
func (s *Stored) writeTo(dst []float32) error {
	for _, p := range s.Parts {
		src, err := p.Tensor.Float32s()
		if err != nil {
			return err
		}
		n := len(src)
		if n > len(dst) {
			return fmt.Errorf("tensor %s has %d values, there is room for %d", p.Tensor.Name, n, len(dst))
		}
		p.rearrange(dst[:n], src)
		dst = dst[n:]
	}
	return nil
}

// forget lets the system drop the file's pages, once the values have been copied.
func (s *Stored) forget() {
	for _, p := range s.Parts {
		p.Tensor.Forget()
	}
}

// rearrange copies src to dst in torch's order.
func (p Part) rearrange(dst, src []float32) {
	s := p.Tensor.Shape
	switch p.Order {
	case InFirst:
		transpose(dst, src, s[0], len(src)/s[0])
	case OutLast:
		out := s[len(s)-1]
		transpose(dst, src, len(src)/out, out)
	case FromHWIO: // [h·w, i, o] to [o, i, h·w]
		area, in, out := s[0]*s[1], s[2], s[3]
		for a := range area {
			for i := range in {
				for o := range out {
					dst[(o*in+i)*area+a] = src[(a*in+i)*out+o]
				}
			}
		}
	default:
		copy(dst, src)
	}
}

// transpose writes the transpose of src [rows, cols] to dst [cols, rows], in tiles that
// fit the cache.
func transpose(dst, src []float32, rows, cols int) {
	const tile = 32
	for r0 := 0; r0 < rows; r0 += tile {
		for c0 := 0; c0 < cols; c0 += tile {
			for r := r0; r < min(r0+tile, rows); r++ {
				for c := c0; c < min(c0+tile, cols); c++ {
					dst[c*rows+r] = src[r*cols+c]
				}
			}
		}
	}
}
