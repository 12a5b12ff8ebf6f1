package weights

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"

	"gaze/internal/atomicfile"
)

var safetensorsDTypes = map[string]DType{
	"F32": Float32, "F16": Float16, "BF16": BFloat16, "F64": Float64, "I64": Int64,
	"I32": Int32, "I16": Int16, "I8": Int8, "U8": Uint8, "BOOL": Bool,
}

type safetensorsEntry struct {
	DType   string   `json:"dtype"`
	Shape   []int    `json:"shape"`
	Offsets [2]int64 `json:"data_offsets"`
}

// parseSafetensors reads the header of a safetensors file that is wholly in
// data and cuts the tensors out of it, without a copy.
func parseSafetensors(data []byte) (tensors []*Tensor, metadata map[string]string, err error) {
	if len(data) < 8 {
		return nil, nil, errors.New("truncated: no safetensors header")
	}
	n := binary.LittleEndian.Uint64(data)
	if n > uint64(len(data)-8) {
		return nil, nil, fmt.Errorf("truncated or not safetensors: the header claims %d bytes, %d follow; download the file again", n, len(data)-8)
	}
	body := data[8+n:]
	dec := json.NewDecoder(bytes.NewReader(data[8 : 8+n]))
	if tok, err := dec.Token(); err != nil || tok != json.Delim('{') {
		return nil, nil, errors.New("the safetensors header is not a JSON object")
	}
	seen := map[string]bool{}
	for dec.More() {
		tok, err := dec.Token()
		if err != nil {
			return nil, nil, fmt.Errorf("the safetensors header is broken: %w", err)
		}
		name, _ := tok.(string)
		if seen[name] {
			return nil, nil, fmt.Errorf("tensor %s is there twice", name)
		}
		seen[name] = true
		if name == "__metadata__" {
			if err := dec.Decode(&metadata); err != nil {
				return nil, nil, fmt.Errorf("the safetensors metadata is broken: %w", err)
			}
			continue
		}
		var e safetensorsEntry
		if err := dec.Decode(&e); err != nil {
			return nil, nil, fmt.Errorf("the safetensors entry of %s is broken: %w", name, err)
		}
		t, err := e.cut(name, body)
		if err != nil {
			return nil, nil, err
		}
		tensors = append(tensors, t)
	}
	return tensors, metadata, nil
}

// cut takes one tensor out of the data after the header.
func (e safetensorsEntry) cut(name string, body []byte) (*Tensor, error) {
	dtype, ok := safetensorsDTypes[e.DType]
	if !ok {
		return nil, fmt.Errorf("tensor %s has elements of type %s, which aren't supported", name, e.DType)
	}
	size, err := byteSize(e.Shape, dtype)
	if err != nil {
		return nil, fmt.Errorf("tensor %s: %w", name, err)
	}
	from, to := e.Offsets[0], e.Offsets[1]
	if from < 0 || to < from || to > int64(len(body)) {
		return nil, fmt.Errorf("tensor %s lies at bytes %d to %d, the file has %d: truncated; download it again", name, from, to, len(body))
	}
	if to-from != size {
		return nil, fmt.Errorf("tensor %s takes %d bytes, its shape %v of %s needs %d", name, to-from, e.Shape, dtype, size)
	}
	return &Tensor{Name: name, DType: dtype, Shape: e.Shape, data: body[from:to:to]}, nil
}

// byteSize returns the bytes of a tensor, or an error for a shape that can't be.
func byteSize(shape []int, dtype DType) (int64, error) {
	size := int64(dtype.Size())
	for _, d := range shape {
		if d < 0 || d > 0 && size > math.MaxInt64/int64(d) {
			return 0, fmt.Errorf("the shape %v can't be", shape)
		}
		size *= int64(d)
	}
	return size, nil
}

// WriteSafetensors writes tensors in the given order, each aligned to 64 bytes
// within the file as far as the format allows, whole or not at all.
func WriteSafetensors(path string, tensors []*Tensor, metadata map[string]string) error {
	header := map[string]any{}
	if len(metadata) > 0 {
		header["__metadata__"] = metadata
	}
	var names []string
	for name := range safetensorsDTypes {
		names = append(names, name)
	}
	slices.Sort(names)
	offset := int64(0)
	for _, t := range tensors {
		if _, twice := header[t.Name]; twice {
			return fmt.Errorf("tensor %s is given twice", t.Name)
		}
		i := slices.IndexFunc(names, func(n string) bool { return safetensorsDTypes[n] == t.DType })
		if i < 0 {
			return fmt.Errorf("tensor %s has elements of type %s, which can't be written", t.Name, t.DType)
		}
		size := int64(len(t.data))
		header[t.Name] = safetensorsEntry{DType: names[i], Shape: append([]int{}, t.Shape...), Offsets: [2]int64{offset, offset + size}}
		offset += size
	}
	text, err := json.Marshal(header)
	if err != nil {
		return err
	}
	for (len(text)+8)%64 != 0 {
		text = append(text, ' ')
	}
	return atomicfile.Write(path, func(w io.Writer) error {
		if err := binary.Write(w, binary.LittleEndian, uint64(len(text))); err != nil {
			return err
		}
		if _, err := w.Write(text); err != nil {
			return err
		}
		for _, t := range tensors {
			if _, err := w.Write(t.data); err != nil {
				return err
			}
		}
		return nil
	})
}
