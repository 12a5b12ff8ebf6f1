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
	return positive(Einsum("bk,bpk->bp", ReduceMean(g, 1), u))
}
