package weights

import (
	"encoding/binary"
	"fmt"
	"math"
)

// Half returns a copy of the tensor with its elements rounded to float16, to nearest, ties
// to even. It halves the size of weights that are shipped. An element that float16 can't
// represent, above 65504 or not finite, is an error.
func (t *Tensor) Half() (*Tensor, error) {
	values, err := t.Float32s()
	if err != nil {
		return nil, err
	}
	data := make([]byte, 2*len(values))
	for i, v := range values {
		h := halfOf(v)
		if h&0x7C00 == 0x7C00 {
			return nil, fmt.Errorf("tensor %s has %v at index %d, which float16 can't represent", t.Name, v, i)
		}
		binary.LittleEndian.PutUint16(data[2*i:], h)
	}
	return &Tensor{Name: t.Name, DType: Float16, Shape: t.Shape, data: data}, nil
}

// halfOf rounds to the nearest IEEE 754 half, ties to even. Values that are too large
// become infinite.
func halfOf(v float32) uint16 {
	bits := math.Float32bits(v)
	sign := uint16(bits>>16) & 0x8000
	size := math.Float32frombits(bits &^ (1 << 31))
	switch {
	case size != size:
		return sign | 0x7E00
	case size >= 65520: // midway between the largest half and the next power of two
		return sign | 0x7C00
	case size < 1.0/(1<<14): // a subnormal half: a multiple of 2^-24, rounded by the addition
		return sign | uint16(math.Float32bits(size+0.5)-math.Float32bits(0.5))
	}
	// Rebias the exponent and round off the low 13 bits: up if they are above one half,
	// and also if they are exactly one half and the last remaining bit is odd.
	kept := math.Float32bits(size) - 112<<23
	kept += 0xFFF + kept>>13&1
	return sign | uint16(kept>>13)
}
