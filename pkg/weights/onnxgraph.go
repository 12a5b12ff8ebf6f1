package weights

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"

	"google.golang.org/protobuf/encoding/protowire"
)

// ONNXGraph is the part of an ONNX model's graph that is needed to recognise its
// constants, because exporters rename, transpose and merge weights.
type ONNXGraph struct {
	Nodes []ONNXNode // in the file's order, which is the order of execution

	order     []string // of the initialisers
	outputs   []string // the model's outputs
	constants map[string]*Tensor
	signature []onnxParameter // the model's parameters, recorded by PyTorch's newer exporter
}

// ONNXNode is one operation.
type ONNXNode struct {
	Op              string
	Name            string
	Inputs, Outputs []string

	domain     string
	transposeB bool   // of Gemm: its second operand is [out, in]
	scopes     string // the modules around it, recorded by the newer exporter
	source     string // the PyTorch operation it was made from, recorded by the newer exporter
}

// onnxParameter is a parameter of the exported model.
type onnxParameter struct{ short, name string }

// Constant returns an initialiser unchanged, by its name in the file.
func (g *ONNXGraph) Constant(name string) (*Tensor, bool) {
	t, ok := g.constants[name]
	return t, ok
}

// Field numbers of NodeProto and AttributeProto.
const (
	onnxNodeInput     = 1
	onnxNodeOutput    = 2
	onnxNodeName      = 3
	onnxNodeOp        = 4
	onnxNodeAttribute = 5
	onnxNodeDomain    = 7
	onnxNodeMetadata  = 9
	onnxAttributeName = 1
	onnxAttributeInt  = 3
	onnxValueName     = 1 // of ValueInfoProto
)

func (g *ONNXGraph) parse(message []byte, outside onnxOutside) error {
	return eachField(message, func(field protowire.Number, value []byte, _ uint64) error {
		if value == nil {
			return nil
		}
		switch field {
		case onnxGraphNode:
			var n ONNXNode
			if err := eachField(value, n.take); err != nil {
				return err
			}
			g.Nodes = append(g.Nodes, n)
		case onnxGraphInitializer:
			t, err := parseONNXTensor(value, outside)
			if err != nil {
				return err
			}
			if g.constants[t.Name] != nil {
				return fmt.Errorf("two tensors are called %s", t.Name)
			}
			g.constants[t.Name] = t
			g.order = append(g.order, t.Name)
		case onnxGraphOutput:
			return eachField(value, func(field protowire.Number, name []byte, _ uint64) error {
				if field == onnxValueName {
					g.outputs = append(g.outputs, string(name))
				}
				return nil
			})
		case onnxGraphMetadata:
			key, text, err := onnxPair(value)
			if err != nil {
				return err
			}
			if key == "pkg.torch.export.ExportedProgram.graph_signature" {
				g.signature = onnxSignature(text)
			}
		}
		return nil
	})
}

// take stores one field of a node.
func (n *ONNXNode) take(field protowire.Number, value []byte, _ uint64) error {
	if value == nil {
		return nil
	}
	switch field {
	case onnxNodeInput:
		n.Inputs = append(n.Inputs, string(value))
	case onnxNodeOutput:
		n.Outputs = append(n.Outputs, string(value))
	case onnxNodeName:
		n.Name = string(value)
	case onnxNodeOp:
		n.Op = string(value)
	case onnxNodeDomain:
		n.domain = string(value)
	case onnxNodeAttribute:
		var name string
		var number uint64
		err := eachField(value, func(field protowire.Number, value []byte, i uint64) error {
			switch field {
			case onnxAttributeName:
				name = string(value)
			case onnxAttributeInt:
				number = i
			}
			return nil
		})
		if err != nil {
			return err
		}
		n.transposeB = n.transposeB || name == "transB" && number == 1
	case onnxNodeMetadata:
		key, text, err := onnxPair(value)
		if err != nil {
			return err
		}
		switch key {
		case "pkg.torch.onnx.name_scopes":
			n.scopes = text
		case "pkg.torch.onnx.fx_node":
			n.source = text
		}
	}
	return nil
}

// signatureLine is a line such as
// "p_head_bias: PARAMETER target='head.bias'".
var signatureLine = regexp.MustCompile(`(?m)^(\w+): (?:PARAMETER|BUFFER) target='([^']+)'`)

func onnxSignature(text string) []onnxParameter {
	var out []onnxParameter
	for _, m := range signatureLine.FindAllStringSubmatch(text, -1) {
		out = append(out, onnxParameter{m[1], m[2]})
	}
	return out
}

// refuseRewritten returns an error for graphs whose weights another program has merged or
// rounded, because the original weights can't be recovered.
func (g *ONNXGraph) refuseRewritten() error {
	for _, n := range g.Nodes {
		if strings.HasPrefix(n.domain, "com.microsoft") {
			return fmt.Errorf("an ONNX file that ONNX Runtime has optimised (it has a node %s), which merges weights: use the file that was exported", n.Op)
		}
		if slices.Contains(onnxQuantized, n.Op) {
			return fmt.Errorf("a quantised ONNX file (it has a node %s), whose weights are rounded to integers: use the file that was exported", n.Op)
		}
	}
	return nil
}

var onnxQuantized = []string{"QuantizeLinear", "DequantizeLinear", "DynamicQuantizeLinear", "MatMulInteger", "ConvInteger", "QLinearMatMul", "QLinearConv"}

// module returns the module that a node belongs to, "" if that isn't known. The newer
// exporter records it; the older one makes the node's name from it
// (/blocks/blocks.0/attn/qkv/MatMul).
func (n *ONNXNode) module() string {
	if n.scopes != "" {
		parts := scopeText.FindAllStringSubmatch(n.scopes, -1)
		if len(parts) < 2 {
			return ""
		}
		return parts[len(parts)-2][1]
	}
	if !strings.HasPrefix(n.Name, "/") {
		return ""
	}
	var path []string
	parts := strings.Split(n.Name[1:], "/")
	for _, p := range parts[:len(parts)-1] {
		if last := len(path) - 1; last >= 0 && strings.HasPrefix(p, path[last]+".") { // an index in a sequence
			path[last] = p
			continue
		}
		path = append(path, p)
	}
	return strings.Join(path, ".")
}

var scopeText = regexp.MustCompile(`'([^']*)'`)

// parameters returns the parameters that a node was made from, in order.
func (n *ONNXNode) parameters(names map[string]string) []string {
	var out []string
	for _, word := range sourceWord.FindAllString(n.source, -1) {
		if name, ok := names[word[1:]]; ok {
			out = append(out, name)
		}
	}
	return out
}

var sourceWord = regexp.MustCompile(`%\w+`)

// transposedONNX returns a matrix [in, out] as [out, in]. The values are transposed on
// first use.
func transposedONNX(t *Tensor, name string) *Tensor {
	rows, cols, size := t.Shape[0], t.Shape[1], t.DType.Size()
	out := &Tensor{Name: name, DType: t.DType, Shape: []int{cols, rows}}
	out.lazy = sync.OnceValues(func() ([]byte, error) {
		from, err := t.elements()
		if err != nil {
			return nil, err
		}
		to := make([]byte, len(from))
		for r := range rows {
			for c := range cols {
				copy(to[(c*rows+r)*size:][:size], from[(r*cols+c)*size:])
			}
		}
		return to, nil
	})
	return out
}

// joinedONNX concatenates two tensors [1, n, dim] along their second axis.
func joinedONNX(name string, a, b *Tensor) *Tensor {
	out := &Tensor{Name: name, DType: a.DType, Shape: []int{1, a.Shape[1] + b.Shape[1], a.Shape[2]}}
	out.lazy = sync.OnceValues(func() ([]byte, error) { return slices.Concat(a.Bytes(), b.Bytes()), nil })
	return out
}
