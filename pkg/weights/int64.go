package weights

import (
	"encoding/binary"
	"fmt"
)

// NewInt64s returns a one-dimensional int64 tensor.
func NewInt64s(name string, values []int64) *Tensor {
	t := &Tensor{Name: name, DType: Int64, Shape: []int{len(values)}, data: make([]byte, 8*len(values))}
	for i, v := range values {
		binary.LittleEndian.PutUint64(t.data[8*i:], uint64(v))
	}
	return t
}

// Int64s returns a copy of the elements of a tensor of type int64; any other
// type is an error.
func (t *Tensor) Int64s() ([]int64, error) {
	if t.DType != Int64 {
		return nil, fmt.Errorf("tensor %s has elements of type %s, not %s", t.Name, t.DType, Int64)
	}
	data, err := t.elements()
	if err != nil {
		return nil, err
	}
	values := make([]int64, t.Len())
	for i := range values {
		values[i] = int64(binary.LittleEndian.Uint64(data[8*i:]))
	}
	return values, nil
}
