package explain

import (
	. "github.com/gomlx/gomlx/core/graph"
)

// attentionGradCAM is Grad-CAM on the last layer's attention, with heads as channels
// (Chefer, Gur & Wolf, 2021, as a baseline): (E_h[w_h·A_h[s]])⁺, where w_h is the mean of
// ∇A_h[s] over the patches, and [s] the start row's combination of the queries.
func attentionGradCAM(p *pass) *Node {
	a := p.Blocks[len(p.Blocks)-1].Probabilities
	g := p.gradients("the last layer's attention", a)[0]
	row := func(x *Node) *Node { // [batch, heads, patches]
		return SliceAxis(Einsum("bq,bhqk->bhk", p.start, x), 2, AxisRangeToEnd(p.cfg.Prefix()))
	}
	weights := ReduceMean(row(g), -1)
	return positive(DivScalar(Einsum("bh,bhk->bk", weights, row(a)), float64(p.cfg.Heads)))
}

// attCAT is Σ_l (Σ_d x⊙∇x)_j · E_{h,q}A_l[q,j] with x the input of layer l: how much a token
// counts for the class, times how much it is attended to (Qiang et al., NeurIPS 2022). The
// mean is over all queries. It is signed.
func attCAT(p *pass) *Node {
	var inputs []*Node
	for _, b := range p.Blocks {
		inputs = append(inputs, b.Input)
	}
	var sum *Node
	for i, g := range p.gradients("the input", inputs...) {
		counts := ReduceSum(Mul(inputs[i], g), -1)
		layer := Mul(counts, ReduceMean(p.Blocks[i].Probabilities, 1, 2))
		if sum == nil {
			sum = layer
		} else {
			sum = Add(sum, layer)
		}
	}
	return p.patches(sum)
}

// leGrad is the mean over the layers of E_{h,q}[(∂f_l/∂A_l)⁺], where f_l is the score of
// what the head answers after layer l, and gradients stop at the layer's input (Bousselham
// et al., LeGrad, 2024). The head reads the tokens that it was trained to read; the mean
// is over all queries, as in the paper.
func leGrad(p *pass) *Node {
	var score *Node
	for i := range p.Blocks {
		f := p.score(p.LogitsAfter(i))
		if score == nil {
			score = f
		} else {
			score = Add(score, f)
		}
	}
	var sum *Node
	for _, g := range p.gradientsOf(score, "attention", p.probabilities()...) {
		// The gradient of queries that the head doesn't read is zero, and they aren't there.
		layer := ReduceSum(positive(g), 1, 2)
		if sum == nil {
			sum = layer
		} else {
			sum = Add(sum, layer)
		}
	}
	return p.patches(DivScalar(sum, float64(len(p.Blocks)*p.cfg.Heads*p.cfg.Tokens())))
}
