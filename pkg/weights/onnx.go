package weights

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"strconv"
	"strings"

	"google.golang.org/protobuf/encoding/protowire"
)

// Field numbers of onnx.proto.
const (
	onnxModelGraph       = 7
	onnxGraphNode        = 1
	onnxGraphInitializer = 5
	onnxGraphOutput      = 12
	onnxGraphMetadata    = 16
	onnxTensorDims       = 1
	onnxTensorType       = 2
	onnxTensorFloats     = 4
	onnxTensorInt32s     = 5
	onnxTensorInt64s     = 7
	onnxTensorName       = 8
	onnxTensorRaw        = 9
	onnxTensorDoubles    = 10
	onnxTensorExternal   = 13
	onnxTensorLocation   = 14
	onnxExternalLocation = 1 // of data_location: the values are in another file
	onnxKeyField         = 1 // of a key-value pair of strings
	onnxValueField       = 2
)

var onnxDTypes = map[uint64]DType{
	1: Float32, 2: Uint8, 3: Int8, 5: Int16, 6: Int32, 7: Int64, 9: Bool, 10: Float16, 11: Float64, 16: BFloat16,
}

// onnxOutside returns the bytes of an external data file in the model's folder.
type onnxOutside func(name string) ([]byte, error)

// parseONNX reads the initialisers (the weights) of an ONNX model's graph, and the graph.
// outside reads external data files. The tensors have the names they had in the exported
// model, as far as the graph tells them ([ONNXGraph.named]).
func parseONNX(data []byte, outside onnxOutside) ([]*Tensor, *ONNXGraph, error) {
	g := &ONNXGraph{constants: map[string]*Tensor{}}
	err := eachField(data, func(field protowire.Number, value []byte, _ uint64) error {
		if field != onnxModelGraph || value == nil {
			return nil
		}
		return g.parse(value, outside)
	})
	if err != nil {
		return nil, nil, err
	}
	if len(g.order) == 0 {
		return nil, nil, errors.New("an ONNX file without weights (initialisers)")
	}
	if err := g.refuseRewritten(); err != nil {
		return nil, nil, err
	}
	tensors, err := g.named()
	return tensors, g, err
}

// eachField calls visit for every field of a message. value has the bytes of a
// length-delimited field (and is then not nil), number the value of any other field.
func eachField(message []byte, visit func(field protowire.Number, value []byte, number uint64) error) error {
	for len(message) > 0 {
		field, kind, n := protowire.ConsumeTag(message)
		if n < 0 {
			return errBrokenONNX
		}
		message = message[n:]
		var value []byte
		var number uint64
		switch kind {
		case protowire.BytesType:
			value, n = protowire.ConsumeBytes(message)
			if n >= 0 && value == nil {
				value = []byte{}
			}
		case protowire.VarintType:
			number, n = protowire.ConsumeVarint(message)
		case protowire.Fixed32Type:
			var v uint32
			v, n = protowire.ConsumeFixed32(message)
			number = uint64(v)
		case protowire.Fixed64Type:
			number, n = protowire.ConsumeFixed64(message)
		default:
			return errBrokenONNX
		}
		if n < 0 {
			return errBrokenONNX
		}
		message = message[n:]
		if err := visit(field, value, number); err != nil {
			return err
		}
	}
	return nil
}

var errBrokenONNX = errors.New("the ONNX file is truncated or broken: download it again")

// onnxTensor has the fields of a TensorProto.
type onnxTensor struct {
	name             string
	dims             []int
	dtype            uint64
	raw              []byte
	typed            []byte           // values of float_data or a similar field, little endian
	typedIn          protowire.Number // the field that has them
	hasRaw, external bool
	location         map[string]string
	wrong            error // the dimension that isn't one
}

func parseONNXTensor(message []byte, outside onnxOutside) (*Tensor, error) {
	var p onnxTensor
	err := eachField(message, p.take)
	if err == nil {
		err = p.wrong
	}
	if err != nil {
		return nil, fmt.Errorf("tensor %s: %w", p.name, err)
	}
	dtype, ok := onnxDTypes[p.dtype]
	if !ok {
		return nil, fmt.Errorf("tensor %s has elements of ONNX type %d, which isn't supported", p.name, p.dtype)
	}
	size, err := byteSize(p.dims, dtype)
	if err != nil {
		return nil, fmt.Errorf("tensor %s: %w", p.name, err)
	}
	t := &Tensor{Name: p.name, DType: dtype, Shape: p.dims}
	switch {
	case p.external:
		t.data, err = p.cutOutside(outside, size)
	case p.hasRaw:
		t.data = p.raw
	default:
		t.data, err = p.values(dtype)
	}
	if err != nil {
		return nil, fmt.Errorf("tensor %s: %w", p.name, err)
	}
	if int64(len(t.data)) != size {
		return nil, fmt.Errorf("tensor %s has %d bytes, but its shape %v of %s needs %d: truncated; download it again", p.name, len(t.data), p.dims, dtype, size)
	}
	return t, nil
}

// take stores one field.
func (p *onnxTensor) take(field protowire.Number, value []byte, number uint64) error {
	switch field {
	case onnxTensorDims:
		return eachVarint(value, number, func(v uint64) error {
			if v > math.MaxInt32 {
				p.wrong = fmt.Errorf("%d isn't a valid dimension", int64(v)) // the name may come later
				return nil
			}
			p.dims = append(p.dims, int(v))
			return nil
		})
	case onnxTensorType:
		p.dtype = number
	case onnxTensorName:
		p.name = string(value)
	case onnxTensorRaw:
		p.raw, p.hasRaw = value, true
	case onnxTensorFloats, onnxTensorDoubles, onnxTensorInt32s, onnxTensorInt64s:
		return p.takeTyped(field, value, number)
	case onnxTensorLocation:
		p.external = number == onnxExternalLocation
	case onnxTensorExternal:
		return p.takeLocation(value)
	}
	return nil
}

func (p *onnxTensor) takeLocation(entry []byte) error {
	key, val, err := onnxPair(entry)
	if p.location == nil {
		p.location = map[string]string{}
	}
	p.location[key] = val
	return err
}

// onnxPair parses a message with a key and a value.
func onnxPair(entry []byte) (key, val string, err error) {
	err = eachField(entry, func(field protowire.Number, value []byte, _ uint64) error {
		switch field {
		case onnxKeyField:
			key = string(value)
		case onnxValueField:
			val = string(value)
		}
		return nil
	})
	return key, val, err
}

// eachVarint visits the numbers of a repeated field, packed or not.
func eachVarint(packed []byte, single uint64, visit func(uint64) error) error {
	if packed == nil {
		return visit(single)
	}
	for len(packed) > 0 {
		v, n := protowire.ConsumeVarint(packed)
		if n < 0 {
			return errBrokenONNX
		}
		if err := visit(v); err != nil {
			return err
		}
		packed = packed[n:]
	}
	return nil
}

// takeTyped stores values of one of the typed fields: floats as they are in the file,
// integers in 64 bits.
func (p *onnxTensor) takeTyped(field protowire.Number, value []byte, number uint64) error {
	if p.typedIn != 0 && p.typedIn != field {
		return errors.New("it has values in two fields of different types: the ONNX file is broken")
	}
	p.typedIn = field
	switch {
	case field == onnxTensorInt32s || field == onnxTensorInt64s:
		return eachVarint(value, number, func(v uint64) error {
			if field == onnxTensorInt32s {
				v = uint64(int32(v)) // the field's type has 32 bits
			}
			p.typed = binary.LittleEndian.AppendUint64(p.typed, v)
			return nil
		})
	case value != nil:
		p.typed = append(p.typed, value...)
	case field == onnxTensorFloats:
		p.typed = binary.LittleEndian.AppendUint32(p.typed, uint32(number))
	default:
		p.typed = binary.LittleEndian.AppendUint64(p.typed, number)
	}
	return nil
}

// typedField returns the field that has the values of a type.
func typedField(dtype DType) protowire.Number {
	switch dtype {
	case Float32:
		return onnxTensorFloats
	case Float64:
		return onnxTensorDoubles
	case Int64:
		return onnxTensorInt64s
	}
	return onnxTensorInt32s
}

// values converts the typed field's values to the element type. Half floats are stored as
// integers with their bits.
func (p *onnxTensor) values(dtype DType) ([]byte, error) {
	if p.typedIn != 0 && p.typedIn != typedField(dtype) {
		return nil, fmt.Errorf("its values aren't in the field for type %s: the ONNX file is broken", dtype)
	}
	if dtype == Float32 || dtype == Float64 || dtype == Int64 {
		return p.typed, nil
	}
	bits := 8 * dtype.Size()
	low, high := int64(0), int64(1)<<bits-1
	if dtype == Int32 || dtype == Int16 || dtype == Int8 {
		low, high = -1<<(bits-1), 1<<(bits-1)-1
	}
	out := make([]byte, 0, len(p.typed)/8*dtype.Size())
	for i := 0; i < len(p.typed); i += 8 {
		if v := int64(binary.LittleEndian.Uint64(p.typed[i:])); v < low || v > high {
			return nil, fmt.Errorf("the value %d doesn't fit type %s: the ONNX file is broken", v, dtype)
		}
		out = append(out, p.typed[i:i+dtype.Size()]...)
	}
	return out, nil
}

// cutOutside returns the values in an external data file, without a copy.
func (p *onnxTensor) cutOutside(outside onnxOutside, size int64) ([]byte, error) {
	name := filepath.FromSlash(p.location["location"])
	if !filepath.IsLocal(name) || strings.ContainsRune(name, 0) {
		return nil, fmt.Errorf("its values are in %q, but must be in the model's folder", name)
	}
	number := func(key string, missing int64) (int64, error) {
		text := p.location[key]
		if text == "" {
			return missing, nil
		}
		v, err := strconv.ParseInt(text, 10, 64)
		if err != nil || v < 0 {
			return 0, fmt.Errorf("the %s of its values in %s is %q, which isn't valid", key, name, text)
		}
		return v, nil
	}
	offset, err := number("offset", 0)
	if err != nil {
		return nil, err
	}
	length, err := number("length", size)
	if err != nil {
		return nil, err
	}
	if length != size {
		return nil, fmt.Errorf("its length in %[2]s is given as %[1]d bytes, but its shape %[3]v needs %[4]d", length, name, p.dims, size)
	}
	data, err := outside(filepath.Clean(name))
	if err != nil {
		return nil, fmt.Errorf("its values are in the external data file %s: %w", name, err)
	}
	if all := int64(len(data)); offset > all || size > all-offset {
		return nil, fmt.Errorf("%s has %d bytes, but %d from byte %d on are needed: truncated; download it again", name, all, size, offset)
	}
	return data[offset : offset+size : offset+size], nil
}
