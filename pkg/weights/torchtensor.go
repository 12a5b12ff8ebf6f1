package weights

import (
	"fmt"
	"sync"
)

// torchReader makes tensors with bytes from descriptions of tensors.
type torchReader struct {
	// bytes returns the bytes of a storage's key.
	bytes func(key string) ([]byte, error)
	// check returns a function that verifies these bytes, or nil; check may be nil.
	check func(key string) func() error
	// budget is the memory that may still be used for tensors that aren't in
	// row-major order in the file (transposed, sliced, expanded) and are copied.
	budget int64
	// lazy makes such copies only when they are used.
	lazy bool
}

// newTorchReader returns a reader whose budget is a copy of the whole file and some more
// for expanded views. Without a limit, a small file with overlapping views could ask for
// any amount of memory.
func newTorchReader(fileSize int, bytes func(key string) ([]byte, error)) *torchReader {
	return &torchReader{bytes: bytes, budget: 2*int64(fileSize) + 64<<20}
}

// read checks a tensor against its storage and returns it, without a copy if its elements
// are in row-major order.
func (r *torchReader) read(name string, t *torchTensor) (*Tensor, error) {
	if t.problem != "" {
		return nil, fmt.Errorf("tensor %s %s", name, t.problem)
	}
	if t.dtype.dtype == Invalid {
		return nil, fmt.Errorf("tensor %s has elements of type %s, which aren't supported", name, t.dtype.name)
	}
	shape := make([]int, len(t.shape))
	for i, d := range t.shape {
		if shape[i] = int(d); d < 0 || int64(shape[i]) != d {
			return nil, fmt.Errorf("tensor %s: the shape %v isn't valid", name, t.shape)
		}
	}
	size, err := byteSize(shape, t.dtype.dtype)
	if err != nil {
		return nil, fmt.Errorf("tensor %s: %w", name, err)
	}
	out := &Tensor{Name: name, DType: t.dtype.dtype, Shape: shape, data: []byte{}}
	if size == 0 {
		return out, nil
	}
	data, err := r.storage(t)
	if err != nil {
		return nil, fmt.Errorf("tensor %s: %w", name, err)
	}
	if !t.inside(int64(len(data)) / t.dtype.size) {
		return nil, fmt.Errorf("tensor %s of shape %v, strides %v, reaches beyond its storage of %d bytes", name, t.shape, t.stride, len(data))
	}
	data = data[t.offset*t.dtype.size:]
	var check func() error
	if r.check != nil {
		check = r.check(t.storage.key)
	}
	if t.rowByRow() {
		out.data, out.check = data[:size:size], check
		return out, nil
	}
	if r.budget -= size; r.budget < 0 {
		return nil, fmt.Errorf("tensor %s needs %d bytes in row-major order, too many for this file: call contiguous() and clone() before torch.save", name, size)
	}
	gather := func() ([]byte, error) {
		if check != nil {
			if err := check(); err != nil {
				return nil, err
			}
		}
		return t.gather(make([]byte, 0, size), data), nil
	}
	if r.lazy {
		out.data, out.lazy = nil, sync.OnceValues(gather)
		return out, nil
	}
	if out.data, err = gather(); err != nil {
		return nil, fmt.Errorf("tensor %s: %w", name, err)
	}
	return out, nil
}

// storage returns the bytes of a tensor's storage.
func (r *torchReader) storage(t *torchTensor) ([]byte, error) {
	s := t.storage
	data, err := r.bytes(s.key)
	if err != nil {
		return nil, err
	}
	if have := int64(len(data)) / s.dtype.size; have < s.whole {
		return nil, fmt.Errorf("storage %.100s has %d elements of %s, but the file holds %d: truncated; download it again", s.key, s.whole, s.dtype.name, have)
	}
	from := s.first * s.dtype.size
	return data[from : from+s.count*s.dtype.size], nil
}

// inside reports whether every element is inside a storage of the given number of
// elements.
func (t *torchTensor) inside(elements int64) bool {
	last := t.offset // of the last element; no sum here can overflow
	if last < 0 || last >= elements {
		return false
	}
	for i, d := range t.shape {
		stride := t.stride[i]
		if stride < 0 || stride > 0 && d-1 > (elements-1-last)/stride {
			return false
		}
		last += (d - 1) * stride
	}
	return true
}

// rowByRow reports whether the elements are in row-major order without gaps.
func (t *torchTensor) rowByRow() bool {
	want := int64(1)
	for i := len(t.shape) - 1; i >= 0; i-- {
		if t.shape[i] != 1 && t.stride[i] != want {
			return false
		}
		want *= t.shape[i]
	}
	return true
}

// gather appends the elements to out in row-major order. The tensor must be inside data
// and not empty.
func (t *torchTensor) gather(out, data []byte) []byte {
	index := make([]int64, len(t.shape))
	last := len(t.shape) - 1
	run, step := t.shape[last], t.stride[last]*t.dtype.size
	at := int64(0) // of the row's first element, in bytes
	for {
		if step == t.dtype.size {
			out = append(out, data[at:at+run*step]...)
		} else {
			for i, p := int64(0), at; i < run; i, p = i+1, p+step {
				out = append(out, data[p:p+t.dtype.size]...)
			}
		}
		d := last - 1
		for ; d >= 0; d-- {
			at += t.stride[d] * t.dtype.size
			if index[d]++; index[d] < t.shape[d] {
				break
			}
			at -= t.shape[d] * t.stride[d] * t.dtype.size
			index[d] = 0
		}
		if d < 0 {
			return out
		}
	}
}
