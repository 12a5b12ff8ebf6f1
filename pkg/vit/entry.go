package vit

import (
	"fmt"
	"slices"
	"unsafe"

	"gaze/pkg/weights"
)

// entry is one parameter as it lies in a file: one tensor, or several to be
// stacked along the first axis, each possibly to be rearranged.
type entry struct {
	parts []part
}

type part struct {
	tensor *weights.Tensor
	fix    fix
}

// shape is the parameter's shape in torch's arrangement.
func (e *entry) shape() ([]int, error) {
	var all []int
	for _, p := range e.parts {
		s, err := p.shape()
		if err != nil {
			return nil, err
		}
		if all == nil {
			all = slices.Clone(s)
			continue
		}
		if len(s) != len(all) || !slices.Equal(s[1:], all[1:]) {
			return nil, fmt.Errorf("tensor %s of shape %v can't be stacked on %s of shape %v", p.tensor.Name, p.tensor.Shape, e.parts[0].tensor.Name, e.parts[0].tensor.Shape)
		}
		all[0] += s[0]
	}
	return all, nil
}

// shape is the part's shape once rearranged.
func (p part) shape() ([]int, error) {
	s := p.tensor.Shape
	bad := func(want string) error {
		return fmt.Errorf("tensor %s has shape %v, not %s", p.tensor.Name, s, want)
	}
	switch p.fix {
	case flatten:
		return []int{p.tensor.Len()}, nil
	case inFirst:
		if len(s) < 2 {
			return nil, bad("[in, out...]")
		}
		return []int{product(s[1:]), s[0]}, nil
	case outLast:
		if len(s) < 2 {
			return nil, bad("[in..., out]")
		}
		return []int{s[len(s)-1], product(s[:len(s)-1])}, nil
	case fromHWIO:
		if len(s) != 4 {
			return nil, bad("[height, width, in, out]")
		}
		return []int{s[3], s[2], s[0], s[1]}, nil
	case toTokens:
		switch len(s) {
		case 1:
			return []int{1, 1, s[0]}, nil
		case 2:
			return []int{1, s[0], s[1]}, nil
		case 3:
			return s, nil
		}
		return nil, bad("[1, tokens, dim]")
	}
	return s, nil
}

// raw is the parameter's values where the file has them ready to use: one
// float32 tensor that needs no rearranging.
func (e *entry) raw() ([]float32, bool, error) {
	if len(e.parts) != 1 || !e.parts[0].inPlace() {
		return nil, false, nil
	}
	data, err := e.parts[0].tensor.Float32s()
	return data, true, err
}

// inPlace tells whether the order of the values in memory is already torch's.
func (p part) inPlace() bool { return p.fix == asIs || p.fix == flatten || p.fix == toTokens }

// float32s is the parameter's values, row-major; they may be the file's own
// memory and mustn't be written to.
func (e *entry) float32s() ([]float32, error) {
	if data, ok, err := e.raw(); ok {
		return data, err
	}
	n := 0
	for _, p := range e.parts {
		n += p.tensor.Len()
	}
	data := make([]float32, n)
	return data, e.writeTo(data)
}

// writeTo writes the parameter's values to dst, which has their number.
func (e *entry) writeTo(dst []float32) error {
	for _, p := range e.parts {
		src, err := p.tensor.Float32s()
		if err != nil {
			return err
		}
		n := len(src)
		if n > len(dst) {
			return fmt.Errorf("tensor %s has %d values, there is room for %d", p.tensor.Name, n, len(dst))
		}
		p.rearrange(dst[:n], src)
		dst = dst[n:]
	}
	return nil
}

// forget takes the parts' bytes out of memory, from where a copy was made.
func (e *entry) forget() {
	for _, p := range e.parts {
		p.tensor.Forget()
	}
}

// rearrange copies src to dst in torch's order.
func (p part) rearrange(dst, src []float32) {
	s := p.tensor.Shape
	switch p.fix {
	case inFirst:
		transpose(dst, src, s[0], len(src)/s[0])
	case outLast:
		out := s[len(s)-1]
		transpose(dst, src, len(src)/out, out)
	case fromHWIO: // [h·w, i, o] to [o, i, h·w]
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

// transpose writes the transpose of src [rows, cols] to dst [cols, rows], in
// blocks that fit the cache.
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

func product(dims []int) int {
	n := 1
	for _, d := range dims {
		n *= d
	}
	return n
}

// checkFinite names the first tensor of the entry that has a NaN or an infinity.
func (e *entry) checkFinite() error {
	for _, p := range e.parts {
		data, err := p.tensor.Float32s()
		if err != nil {
			return err
		}
		if i := firstNonFinite(data); i >= 0 {
			return fmt.Errorf("tensor %s holds %v at index %d of %d: the weights are damaged", p.tensor.Name, data[i], i, len(data))
		}
	}
	return nil
}

// firstNonFinite is the index of the first NaN or infinity, -1 if there is none.
// It costs about as much as reading the memory: the exponent's eight bits, all
// set in exactly those values, carry into the sign's place when one is added,
// which shows two values at a time without a branch.
func firstNonFinite(data []float32) int {
	const (
		exponents = 0x7f8000007f800000
		one       = 0x0080000000800000
		carries   = 0x8000000080000000
		chunk     = 1 << 12 // values between two looks at what was gathered
	)
	for start := 0; start < len(data); start += chunk {
		part := data[start:min(start+chunk, len(data))]
		var seen uint64
		if len(part) >= 2 && uintptr(unsafe.Pointer(&part[0]))%8 == 0 {
			for _, w := range unsafe.Slice((*uint64)(unsafe.Pointer(&part[0])), len(part)/2) {
				seen |= (w & exponents) + one
			}
			if len(part)%2 == 0 && seen&carries == 0 {
				continue
			}
		}
		for i, v := range part {
			if v-v != 0 { // NaN for NaN and infinities, zero for all else
				return start + i
			}
		}
	}
	return -1
}
