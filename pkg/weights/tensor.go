// Package weights reads named tensors out of checkpoint files: safetensors,
// PyTorch, NumPy, ONNX. It knows files, not models.
package weights

import (
	"encoding/binary"
	"fmt"
	"math"
	"unsafe"
)

// DType is the type of a tensor's elements.
type DType uint8

// The element types that checkpoints use.
const (
	Invalid DType = iota
	Float32
	Float16
	BFloat16
	Float64
	Int64
	Int32
	Int16
	Int8
	Uint8
	Bool
)

var dtypes = [...]struct {
	name string
	size int
}{{"invalid", 0}, {"float32", 4}, {"float16", 2}, {"bfloat16", 2}, {"float64", 8}, {"int64", 8}, {"int32", 4}, {"int16", 2}, {"int8", 1}, {"uint8", 1}, {"bool", 1}}

// String returns the type's usual name, such as "float32".
func (d DType) String() string {
	if int(d) < len(dtypes) {
		return dtypes[d].name
	}
	return dtypes[Invalid].name
}

// Size returns the bytes of one element.
func (d DType) Size() int {
	if int(d) < len(dtypes) {
		return dtypes[d].size
	}
	return 0
}

// Tensor is a named array. Its elements lie row by row, little endian, without
// gaps; they may be the memory of a mapped file, which must not be written to.
type Tensor struct {
	Name   string
	DType  DType
	Shape  []int
	data   []byte
	mapped bool         // data is a file's mapping
	check  func() error // whether data is undamaged, nil if nothing tells

	late    func() ([]byte, error) // makes data when it is asked for, once; nil where it's there
	problem error                  // why there are no elements to be had

	offset int64 // of data in a safetensors file's body, while that is parsed
}

// NewTensor wraps float32 values, without a copy, as a tensor of the given
// shape. It panics if the shape doesn't hold exactly these values.
func NewTensor(name string, shape []int, data []float32) *Tensor {
	t := &Tensor{Name: name, DType: Float32, Shape: append([]int(nil), shape...)}
	if t.Len() != len(data) {
		panic(fmt.Sprintf("weights: %d values for tensor %s of shape %v", len(data), name, shape))
	}
	t.data = bytesOf(data)
	return t
}

// As is the same elements under another name and in another shape, without a copy.
// A shape of another number of elements is found out when they are read.
func (t *Tensor) As(name string, shape []int) *Tensor {
	other := *t
	other.Name, other.Shape = name, append([]int(nil), shape...)
	return &other
}

// Len returns the number of elements: the product of the shape, 1 for a scalar.
func (t *Tensor) Len() int {
	n := 1
	for _, d := range t.Shape {
		n *= d
	}
	return n
}

// Bytes returns the elements as they lie in memory. They may alias a read-only
// mapping of the file and are valid until the file is closed. Unlike the methods
// that return an error it doesn't compare them with a checksum. It is nil for a
// tensor whose elements can't be had ([Tensor.Err]).
func (t *Tensor) Bytes() []byte {
	if t.late != nil {
		data, err := t.late()
		if err != nil {
			return nil
		}
		return data
	}
	return t.data
}

// Err says why a tensor that is listed can't be read, nil if it can. Only
// [OpenAll] lists such tensors.
func (t *Tensor) Err() error { return t.problem }

// Forget takes the elements out of memory where they are a mapping of the file, as
// whoever has copied them may say. They stay valid, and are read again when used.
func (t *Tensor) Forget() {
	if t.mapped {
		dropPages(t.data)
	}
}

// Float32s returns the elements as float32: a view of the tensor's own memory
// when they are float32 and aligned, else converted (float64 is rounded). A
// tensor of integers or booleans is an error, and so are bytes that don't have the
// checksum which an archive (PyTorch's, .npz) notes of them.
func (t *Tensor) Float32s() ([]float32, error) {
	data, err := t.elements()
	if err != nil {
		return nil, err
	}
	n := t.Len()
	switch t.DType {
	case Float32:
		if n == 0 {
			return []float32{}, nil
		}
		if uintptr(unsafe.Pointer(&data[0]))%4 == 0 && littleEndian {
			return unsafe.Slice((*float32)(unsafe.Pointer(&data[0])), n), nil
		}
		return convert(data, n, 4, func(b []byte) float32 { return math.Float32frombits(binary.LittleEndian.Uint32(b)) }), nil
	case Float16:
		return convert(data, n, 2, func(b []byte) float32 { return float16(binary.LittleEndian.Uint16(b)) }), nil
	case BFloat16:
		return convert(data, n, 2, func(b []byte) float32 {
			return math.Float32frombits(uint32(binary.LittleEndian.Uint16(b)) << 16)
		}), nil
	case Float64:
		return convert(data, n, 8, func(b []byte) float32 {
			return float32(math.Float64frombits(binary.LittleEndian.Uint64(b)))
		}), nil
	}
	return nil, fmt.Errorf("tensor %s has elements of type %s, not floats", t.Name, t.DType)
}

// elements is the bytes, if there are as many as the exported fields say, which
// anybody may have set, and if they are undamaged.
func (t *Tensor) elements() ([]byte, error) {
	if t.problem != nil {
		return nil, t.problem
	}
	data := t.data
	if t.late != nil {
		var err error
		if data, err = t.late(); err != nil {
			return nil, fmt.Errorf("tensor %s: %w", t.Name, err)
		}
	}
	size, err := byteSize(t.Shape, t.DType)
	if err != nil {
		return nil, fmt.Errorf("tensor %s: %w", t.Name, err)
	}
	if int64(len(data)) != size {
		return nil, fmt.Errorf("tensor %s has %d bytes, its shape %v of %s needs %d", t.Name, len(data), t.Shape, t.DType, size)
	}
	if t.check != nil {
		if err := t.check(); err != nil {
			return nil, fmt.Errorf("tensor %s: %w", t.Name, err)
		}
	}
	return data, nil
}

func convert(data []byte, n, size int, one func([]byte) float32) []float32 {
	out := make([]float32, n)
	for i := range out {
		out[i] = one(data[i*size : i*size+size])
	}
	return out
}

// float16 converts an IEEE 754 half to float32, exactly.
func float16(h uint16) float32 {
	sign := uint32(h&0x8000) << 16
	exponent, fraction := uint32(h>>10)&0x1F, uint32(h)&0x3FF
	switch exponent {
	case 0: // zero or subnormal: fraction · 2^-24
		v := float32(fraction) * (1.0 / (1 << 24))
		return math.Float32frombits(sign | math.Float32bits(v))
	case 31: // infinity or NaN
		return math.Float32frombits(sign | 0x7F800000 | fraction<<13)
	}
	return math.Float32frombits(sign | (exponent+112)<<23 | fraction<<13)
}

var littleEndian = binary.NativeEndian.Uint16([]byte{1, 0}) == 1

// bytesOf views float32 values as little-endian bytes.
func bytesOf(data []float32) []byte {
	if len(data) == 0 {
		return []byte{}
	}
	if littleEndian {
		return unsafe.Slice((*byte)(unsafe.Pointer(&data[0])), 4*len(data))
	}
	out := make([]byte, 4*len(data))
	for i, v := range data {
		binary.LittleEndian.PutUint32(out[4*i:], math.Float32bits(v))
	}
	return out
}
