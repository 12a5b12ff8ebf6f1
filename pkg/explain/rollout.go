package explain

import (
	. "github.com/gomlx/gomlx/core/graph"
)

// attention is the softmax weights of one layer for the start row, heads combined.
func attention(p *pass) *Node {
	layer, err := Index(*p.settings.Layer, len(p.Blocks), "layer")
	if err != nil {
		panic(err)
	}
	return p.patches(through(p.start, p.heads(p.Blocks[layer].Probabilities)))
}

// rollout follows attention through all layers: the product of the layers' matrices, each
// averaged with the identity for the residual connection (Abnar & Zuidema, 2020).
func rollout(p *pass) *Node {
	var layers []*Node
	for _, b := range p.Blocks {
		layers = append(layers, p.heads(b.Probabilities))
	}
	return p.patches(p.rolled(layers))
}

// rolled is the start row of the product of (½A+½I) over the layers, rows normalised.
func (p *pass) rolled(layers []*Node) *Node {
	v := p.start
	for i := len(layers) - 1; i >= 0; i-- {
		a := layers[i] // [batch, tokens, tokens]
		sum := AddScalar(ReduceSum(a, -1), 1)
		// Row q of rownorm(½A+½I) is (A+I)[q]/(1+ΣA[q]).
		v = Div(v, sum)
		v = Add(v, through(v, a))
	}
	return v
}
