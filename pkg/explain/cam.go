package explain

import (
	. "github.com/gomlx/gomlx/core/graph"
)

// features is the last block's input after its first norm, on the patches, and the
// score's gradient with respect to it, both [batch, patches, dim]. After the last block
// the gradient of a [class] token's answer is zero on all patches.
func (p *pass) features() (u, gradient *Node) {
	u = p.Blocks[len(p.Blocks)-1].Norm
	gradient = p.patches(p.gradients("the last block's normalised input", u)[0])
	return p.patches(u), gradient
}

// gradCAM is (Σ_k w_k u_k)⁺ with w_k the mean gradient of channel k over the patches
// (Selvaraju et al., 2017).
func gradCAM(p *pass) *Node {
	u, g := p.features()
	return positive(weighted(ReduceMean(g, 1), u))
}

// weighted is the sum of channels of u, [batch, patches, dim], with a weight each, [batch,
// dim].
func weighted(w, u *Node) *Node { return Einsum("bk,bpk->bp", w, u) }

// hiResCAM is Σ_k ∇u_k⊙u_k (Draelos & Carin, 2020): what each patch itself adds to the
// score, to first order. It is signed.
func hiResCAM(p *pass) *Node {
	u, g := p.features()
	return ReduceSum(Mul(g, u), -1)
}

// layerCAM is (Σ_k ∇u_k⁺⊙u_k)⁺ (Jiang et al., 2021).
func layerCAM(p *pass) *Node {
	u, g := p.features()
	return positive(ReduceSum(Mul(positive(g), u), -1))
}

// gradCAMPlusPlus is (Σ_k w_k u_k)⁺ with w_k = Σ_p α g⁺ and α = g²/(2g² + (g³Σ_p u_k)⁺ +
// 1e-6) (Chattopadhay et al., 2018). The features of the paper aren't negative, so that α is
// at most ½; those of a transformer are, and g³Σu is clipped at zero to keep it so: else the
// denominator crosses zero.
func gradCAMPlusPlus(p *pass) *Node {
	u, g := p.features()
	square := Square(g)
	cubic := Mul(Mul(square, g), ReduceAndKeep(u, ReduceSum, 1))
	alpha := Div(square, AddScalar(Add(MulScalar(square, 2), positive(cubic)), 1e-6))
	return positive(weighted(ReduceSum(Mul(alpha, positive(g)), 1), u))
}
