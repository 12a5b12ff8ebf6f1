package explain

import (
	. "github.com/gomlx/gomlx/core/graph"
)

// chefer is the generic relevance of Chefer, Gur & Wolf (ICCV 2021) for self-attention:
// R ← R + E_h[(∇A⊙A)⁺]·R from R = I, of which only the start row is computed.
func chefer(p *pass) *Node {
	a := p.probabilities()
	g := p.gradients("attention", a...)
	v := p.start
	for i := len(a) - 1; i >= 0; i-- {
		v = Add(v, through(v, meanHeads(positive(Mul(g[i], a[i])))))
	}
	return p.patches(v)
}
