package vit

// Operations is how many floating-point operations a forward pass over one picture takes,
// two for each multiplication with its addition: matrix products alone, without norms,
// activations and the head, which add a few per cent.
func (c Config) Operations() float64 {
	tokens, dim, hidden := float64(c.Tokens()), float64(c.Dim), float64(c.MLPDim)
	gate := 1.0
	if c.Activation == SwiGLU {
		gate = 1.5
	}
	block := 2*tokens*(4*dim*dim+2*gate*dim*hidden) + 4*tokens*tokens*dim
	embedding := 2 * float64(c.Patches()*c.PatchSize[0]*c.PatchSize[1]*c.Channels) * dim
	return float64(c.Depth)*block + embedding
}
