package weights

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
)

// npyDType maps NumPy's type descriptions to element types. google-research writes
// bfloat16 as void of two bytes (V2).
var npyDTypes = map[string]DType{
	"f4": Float32, "f2": Float16, "f8": Float64, "i8": Int64, "i4": Int32,
	"i2": Int16, "i1": Int8, "u1": Uint8, "b1": Bool, "V2": BFloat16,
}

// npyHeader is the header of a .npy file.
type npyHeader struct {
	dtype   DType
	big     bool // big endian
	fortran bool // the first index varies fastest
	shape   []int
	size    int64 // bytes of the values
}

// maxNPYHeader is the largest header in bytes; a header has little more than a shape.
const maxNPYHeader = 1 << 16

// maxNPYDims is NumPy's limit on the dimensions of an array.
const maxNPYDims = 64

var (
	errNotNPY = errors.New("not a .npy file")
	npyDescr  = regexp.MustCompile(`'descr':\s*'([<>=|]?)([a-zA-Z]\d+)'`)
	npyOrder  = regexp.MustCompile(`'fortran_order':\s*(True|False)`)
	// Texts, objects, dates and records: data that is no tensor.
	npyPassive = regexp.MustCompile(`'descr':\s*(?:'[<>=|]?(?:[OUSMma]\d*(?:\[[^'\]]*\])?|V\d+)'|\[)`)
	npyShape   = regexp.MustCompile(`'shape':\s*\(([\d,\sL]*)\)`)
)

// npyPrefix returns the offset and length of the header's text in a .npy file. data has
// at least the first 12 bytes, or the whole file if that is shorter.
func npyPrefix(data []byte) (start, length int, err error) {
	if len(data) < 10 || !bytes.HasPrefix(data, []byte("\x93NUMPY")) {
		return 0, 0, errNotNPY
	}
	switch data[6] {
	case 1:
		return 10, int(binary.LittleEndian.Uint16(data[8:])), nil
	case 2, 3:
		if len(data) < 12 {
			return 0, 0, errNotNPY
		}
		if n := binary.LittleEndian.Uint32(data[8:]); n <= maxNPYHeader {
			return 12, int(n), nil
		}
		return 0, 0, errors.New("the .npy header's length is too large to be true")
	}
	return 0, 0, fmt.Errorf(".npy version %d isn't supported", data[6])
}

// npyUnread is the error for a valid array of a type that isn't read.
type npyUnread struct {
	error
	passive bool // it holds no numbers
}

// parseNPYHeader parses the header's text, a Python dictionary.
func parseNPYHeader(text []byte) (npyHeader, error) {
	var h npyHeader
	descr, order, shape := npyDescr.FindSubmatch(text), npyOrder.FindSubmatch(text), npyShape.FindSubmatch(text)
	known := descr != nil
	if known {
		_, known = npyDTypes[string(descr[2])]
	}
	if !known && npyPassive.Match(text) {
		return h, &npyUnread{fmt.Errorf("the .npy header %.80q can't be read: only plain arrays of numbers are", text), true}
	}
	if descr == nil || order == nil || shape == nil {
		return h, fmt.Errorf("the .npy header %.80q can't be read: only plain arrays of numbers are supported", text)
	}
	dtype, ok := npyDTypes[string(descr[2])]
	if !ok {
		return h, &npyUnread{fmt.Errorf("elements of type %q aren't supported", descr[2]), false}
	}
	h.dtype, h.big, h.fortran = dtype, string(descr[1]) == ">" && dtype.Size() > 1, string(order[1]) == "True"
	for _, d := range strings.Split(string(shape[1]), ",") {
		if d = strings.TrimRight(strings.TrimSpace(d), "L"); d == "" {
			continue
		}
		n, err := strconv.ParseInt(d, 10, 64)
		if err != nil || n > math.MaxInt32 {
			return h, fmt.Errorf("%s isn't a valid dimension", d)
		}
		if len(h.shape) == maxNPYDims {
			return h, fmt.Errorf("more than %d dimensions", maxNPYDims)
		}
		h.shape = append(h.shape, int(n))
	}
	size, err := byteSize(h.shape, dtype)
	h.size = size
	return h, err
}

// tensor returns the values as a tensor. Their number must match the header. They are
// copied only if their order must change.
func (h npyHeader) tensor(name string, values []byte) (*Tensor, error) {
	if int64(len(values)) != h.size {
		return nil, fmt.Errorf("%d bytes of values, but the shape %v of %s needs %d: truncated; download it again", len(values), h.shape, h.dtype, h.size)
	}
	if h.big {
		values = swapped(values, h.dtype.Size())
	}
	if h.fortran && len(h.shape) > 1 {
		values = rowMajor(values, h.shape, h.dtype.Size())
	}
	return &Tensor{Name: name, DType: h.dtype, Shape: h.shape, data: values}, nil
}

// swapped reverses the bytes of each element.
func swapped(data []byte, size int) []byte {
	out := make([]byte, len(data))
	for i := 0; i < len(data); i += size {
		for j := range size {
			out[i+j] = data[i+size-1-j]
		}
	}
	return out
}

// rowMajor converts values from column-major to row-major order.
func rowMajor(data []byte, shape []int, size int) []byte {
	out := make([]byte, len(data))
	index := make([]int, len(shape))
	for to := 0; to < len(data); to += size {
		from, stride := 0, size
		for axis, i := range index {
			from += i * stride
			stride *= shape[axis]
		}
		copy(out[to:to+size], data[from:from+size])
		for axis := len(shape) - 1; axis >= 0; axis-- {
			if index[axis]++; index[axis] < shape[axis] {
				break
			}
			index[axis] = 0
		}
	}
	return out
}

// parseNPY parses a whole .npy file.
func parseNPY(name string, data []byte) (*Tensor, error) {
	start, length, err := npyPrefix(data)
	if err != nil {
		return nil, err
	}
	if start+length > len(data) {
		return nil, errors.New("truncated: the .npy header is cut off")
	}
	h, err := parseNPYHeader(data[start : start+length])
	if err != nil {
		return nil, err
	}
	return h.tensor(name, data[start+length:])
}
