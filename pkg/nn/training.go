package nn

import . "github.com/gomlx/gomlx/core/graph"

// Training says how a graph that will be differentiated differs from the one for
// inference. The zero value changes nothing.
type Training struct {
	// DropPath is the mask of stochastic depth (Huang et al., "Deep Networks with
	// Stochastic Depth", 2016), [branches, batch]: each residual branch of each picture
	// is multiplied by its element, 0 to drop it and 1/(1-rate) to keep it. Branches are
	// in the order of the forward pass: block by block, attention before MLP. Nil drops
	// nothing.
	DropPath *Node
	// BFloat16 rounds the factors and the results of matrix products (patch embedding,
	// linear layers, both products of attention) and of their gradients to bfloat16, as
	// torch.autocast does. Weights and their gradients keep their own dtype, and so do
	// norms, softmax, the residual stream, the loss, biases and activation functions;
	// autocast would round the last two as well.
	BFloat16 bool
	// Checkpoint keeps only the input of each block until the gradients are computed,
	// which then computes the block again: Chen et al., "Training Deep Nets with
	// Sublinear Memory Cost", 2016.
	Checkpoint bool
}
