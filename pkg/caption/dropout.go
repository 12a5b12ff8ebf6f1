package caption

import (
	"github.com/gomlx/compute/dtypes"
	. "github.com/gomlx/gomlx/core/graph"
)

// Training says how the graph of a captioner that is trained differs from the one that
// captions. The zero value changes nothing.
type Training struct {
	// Dropout is the probability with which values are set to zero (Srivastava et al.,
	// "Dropout", 2014; the others grow by 1/(1-Dropout)): of embeddings, of cells, of every
	// layer's hidden values, and of what attentions and MLPs add to the residual stream, as
	// the Transformer has it.
	Dropout float64
	// Input is that of the features and of the values that the gist is made of.
	Input float64
	// Smoothing is the share of each target that is spread over all word pieces.
	Smoothing float64
	// Seed decides which values are dropped: int32 [3]. Equal seeds drop the same on the
	// same backend.
	Seed *Node
}

// noise drops values in training; nil drops nothing.
type noise struct {
	how   Training
	state *Node // of the random number generator
}

// newNoise starts the random numbers at the seed.
func newNoise(how Training) *noise {
	if how.Seed == nil || how.Dropout == 0 && how.Input == 0 {
		return nil
	}
	return &noise{how: how, state: ConvertDType(how.Seed, dtypes.Uint64)}
}

// drop drops the values of a layer.
func (n *noise) drop(x *Node) *Node {
	if n == nil {
		return x
	}
	return n.dropAt(n.how.Dropout, x)
}

// input drops the values of an input.
func (n *noise) input(x *Node) *Node {
	if n == nil {
		return x
	}
	return n.dropAt(n.how.Input, x)
}

func (n *noise) dropAt(rate float64, x *Node) *Node {
	if rate == 0 {
		return x
	}
	var draws *Node
	n.state, draws = RandomUniform(n.state, x.Shape())
	kept := GreaterOrEqual(draws, Scalar(x.Graph(), x.DType(), rate))
	return Where(kept, MulScalar(x, 1/(1-rate)), ZerosLike(x))
}
