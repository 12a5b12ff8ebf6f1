package hub

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"google.golang.org/protobuf/encoding/protowire"
)

// onnxGraph is as much of an ONNX file as it takes to find weights by their
// place in the graph: the exporter renames some of them to onnx::MatMul_123.
type onnxGraph struct {
	nodes   []onnxNode
	tensors map[string]onnxTensor
}

type onnxNode struct {
	op      string
	in, out []string
}

// onnxTensor is a float32 initialiser; raw aliases the file's bytes.
type onnxTensor struct {
	shape []int
	raw   []byte
}

// floats decodes the values.
func (t onnxTensor) floats() []float32 {
	out := make([]float32, len(t.raw)/4)
	for i := range out {
		out[i] = math.Float32frombits(binary.LittleEndian.Uint32(t.raw[4*i:]))
	}
	return out
}

// Field numbers of onnx.proto.
const (
	modelGraph       = 7
	graphNode        = 1
	graphInitializer = 5
	nodeInput        = 1
	nodeOutput       = 2
	nodeOpType       = 4
	tensorDims       = 1
	tensorDataType   = 2
	tensorName       = 8
	tensorRawData    = 9
	onnxFloat        = 1
)

// protoField is one field of a message: a varint, or bytes.
type protoField struct {
	number protowire.Number
	varint uint64
	bytes  []byte
}

// fields calls each for the varint and bytes fields of a message.
func fields(msg []byte, each func(protoField) error) error {
	for len(msg) > 0 {
		number, kind, n := protowire.ConsumeTag(msg)
		if n < 0 {
			return protowire.ParseError(n)
		}
		msg = msg[n:]
		f := protoField{number: number}
		switch kind {
		case protowire.VarintType:
			f.varint, n = protowire.ConsumeVarint(msg)
		case protowire.BytesType:
			f.bytes, n = protowire.ConsumeBytes(msg)
		default:
			n = protowire.ConsumeFieldValue(number, kind, msg)
		}
		if n < 0 {
			return protowire.ParseError(n)
		}
		msg = msg[n:]
		if err := each(f); err != nil {
			return err
		}
	}
	return nil
}

// parseONNX reads the graph of a model. Initialisers of other types than
// float32, or with their values outside raw_data, are left out.
func parseONNX(data []byte) (*onnxGraph, error) {
	g := &onnxGraph{tensors: map[string]onnxTensor{}}
	seen := false
	err := fields(data, func(f protoField) error {
		if f.number != modelGraph {
			return nil
		}
		seen = true
		return fields(f.bytes, func(f protoField) error {
			switch f.number {
			case graphNode:
				return g.addNode(f.bytes)
			case graphInitializer:
				return g.addTensor(f.bytes)
			}
			return nil
		})
	})
	if err != nil {
		return nil, fmt.Errorf("not a readable ONNX file: %w", err)
	}
	if !seen {
		return nil, errors.New("not an ONNX file: it has no graph")
	}
	return g, nil
}

func (g *onnxGraph) addNode(msg []byte) error {
	var n onnxNode
	err := fields(msg, func(f protoField) error {
		switch f.number {
		case nodeInput:
			n.in = append(n.in, string(f.bytes))
		case nodeOutput:
			n.out = append(n.out, string(f.bytes))
		case nodeOpType:
			n.op = string(f.bytes)
		}
		return nil
	})
	g.nodes = append(g.nodes, n)
	return err
}

func (g *onnxGraph) addTensor(msg []byte) error {
	var (
		t    onnxTensor
		name string
		kind uint64
	)
	err := fields(msg, func(f protoField) error {
		switch f.number {
		case tensorDims: // packed or one by one
			if f.bytes == nil {
				t.shape = append(t.shape, int(f.varint))
			}
			for rest := f.bytes; len(rest) > 0; {
				v, n := protowire.ConsumeVarint(rest)
				if n < 0 {
					return protowire.ParseError(n)
				}
				t.shape, rest = append(t.shape, int(v)), rest[n:]
			}
		case tensorDataType:
			kind = f.varint
		case tensorName:
			name = string(f.bytes)
		case tensorRawData:
			t.raw = f.bytes
		}
		return nil
	})
	if err != nil || kind != onnxFloat || t.raw == nil {
		return err
	}
	left := len(t.raw) / 4
	for _, d := range t.shape {
		if d <= 0 || left%d != 0 {
			return fmt.Errorf("initialiser %q: %d bytes don't make shape %v", name, len(t.raw), t.shape)
		}
		left /= d
	}
	if left != 1 || len(t.raw)%4 != 0 {
		return fmt.Errorf("initialiser %q: %d bytes don't make shape %v", name, len(t.raw), t.shape)
	}
	g.tensors[name] = t
	return nil
}
