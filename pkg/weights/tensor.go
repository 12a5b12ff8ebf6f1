// Package weights reads named tensors from checkpoint files (safetensors, PyTorch, NumPy,
// ONNX) and writes safetensors and .npy files. It knows the file formats and treats every
// file as untrusted: nothing in it is executed, and a small file can't make it allocate
// much memory. It doesn't know models or what the tensors mean.
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

// Tensor is a named array. Its elements are in row-major order, little endian, without
// gaps. They may be in a mapped file and must not be written to.
type Tensor struct {
	Name   string
	DType  DType
	Shape  []int
	data   []byte
	mapped bool         // data is in a mapped file
	check  func() error // compares data with its checksum; nil if there is none

	lazy    func() ([]byte, error) // computes data on first use; nil if data is set
	problem error                  // why the elements can't be read

	offset int64 // of data in a safetensors file's body, during parsing
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

// As returns the same elements under another name and with another shape, without a copy.
// A shape with a different number of elements is an error when they are read.
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

// Bytes returns the bytes of the elements. They may alias a read-only mapping of the file
// and are valid until the file is closed. Unlike the methods that return an error, Bytes
// doesn't verify the checksum. It returns nil if the elements can't be read ([Tensor.Err]).
func (t *Tensor) Bytes() []byte {
	if t.lazy != nil {
		data, err := t.lazy()
		if err != nil {
			return nil
		}
		return data
	}
	return t.data
}

// Err says why the tensor can't be read; nil if it can. Only [OpenAll] lists tensors that
// can't be read.
func (t *Tensor) Err() error { return t.problem }

// Forget drops the elements from memory if they are in a mapped file. Call it after
// copying them. They stay valid and are read from the file again when used.
func (t *Tensor) Forget() {
	if t.mapped {
		dropPages(t.data)
	}
}

// Float32s returns the elements as float32: a view of the tensor's own memory if they are
// float32 and aligned, otherwise a converted copy (float64 is rounded). A tensor of
// integers or booleans is an error, and so are bytes that don't match their checksum in a
// PyTorch or .npz archive.
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

// elements returns the bytes after checking their number and their checksum. The exported
// fields may have been set by a caller, so the number of bytes may not match the shape.
func (t *Tensor) elements() ([]byte, error) {
	if t.problem != nil {
		return nil, t.problem
	}
	data := t.data
	if t.lazy != nil {
		var err error
		if data, err = t.lazy(); err != nil {
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
