package weights

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// PyTorch's exporters change a model's weights when they write an ONNX file. This file
// undoes these changes, as far as the graph has the information:
//
//   - The weight of a linear layer on tokens is transposed and called
//     onnx::MatMul_123 (TorchScript's exporter) or val_52 (the newer one). The layer
//     is found from the addition of the bias that follows, or from the module
//     recorded in the node.
//   - Equal parameters, such as the zero biases of a new model, are stored once.
//     Identity nodes, or metadata of the nodes, give their other names. A zero bias
//     may be omitted.
//   - The newer exporter expands class and register tokens and reshapes position
//     embeddings, and calls the results expand or view_1. It records the names of
//     all parameters, so it is known which ones are missing.

// onnxNaming collects tensors under their names in the model.
type onnxNaming struct {
	graph  *ONNXGraph
	found  map[string]*Tensor
	added  []string               // names other than those of initialisers, in order
	users  map[string][]*ONNXNode // by input
	alias  map[string]string      // an Identity's output to its input
	used   map[string]bool        // initialisers that were recognised under another name
	linear map[string]string      // weights of linear layers to their initialisers
	wanted map[string]bool        // names of parameters that the newer exporter recorded
	short  map[string]string      // its short names for them
}

// named returns the tensors under the exported model's names: first those that have
// these names in the file, then those that were recognised, then the remaining constants
// that the model's result may depend on.
func (g *ONNXGraph) named() ([]*Tensor, error) {
	n := &onnxNaming{
		graph: g, found: map[string]*Tensor{}, users: map[string][]*ONNXNode{}, alias: map[string]string{},
		used: map[string]bool{}, linear: map[string]string{}, wanted: map[string]bool{}, short: map[string]string{},
	}
	for i := range g.Nodes {
		node := &g.Nodes[i]
		for _, in := range node.Inputs {
			n.users[in] = append(n.users[in], node)
		}
		if node.Op == "Identity" && len(node.Inputs) == 1 && len(node.Outputs) == 1 && g.constants[node.Inputs[0]] != nil {
			n.alias[node.Outputs[0]] = node.Inputs[0]
		}
	}
	for _, p := range g.signature {
		n.wanted[p.name], n.short[p.short] = true, p.name
	}
	for _, name := range g.order {
		if !n.madeByExporter(name) {
			n.found[name] = g.constants[name]
		}
	}
	for name, of := range n.alias {
		if n.found[name] == nil && !n.madeByExporter(name) && !slices.Contains(g.outputs, name) {
			if err := n.put(name, g.constants[of].As(name, g.constants[of].Shape)); err != nil {
				return nil, err
			}
		}
	}
	slices.Sort(n.added) // aliases were added in random map order
	if err := n.recognise(); err != nil {
		return nil, err
	}
	n.tokens()
	n.cutPositions()
	return n.list(), nil
}

// exporterName matches the names that exporters give to constants they create.
var exporterName = regexp.MustCompile(`^(onnx::\w+|val_\d+|\d+|/.*|Constant_\d+|.*_output_\d+)$`)

// madeByExporter reports whether an initialiser's name was made by the exporter, not by the model.
func (n *onnxNaming) madeByExporter(name string) bool {
	if len(n.wanted) > 0 {
		return !n.wanted[name]
	}
	return exporterName.MatchString(name)
}

// constant returns the initialiser of a node's input, nil if the input isn't one.
func (n *onnxNaming) constant(in string) *Tensor {
	if of, ok := n.alias[in]; ok {
		in = of
	}
	return n.graph.constants[in]
}

// put adds a tensor that was recognised. A second tensor with the same name is an error,
// unless it is the same tensor.
func (n *onnxNaming) put(name string, t *Tensor) error {
	if n.found[name] != nil {
		return fmt.Errorf("two tensors could be %s", name)
	}
	n.found[name] = t
	n.added = append(n.added, name)
	return nil
}

// recognise finds parameters among the constants of all nodes.
func (n *onnxNaming) recognise() error {
	for i := range n.graph.Nodes {
		node := &n.graph.Nodes[i]
		params := node.parameters(n.short)
		var err error
		switch {
		case node.Op == "MatMul" && len(node.Inputs) == 2 && len(node.Outputs) == 1:
			err = n.matMul(node, params)
		case len(params) == 0:
		case node.Op == "Gemm" || node.Op == "Conv" || node.Op == "LayerNormalization":
			err = n.weightAndBias(node, params)
		case node.Op == "Add" && strings.Contains(node.source, "aten.linear"):
			if len(params) == 2 {
				err = n.same(node.Inputs, params[1])
			}
		case len(params) == 1:
			err = n.same(node.Inputs, params[0])
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// same uses the only constant among a node's inputs as a missing parameter.
func (n *onnxNaming) same(inputs []string, name string) error {
	if n.found[name] != nil {
		return nil
	}
	var of []string
	for _, in := range inputs {
		if t := n.constant(in); t != nil && t.DType != Int64 {
			of = append(of, in)
		}
	}
	if len(of) != 1 {
		return nil
	}
	return n.take(of[0], name)
}

// take uses a constant as a parameter.
func (n *onnxNaming) take(in, name string) error {
	t := n.constant(in)
	if t == nil || n.found[name] != nil {
		return nil
	}
	n.used[in] = true
	return n.put(name, t.As(name, t.Shape))
}

// weightAndBias uses the second and third input of a node as weight and bias. The exporter
// may have omitted a bias of zeros.
func (n *onnxNaming) weightAndBias(node *ONNXNode, params []string) error {
	if len(node.Inputs) < 2 || n.constant(node.Inputs[1]) == nil {
		return nil
	}
	w := n.constant(node.Inputs[1])
	if node.Op == "Gemm" && !node.transposeB && len(w.Shape) == 2 {
		if n.found[params[0]] == nil {
			n.used[node.Inputs[1]] = true
			if err := n.put(params[0], transposedONNX(w, params[0])); err != nil {
				return err
			}
		}
	} else if err := n.take(node.Inputs[1], params[0]); err != nil {
		return err
	}
	if len(params) < 2 || n.found[params[1]] != nil || len(w.Shape) == 0 {
		return nil
	}
	if len(node.Inputs) > 2 && node.Inputs[2] != "" {
		return n.take(node.Inputs[2], params[1])
	}
	return n.put(params[1], zeroBias(params[1], n.found[params[0]]))
}

// zeroBias returns a bias of zeros for a layer whose bias the exporter omitted.
func zeroBias(name string, weight *Tensor) *Tensor {
	return NewTensor(name, weight.Shape[:1], make([]float32, weight.Shape[0]))
}

// matMul uses the constant operand of a matrix product as a linear layer's weight.
func (n *onnxNaming) matMul(node *ONNXNode, params []string) error {
	w := n.constant(node.Inputs[1])
	if w == nil || len(w.Shape) != 2 || !n.madeByExporter(node.Inputs[1]) {
		return nil
	}
	isLinear := strings.Contains(node.source, "aten.linear")
	name, bias := n.biasAfter(node)
	switch {
	case isLinear && len(params) > 0:
		name = params[0]
	case name == "":
		if module := node.module(); module != "" {
			name = module + ".weight"
		}
	}
	if name == "" || len(n.wanted) > 0 && !n.wanted[name] {
		return nil
	}
	switch in := node.Inputs[1]; {
	case n.found[name] == nil:
		n.used[in], n.linear[name] = true, in
		if err := n.put(name, transposedONNX(w, name)); err != nil {
			return err
		}
	case n.linear[name] != in && len(n.wanted) == 0: // not another use of the same layer
		return fmt.Errorf("two tensors could be %s", name)
	}
	if isLinear && len(params) == 2 && !bias && n.found[params[1]] == nil {
		return n.put(params[1], zeroBias(params[1], n.found[name]))
	}
	return nil
}

// biasAfter finds the constant that is added to a product, which is the layer's bias, and
// derives the weight's name from the bias's name.
func (n *onnxNaming) biasAfter(node *ONNXNode) (weight string, found bool) {
	for _, user := range n.users[node.Outputs[0]] {
		if user.Op != "Add" {
			continue
		}
		for _, in := range user.Inputs {
			if n.constant(in) == nil {
				continue
			}
			if layer, ok := strings.CutSuffix(in, "bias"); ok && n.found[in] != nil { // .bias, in_proj_bias
				return layer + "weight", true
			}
			found = true
		}
	}
	return "", found
}

// Names of the parameters that the newer exporter expands or reshapes.
var (
	tokenName    = regexp.MustCompile(`(^|[._])(cls|class|dist|distillation|reg|register)s?_?(tokens?|embedding)$`)
	positionName = regexp.MustCompile(`(^|[._])(pos_embed|pos_embedding|position_embeddings?|positional_embedding|position_embedding\.weight)$`)
)

// tokens finds missing tokens and position embeddings: constants that are concatenated
// with the patches, expanded or not, or added to them, in the model's order. If their
// number doesn't match that of the missing parameters, none is used.
func (n *onnxNaming) tokens() {
	var tokens, positions []string
	for _, p := range n.graph.signature {
		switch {
		case tokenName.MatchString(p.name):
			tokens = append(tokens, p.name)
		case positionName.MatchString(p.name) && n.found[p.name] == nil:
			positions = append(positions, p.name)
		}
	}
	expanded := map[string]string{}
	var joined, added []string
	for i := range n.graph.Nodes {
		node := &n.graph.Nodes[i]
		switch {
		case node.Op == "Expand" && len(node.Inputs) > 0 && len(node.Outputs) == 1 && n.isToken(node.Inputs[0]):
			expanded[node.Outputs[0]] = node.Inputs[0]
		case node.Op == "Concat":
			for _, in := range node.Inputs {
				if of, ok := expanded[in]; ok {
					in = of
				}
				if n.isToken(in) {
					joined = append(joined, in)
				}
			}
		case node.Op == "Add" && strings.Contains(node.source, "aten.add"):
			for _, in := range node.Inputs {
				if n.isToken(in) && n.madeByExporter(in) && !n.used[in] && !slices.Contains(added, in) {
					added = append(added, in)
				}
			}
		}
	}
	if len(joined) == len(tokens) {
		for i, name := range tokens {
			if n.found[name] == nil {
				n.takeFirst(joined[i], name)
			}
		}
	}
	if len(added) == 1 && len(positions) == 1 {
		n.takeFirst(added[0], positions[0])
	}
}

// isToken reports whether an input is a constant [batch, …, dim] of floats.
func (n *onnxNaming) isToken(in string) bool {
	t := n.constant(in)
	return t != nil && len(t.Shape) >= 3 && t.DType != Int64
}

// cutPositions joins position embeddings that the older exporter has split in two, in
// transformers' models that resize them in the graph: that of the class token, which is
// concatenated, and those of the patches, which are reshaped first.
func (n *onnxNaming) cutPositions() {
	class, patches := map[string][]string{}, map[string][]string{}
	for i := range n.graph.Nodes {
		node := &n.graph.Nodes[i]
		module := node.module()
		if n.found[module+".cls_token"] == nil || n.found[module+".position_embeddings"] != nil {
			continue
		}
		for _, in := range node.Inputs {
			t := n.graph.constants[in]
			if t == nil || !n.madeByExporter(in) || len(t.Shape) != 3 || t.Shape[0] != 1 {
				continue
			}
			switch {
			case node.Op == "Concat" && t.Shape[1] == 1:
				class[module] = append(class[module], in)
			case node.Op == "Reshape" && t.Shape[1] > 1:
				patches[module] = append(patches[module], in)
			}
		}
	}
	for _, module := range slices.Sorted(maps.Keys(class)) {
		c, p := class[module], patches[module]
		if len(c) != 1 || len(p) != 1 {
			continue
		}
		first, rest, name := n.graph.constants[c[0]], n.graph.constants[p[0]], module+".position_embeddings"
		if first.DType != rest.DType || first.Shape[2] != rest.Shape[2] {
			continue
		}
		n.used[c[0]], n.used[p[0]] = true, true
		n.found[name] = joinedONNX(name, first, rest)
		n.added = append(n.added, name)
	}
}

// takeFirst uses a constant [batch, …, dim] as a parameter [1, tokens, dim]. All items of
// the batch are equal.
func (n *onnxNaming) takeFirst(in, name string) {
	t := n.constant(in)
	dim, count := t.Shape[len(t.Shape)-1], 1
	for _, d := range t.Shape[1 : len(t.Shape)-1] {
		count *= d
	}
	size := count * dim * t.DType.Size()
	data := t.Bytes()
	if t.Shape[0] < 1 || size > len(data) {
		return
	}
	first := &Tensor{Name: name, DType: t.DType, Shape: []int{1, count, dim}, data: data[:size:size]}
	n.used[in] = true
	n.found[name] = first
	n.added = append(n.added, name)
}

// list returns the tensors that were found, and those constants created by the exporter
// that weren't recognised and may matter: floats with more than one element. Zeros that
// are added don't matter, such as an attention mask that masks nothing.
func (n *onnxNaming) list() []*Tensor {
	var out []*Tensor
	for _, name := range n.graph.order {
		t := n.graph.constants[name]
		if n.found[name] == nil && (n.used[name] || t.Len() <= 1 || t.DType == Int64 || t.DType == Int32 || t.DType == Bool || n.addsNothing(name, t)) {
			continue
		}
		out = append(out, t)
	}
	for _, name := range n.added {
		out = append(out, n.found[name])
	}
	return out
}

func (n *onnxNaming) addsNothing(name string, t *Tensor) bool {
	for _, user := range n.users[name] {
		if user.Op != "Add" {
			return false
		}
	}
	return !slices.ContainsFunc(t.Bytes(), func(b byte) bool { return b != 0 })
}
