package explain

import (
	"math"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
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
// averaged with the identity for the residual connection (Abnar & Zuidema, 2020). Heads
// are combined and weights discarded before.
func rollout(p *pass) *Node {
	var layers []*Node
	for _, b := range p.Blocks {
		layers = append(layers, p.discarded(p.heads(b.Probabilities)))
	}
	return p.patches(p.rolled(layers))
}

// gradientRollout is rollout of (E_h[A⊙∇A])⁺ instead of A: of the attention that speaks
// for the class (Gildenblat, vit-explain, 2020). The setting Heads stands for E_h; weights
// are discarded after the negative ones became zero.
func gradientRollout(p *pass) *Node {
	a := p.probabilities()
	g := p.gradients("attention", a...)
	var layers []*Node
	for i := range a {
		layers = append(layers, p.discarded(positive(p.heads(Mul(a[i], g[i])))))
	}
	return p.patches(p.rolled(layers))
}

// rolled is the start row of the product of rownorm(½A+½I) over the layers, each [batch,
// queries, keys]. A row of zeros is that of the identity.
func (p *pass) rolled(layers []*Node) *Node {
	v := p.start
	for i := len(layers) - 1; i >= 0; i-- {
		a := layers[i]
		sum := AddScalar(ReduceSum(a, -1), 1)
		// Row q of rownorm(½A+½I) is (A+I)[q]/(1+ΣA[q]).
		v = Div(v, sum)
		v = Add(v, through(v, a))
	}
	return v
}

// discarded sets the smallest ⌊Discard·tokens²⌋ weights of each picture's matrix, [batch,
// queries, keys], to zero, and those that equal the greatest of them. The diagonal and the
// columns of tokens that aren't patches are left out: they are never set to zero, and the
// smallest are those of the rest. (vit-explain takes the smallest of a batch's first picture
// only.)
func (p *pass) discarded(a *Node) *Node {
	tokens, prefix := p.cfg.Tokens(), p.cfg.Prefix()
	n := min(int(math.Floor(p.settings.Discard*float64(tokens*tokens))), (tokens-1)*(tokens-prefix))
	if n == 0 {
		return a
	}
	g, square := a.Graph(), shapes.Make(dtypes.Int32, 1, tokens, tokens)
	query, key := Iota(g, square, 1), Iota(g, square, 2)
	keep := LogicalOr(Equal(query, key), LessThan(key, Scalar(g, dtypes.Int32, prefix)))
	keep = BroadcastToDims(keep, a.Shape().Dimensions...)
	among := Where(keep, Scalar(g, a.DType(), math.MaxFloat32), a)
	sorted := Sort(Reshape(among, a.Shape().Dim(0), tokens*tokens), 1, true)
	limit := Reshape(SliceAxis(sorted, 1, AxisElem(n-1)), -1, 1, 1)
	return Where(LessOrEqual(among, BroadcastToDims(limit, a.Shape().Dimensions...)), ZerosLike(a), a)
}
