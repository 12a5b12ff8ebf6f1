package weights

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"
)

// protoMessage builds protobuf messages.
type protoMessage []byte

func (m protoMessage) text(n protowire.Number, s string) protoMessage { return m.with(n, []byte(s)) }

func (m protoMessage) with(n protowire.Number, b []byte) protoMessage {
	return protowire.AppendBytes(protowire.AppendTag(m, n, protowire.BytesType), b)
}

func (m protoMessage) number(n protowire.Number, v uint64) protoMessage {
	return protowire.AppendVarint(protowire.AppendTag(m, n, protowire.VarintType), v)
}

// pair is a key-value pair of metadata.
func pair(key, value string) protoMessage {
	return protoMessage(nil).text(onnxKeyField, key).text(onnxValueField, value)
}

// floats is an initialiser of float32 values 1, 2, 3, …, or of zeros.
func floats(name string, zero bool, shape ...int) protoMessage {
	m := protoMessage(nil).number(onnxTensorType, 1).text(onnxTensorName, name)
	n := 1
	for _, d := range shape {
		m = m.number(onnxTensorDims, uint64(d))
		n *= d
	}
	var raw []byte
	for i := range n {
		v := float32(i + 1)
		if zero {
			v = 0
		}
		raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(v))
	}
	return m.with(onnxTensorRaw, raw)
}

// operation returns a node; notes are keys and values of its metadata.
func operation(op, name, out string, in []string, notes ...string) protoMessage {
	m := protoMessage(nil).text(onnxNodeOp, op).text(onnxNodeName, name).text(onnxNodeOutput, out)
	for _, i := range in {
		m = m.text(onnxNodeInput, i)
	}
	for i := 0; i < len(notes); i += 2 {
		m = m.with(onnxNodeMetadata, pair(notes[i], notes[i+1]))
	}
	return m
}

// transB marks a Gemm.
func transB(m protoMessage) protoMessage {
	return m.with(onnxNodeAttribute, protoMessage(nil).text(onnxAttributeName, "transB").number(onnxAttributeInt, 1))
}

// onnxOf returns a model with initialisers, nodes and a signature of parameters.
func onnxOf(initialisers, nodes []protoMessage, parameters ...string) []byte {
	var g protoMessage
	for _, n := range nodes {
		g = g.with(onnxGraphNode, n)
	}
	for _, i := range initialisers {
		g = g.with(onnxGraphInitializer, i)
	}
	if len(parameters) > 0 {
		text := "\n# inputs\n"
		for _, p := range parameters {
			text += fmt.Sprintf("p_%s: PARAMETER target='%s'\n", strings.ReplaceAll(p, ".", "_"), p)
		}
		g = g.with(onnxGraphMetadata, pair("pkg.torch.export.ExportedProgram.graph_signature", text+"x: USER_INPUT\n"))
	}
	return protoMessage(nil).number(1, 8).with(onnxModelGraph, g)
}

// linearNote returns the metadata that the newer exporter records in a node made from a
// linear layer.
func linearNote(x string, params ...string) []string {
	for i, p := range params {
		params[i] = "%p_" + strings.ReplaceAll(p, ".", "_")
	}
	return []string{
		"pkg.torch.onnx.fx_node", "%linear : call_function[target=torch.ops.aten.linear.default](args = (%" + x + ", " + strings.Join(params, ", ") + "), kwargs = {})",
	}
}

func TestONNXNames(t *testing.T) {
	all := func(lists ...[]protoMessage) []protoMessage { return slices.Concat(lists...) }
	one := func(m ...protoMessage) []protoMessage { return m }
	for name, c := range map[string]struct {
		data []byte
		want string // names with shapes and the first two values; or the error
	}{
		"a bias tells": {onnxOf(one(floats("a.fc.bias", false, 3), floats("onnx::MatMul_7", false, 2, 3)),
			one(operation("MatMul", "", "y", []string{"x", "onnx::MatMul_7"}), operation("Add", "", "z", []string{"a.fc.bias", "y"}))),
			"a.fc.bias[3] 1 2; a.fc.weight[3 2] 1 4"},
		"in old files, too": {onnxOf(one(floats("fc.bias", false, 3), floats("123", false, 2, 3)),
			one(operation("MatMul", "MatMul_4", "y", []string{"x", "123"}), operation("Add", "Add_5", "z", []string{"y", "fc.bias"}))),
			"fc.bias[3] 1 2; fc.weight[3 2] 1 4"},
		"in_proj": {onnxOf(one(floats("attn.in_proj_bias", false, 3), floats("onnx::MatMul_7", false, 1, 3)),
			one(operation("MatMul", "/attn/MatMul", "y", []string{"x", "onnx::MatMul_7"}), operation("Add", "/attn/Add", "z", []string{"attn.in_proj_bias", "y"}))),
			"attn.in_proj_bias[3] 1 2; attn.in_proj_weight[3 1] 1 2"},
		"the node's name tells": {onnxOf(one(floats("onnx::MatMul_7", false, 2, 3), floats("head.weight", false, 2)),
			one(operation("MatMul", "/blocks/blocks.1/attn/qkv/MatMul", "y", []string{"x", "onnx::MatMul_7"}))),
			"head.weight[2] 1 2; blocks.1.attn.qkv.weight[3 2] 1 4"},
		"nothing tells": {onnxOf(one(floats("onnx::MatMul_7", false, 2, 3), floats("fc.bias", false, 2)),
			one(operation("MatMul", "MatMul_3", "y", []string{"x", "onnx::MatMul_7"}))),
			"onnx::MatMul_7[2 3] 1 2; fc.bias[2] 1 2"},
		"an equal parameter": {onnxOf(one(floats("a.bias", false, 3), floats("onnx::MatMul_7", false, 2, 3)),
			one(operation("Identity", "Identity_0", "b.bias", []string{"a.bias"}), operation("MatMul", "", "y", []string{"x", "onnx::MatMul_7"}), operation("Add", "", "z", []string{"b.bias", "y"}))),
			"a.bias[3] 1 2; b.bias[3] 1 2; b.weight[3 2] 1 4"},
		"two of a name": {onnxOf(one(floats("fc.bias", false, 3), floats("fc.weight", false, 3, 2), floats("onnx::MatMul_7", false, 2, 3)),
			one(operation("MatMul", "", "y", []string{"x", "onnx::MatMul_7"}), operation("Add", "", "z", []string{"fc.bias", "y"}))),
			"two tensors could be fc.weight"},
		"a layer used twice": {onnxOf(one(floats("fc.bias", false, 3), floats("onnx::MatMul_7", false, 2, 3)),
			one(operation("MatMul", "", "y", []string{"x", "onnx::MatMul_7"}), operation("Add", "", "z", []string{"fc.bias", "y"}),
				operation("MatMul", "", "v", []string{"u", "onnx::MatMul_7"}), operation("Add", "", "w", []string{"fc.bias", "v"}))),
			"fc.bias[3] 1 2; fc.weight[3 2] 1 4"},
		"unnamed": {onnxOf(one(floats("fc.weight", false, 2, 3), floats("fc.bias", false, 3)),
			one(operation("MatMul", "/fc/MatMul", "y", []string{"x", "fc.weight"}))),
			"fc.weight[2 3] 1 2; fc.bias[3] 1 2"},

		"notes tell": {onnxOf(one(floats("val_7", false, 2, 3), floats("fc.bias", false, 3)),
			one(operation("MatMul", "", "y", []string{"x", "val_7"}, linearNote("x", "fc.weight", "fc.bias")...),
				operation("Add", "", "z", []string{"y", "fc.bias"}, linearNote("x", "fc.weight", "fc.bias")...)), "fc.weight", "fc.bias"),
			"fc.bias[3] 1 2; fc.weight[3 2] 1 4"},
		"a merged bias": {onnxOf(one(floats("val_7", false, 2, 3), floats("other.bias", false, 3)),
			one(operation("MatMul", "", "y", []string{"x", "val_7"}, linearNote("x", "fc.weight", "fc.bias")...),
				operation("Add", "", "z", []string{"y", "other.bias"}, linearNote("x", "fc.weight", "fc.bias")...)), "fc.weight", "fc.bias", "other.bias"),
			"other.bias[3] 1 2; fc.weight[3 2] 1 4; fc.bias[3] 1 2"},
		"a bias of zeros left out": {onnxOf(one(floats("val_7", false, 2, 3)),
			one(operation("MatMul", "", "y", []string{"x", "val_7"}, linearNote("x", "fc.weight", "fc.bias")...)), "fc.weight", "fc.bias"),
			"fc.weight[3 2] 1 4; fc.bias[3] 0 0"},
		"of Gemm, too": {onnxOf(one(floats("fc.weight", false, 3, 2)),
			one(transB(operation("Gemm", "", "y", []string{"x", "fc.weight"}, linearNote("x", "fc.weight", "fc.bias")...))), "fc.weight", "fc.bias"),
			"fc.weight[3 2] 1 2; fc.bias[3] 0 0"},
		"Gemm the other way": {onnxOf(one(floats("val_3", false, 2, 3), floats("val_4", false, 3)),
			one(operation("Gemm", "", "y", []string{"x", "val_3", "val_4"}, linearNote("x", "fc.weight", "fc.bias")...)), "fc.weight", "fc.bias"),
			"fc.weight[3 2] 1 4; fc.bias[3] 1 2"},
		"a factor": {onnxOf(one(floats("a.gamma", false, 3)),
			one(operation("Mul", "", "y", []string{"x", "a.gamma"}, "pkg.torch.onnx.fx_node", "%mul : (args = (%x, %p_b_gamma))")), "a.gamma", "b.gamma"),
			"a.gamma[3] 1 2; b.gamma[3] 1 2"},
		"tokens": {onnxOf(one(floats("expand", false, 2, 1, 3), floats("expand_1", false, 2, 2, 3), floats("view_1", false, 1, 2, 2, 3)),
			one(operation("Add", "", "p", []string{"x", "view_1"}, "pkg.torch.onnx.fx_node", "%add : [target=torch.ops.aten.add.Tensor](args = (%x, %view_1))"),
				operation("Concat", "", "c", []string{"expand", "expand_1", "p"})), "cls_token", "mask_token", "reg_token", "pos_embed"),
			"cls_token[1 1 3] 1 2; reg_token[1 2 3] 1 2; pos_embed[1 4 3] 1 2"},
		"tokens of which too few are there": {onnxOf(one(floats("expand", false, 1, 1, 3)),
			one(operation("Concat", "", "c", []string{"expand", "p"})), "cls_token", "dist_token"),
			"expand[1 1 3] 1 2"},
		"equal tokens": {onnxOf(one(floats("expand", false, 1, 1, 3)),
			one(operation("Concat", "", "c", []string{"expand", "expand", "p"})), "cls_token", "distillation_token", "mask_token"),
			"cls_token[1 1 3] 1 2; distillation_token[1 1 3] 1 2"},
		"equal tokens, expanded": {onnxOf(one(floats("cls_token", false, 1, 1, 3)),
			one(operation("Expand", "", "e", []string{"cls_token", "s"}), operation("Concat", "", "c", []string{"e", "e", "p"})), "cls_token", "distillation_token"),
			"cls_token[1 1 3] 1 2; distillation_token[1 1 3] 1 2"},
		"positions looked up": {onnxOf(one(floats("embedding", false, 1, 2, 3)),
			one(operation("Add", "", "p", []string{"x", "embedding"}, "pkg.torch.onnx.fx_node", "%add : [target=torch.ops.aten.add.Tensor](args = (%x, %embedding))")), "position_embedding.weight"),
			"position_embedding.weight[1 2 3] 1 2"},
		"positions cut in two": {onnxOf(one(floats("vit.embeddings.cls_token", false, 1, 1, 3), floats("onnx::Concat_7", false, 1, 1, 3), floats("onnx::Reshape_8", true, 1, 4, 3)),
			one(operation("Reshape", "/vit/embeddings/Reshape", "r", []string{"onnx::Reshape_8", "s"}), operation("Concat", "/vit/embeddings/Concat_3", "c", []string{"onnx::Concat_7", "r"}))),
			"vit.embeddings.cls_token[1 1 3] 1 2; vit.embeddings.position_embeddings[1 5 3] 1 2"},
		"constants": {onnxOf(one(floats("fc.bias", false, 2), floats("val_1", false), floats("val_2", true, 1, 4, 4), floats("val_3", false, 1, 4, 4), floats("val_4", true, 3)),
			one(operation("Add", "", "a", []string{"x", "val_2"}), operation("Add", "", "b", []string{"x", "val_3"}), operation("Mul", "", "c", []string{"x", "val_4"}))),
			"fc.bias[2] 1 2; val_3[1 4 4] 1 2; val_4[3] 0 0"},
		"quantised": {onnxOf(one(floats("w", false, 2)), one(operation("DequantizeLinear", "", "y", []string{"w"}))),
			"a quantised ONNX file (it has a node DequantizeLinear)"},
		"optimised": {onnxOf(one(floats("w", false, 2)), one(operation("Attention", "", "y", []string{"w"}).text(onnxNodeDomain, "com.microsoft"))),
			"ONNX Runtime has optimised (it has a node Attention)"},
		"twice": {onnxOf(all(one(floats("w", false, 2)), one(floats("w", false, 2))), nil), "two tensors are called w"},
	} {
		t.Run(name, func(t *testing.T) {
			tensors, _, err := parseONNX(c.data, nil)
			if err != nil {
				if !strings.Contains(err.Error(), c.want) {
					t.Errorf("error %v, want %s", err, c.want)
				}
				return
			}
			var got []string
			for _, w := range tensors {
				values, err := w.Float32s()
				if err != nil {
					t.Fatal(err)
				}
				text := fmt.Sprintf("%s%v", w.Name, w.Shape)
				for _, v := range values[:min(2, len(values))] {
					text += fmt.Sprintf(" %g", v)
				}
				got = append(got, text)
			}
			if strings.Join(got, "; ") != c.want {
				t.Errorf("got  %s\nwant %s", strings.Join(got, "; "), c.want)
			}
		})
	}
}

// The module of a node is found for both exporters.
func TestONNXModule(t *testing.T) {
	for _, c := range []struct{ name, scopes, want string }{
		{"/blocks/blocks.0/attn/qkv/MatMul", "", "blocks.0.attn.qkv"},
		{"/encoder/layers/encoder_layer_0/mlp/mlp.3/MatMul", "", "encoder.layers.encoder_layer_0.mlp.3"},
		{"/vit/layers.0/attention/q_proj/MatMul", "", "vit.layers.0.attention.q_proj"},
		{"/MatMul", "", ""},
		{"MatMul_12", "", ""},
		{"node_MatMul_11", "['', 'blocks', 'blocks.0', 'blocks.0.attn.qkv', 'linear']", "blocks.0.attn.qkv"},
		{"node_MatMul_11", "['linear']", ""},
		{"", "nonsense", ""},
	} {
		if got := (&ONNXNode{Name: c.name, scopes: c.scopes}).module(); got != c.want {
			t.Errorf("%s %s: %q, want %q", c.name, c.scopes, got, c.want)
		}
	}
}

// Any graph is read or refused, and all listed tensors are complete.
func FuzzONNXNames(f *testing.F) {
	f.Add(onnxOf([]protoMessage{floats("val_7", false, 2, 3), floats("fc.bias", false, 3)},
		[]protoMessage{operation("MatMul", "/fc/MatMul", "y", []string{"x", "val_7"}, linearNote("x", "fc.weight", "fc.bias")...), operation("Add", "", "z", []string{"y", "fc.bias"})}, "fc.weight", "fc.bias"))
	f.Add(onnxOf([]protoMessage{floats("expand", false, 2, 1, 3), floats("view", false, 1, 2, 3)},
		[]protoMessage{operation("Concat", "", "c", []string{"expand", "p"}), operation("Add", "", "d", []string{"c", "view"}, "pkg.torch.onnx.fx_node", "aten.add %p_cls_token")}, "cls_token", "pos_embed"))
	f.Add(onnxOf([]protoMessage{floats("a.bias", true, 0)}, []protoMessage{operation("Identity", "", "a.bias", []string{"a.bias"}), transB(operation("Gemm", "", "y", []string{"x", "a.bias"}))}))
	f.Fuzz(func(t *testing.T, data []byte) {
		tensors, graph, err := parseONNX(data, func(string) ([]byte, error) { return nil, errNotNPY })
		if err != nil {
			return
		}
		checkTensors(t, tensors)
		for i := range graph.Nodes {
			graph.Nodes[i].module()
		}
	})
}
