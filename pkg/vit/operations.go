package vit

// Operations is how many floating-point operations a forward pass over one picture takes,
// two for each multiplication with its addition: matrix products alone, without norms,
// activations and the head, which add a few per cent. A hybrid's stem is counted.
func (c Config) Operations() float64 {
	tokens, dim, hidden := float64(c.Tokens()), float64(c.Dim), float64(c.MLPDim)
	gate := 1.0
	if c.Activation == SwiGLU {
		gate = 1.5
	}
	block := 2*tokens*(4*dim*dim+2*gate*dim*hidden) + 4*tokens*tokens*dim
	kernel := c.PatchKernel()
	embedding := 2 * float64(c.Patches()*kernel[0]*kernel[1]*c.patchChannels()) * dim
	if c.Stem != nil {
		embedding += c.Stem.Operations(c.ImageSize[0], c.ImageSize[1])
	}
	return float64(c.Depth)*block + embedding
}
