package weights

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"unicode/utf8"

	"gaze/internal/atomicfile"
)

var safetensorsDTypes = map[string]DType{
	"F32": Float32, "F16": Float16, "BF16": BFloat16, "F64": Float64, "I64": Int64,
	"I32": Int32, "I16": Int16, "I8": Int8, "U8": Uint8, "BOOL": Bool,
}

// safetensorsUnread are the bytes of an element of the other types that the format
// has. Tensors of these may lie beside the weights.
var safetensorsUnread = map[string]int64{
	"F8_E4M3": 1, "F8_E5M2": 1, "F8_E8M0": 1, "F8_E4M3FNUZ": 1, "F8_E5M2FNUZ": 1, "U16": 2, "U32": 4, "U64": 8, "C64": 8,
}

type safetensorsEntry struct {
	DType   string  `json:"dtype"`
	Shape   []int   `json:"shape"`
	Offsets []int64 `json:"data_offsets"`
}

// maxSafetensorsHeader is the format's own limit.
const maxSafetensorsHeader = 100_000_000

// metadataKey is the only name in the header that isn't a tensor.
const metadataKey = "__metadata__"

// parseSafetensors parses a whole safetensors file and returns its tensors without
// a copy. Like the format's own library, it refuses files in which tensors share
// data or some data belongs to no tensor.
func parseSafetensors(data []byte) (tensors []*Tensor, metadata map[string]string, err error) {
	if len(data) < 8 {
		return nil, nil, errors.New("truncated: no safetensors header; download it again")
	}
	n := binary.LittleEndian.Uint64(data)
	if n > uint64(len(data)-8) || n > maxSafetensorsHeader {
		return nil, nil, fmt.Errorf("truncated or not safetensors: the header's length is given as %d bytes, but %d follow; download it again", n, len(data)-8)
	}
	body := data[8+n:]
	err = eachEntry(data[8:8+n], func(name string, dec *json.Decoder) error {
		if name == metadataKey {
			return dec.Decode(&metadata)
		}
		var e safetensorsEntry
		if err := dec.Decode(&e); err != nil {
			return err
		}
		t, err := e.cut(name, body)
		tensors = append(tensors, t)
		return err
	})
	if err != nil {
		return nil, nil, err
	}
	return tensors, metadata, checkCover(tensors, body)
}

// eachEntry visits the members of a JSON object in order. Names must be unique, and only
// white space may follow the object.
func eachEntry(object []byte, visit func(name string, dec *json.Decoder) error) error {
	dec := json.NewDecoder(bytes.NewReader(object))
	if tok, err := dec.Token(); err != nil || tok != json.Delim('{') {
		return errors.New("the safetensors header is not a JSON object")
	}
	seen := map[string]bool{}
	for dec.More() {
		tok, err := dec.Token()
		if err != nil {
			return fmt.Errorf("the safetensors header is broken: %w", err)
		}
		name, _ := tok.(string) // Token fails if a member doesn't begin with a string
		if seen[name] {
			return fmt.Errorf("two tensors are called %s", name)
		}
		seen[name] = true
		if err := visit(name, dec); err != nil {
			return fmt.Errorf("the safetensors header at %s: %w", name, err)
		}
	}
	if _, err := dec.Token(); err != nil {
		return fmt.Errorf("the safetensors header is broken: %w", err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return errors.New("the safetensors header has data after its JSON object")
	}
	return nil
}

// checkCover checks that the tensors are contiguous and that no bytes are left over.
func checkCover(tensors []*Tensor, body []byte) error {
	sorted := slices.Clone(tensors)
	slices.SortStableFunc(sorted, func(a, b *Tensor) int { // empty tensors share their offset with another
		return cmp.Or(cmp.Compare(a.offset, b.offset), cmp.Compare(len(a.data), len(b.data)))
	})
	next := int64(0)
	for _, t := range sorted {
		if t.offset != next {
			return fmt.Errorf("tensor %s begins at byte %d instead of %d: the header is broken", t.Name, t.offset, next)
		}
		next += int64(len(t.data))
	}
	if next != int64(len(body)) {
		return fmt.Errorf("%d bytes belong to no tensor: the header is broken", int64(len(body))-next)
	}
	return nil
}

// cut returns one tensor of the data after the header.
func (e safetensorsEntry) cut(name string, body []byte) (*Tensor, error) {
	if e.DType == "" || e.Shape == nil || len(e.Offsets) != 2 {
		return nil, fmt.Errorf("tensor %s lacks a dtype, a shape or two data_offsets", name)
	}
	dtype, ok := safetensorsDTypes[e.DType]
	bytes, isUnread := safetensorsUnread[e.DType]
	var problem error
	if ok {
		bytes = int64(dtype.Size())
	} else if problem = fmt.Errorf("tensor %s has elements of type %s, which aren't supported", name, e.DType); !isUnread {
		return nil, problem
	}
	size, err := sizeOf(e.Shape, bytes)
	if err != nil {
		return nil, fmt.Errorf("tensor %s: %w", name, err)
	}
	from, to := e.Offsets[0], e.Offsets[1]
	if from < 0 || to < from || to > int64(len(body)) {
		return nil, fmt.Errorf("tensor %s is at bytes %d to %d, but the file has %d: truncated; download it again", name, from, to, len(body))
	}
	if to-from != size {
		return nil, fmt.Errorf("tensor %s has %d bytes, but its shape %v of %s needs %d", name, to-from, e.Shape, e.DType, size)
	}
	return &Tensor{Name: name, DType: dtype, Shape: e.Shape, data: body[from:to:to], offset: from, problem: problem}, nil
}

// byteSize returns the number of bytes of a tensor, or an error if the shape is invalid.
func byteSize(shape []int, dtype DType) (int64, error) { return sizeOf(shape, int64(dtype.Size())) }

// sizeOf is byteSize for elements of the given size.
func sizeOf(shape []int, size int64) (int64, error) {
	for _, d := range shape {
		if d < 0 || d > 0 && size > math.MaxInt64/int64(d) {
			return 0, fmt.Errorf("the shape %v isn't valid", shape)
		}
		size *= int64(d)
	}
	return size, nil
}

// WriteSafetensors writes tensors in the given order. On an error no partial file is left.
// The values begin at a multiple of 64 bytes, and each tensor at a multiple of its
// element size unless a tensor with smaller elements comes before it.
func WriteSafetensors(path string, tensors []*Tensor, metadata map[string]string) error {
	header, err := safetensorsHeader(tensors, metadata)
	if err != nil {
		return err
	}
	return atomicfile.Write(path, func(w io.Writer) error {
		if err := binary.Write(w, binary.LittleEndian, uint64(len(header))); err != nil {
			return err
		}
		if _, err := w.Write(header); err != nil {
			return err
		}
		for _, t := range tensors {
			data, err := t.elements()
			if err != nil {
				return err
			}
			if _, err := w.Write(data); err != nil {
				return err
			}
		}
		return nil
	})
}

// safetensorsHeader returns the JSON header, with members in the tensors' order, padded
// with spaces.
func safetensorsHeader(tensors []*Tensor, metadata map[string]string) ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	member := func(name string, value any) error {
		key, err := json.Marshal(name)
		if err != nil {
			return err
		}
		text, err := json.Marshal(value)
		if err != nil {
			return err
		}
		if b.Len() > 1 {
			b.WriteByte(',')
		}
		b.Write(key)
		b.WriteByte(':')
		b.Write(text)
		return nil
	}
	if len(metadata) > 0 {
		if err := member(metadataKey, metadata); err != nil {
			return nil, err
		}
	}
	seen := map[string]bool{metadataKey: true}
	offset := int64(0)
	for _, t := range tensors {
		if seen[t.Name] {
			return nil, fmt.Errorf("two tensors called %s can't be written to one file", t.Name)
		}
		seen[t.Name] = true
		if !utf8.ValidString(t.Name) {
			return nil, fmt.Errorf("a tensor called %q can't be written: the name isn't UTF-8", t.Name)
		}
		dtype := ""
		for name, d := range safetensorsDTypes {
			if d == t.DType {
				dtype = name
			}
		}
		if dtype == "" {
			return nil, fmt.Errorf("tensor %s has elements of type %s, which can't be written", t.Name, t.DType)
		}
		data, err := t.elements()
		if err != nil {
			return nil, err
		}
		end := offset + int64(len(data))
		e := safetensorsEntry{DType: dtype, Shape: append([]int{}, t.Shape...), Offsets: []int64{offset, end}}
		if err := member(t.Name, e); err != nil {
			return nil, err
		}
		offset = end
	}
	b.WriteByte('}')
	for (b.Len()+8)%64 != 0 {
		b.WriteByte(' ')
	}
	return b.Bytes(), nil
}
