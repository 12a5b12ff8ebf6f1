package layers

import (
	"math"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/support/exceptions"
)

// Attention is multi-head self-attention between a transformer's two linear layers.
// Queries, keys and values stand side by side in QKV, each with all heads.
type Attention struct {
	QKV   *Node // [batch, tokens, 3*heads*headDim]
	Heads int
	// Queries is how many of each picture's, the first, are to be looked at in Mixed; 0:
	// all.
	Queries int
	// BFloat16 rounds the factors of both products, and the products, as torch.autocast
	// does.
	BFloat16 bool
}

// Mixed is the values, mixed by the probabilities: [batch, queries, heads*headDim].
func (a Attention) Mixed() *Node {
	shape := a.QKV.Shape().Clone()
	if len(shape.Dimensions) != 3 || a.Heads < 1 || shape.Dim(2)%(3*a.Heads) != 0 || a.Queries < 0 || a.Queries > shape.Dim(1) {
		exceptions.Panicf("layers: attention of %d heads and %d queries over queries, keys and values of shape %s", a.Heads, a.Queries, shape)
	}
	if a.Queries == 0 {
		a.Queries = shape.Dim(1)
	}
	if !a.BFloat16 && kernels(a.QKV) {
		shape.Dimensions[1], shape.Dimensions[2] = a.Queries, shape.Dim(2)/3
		numbers := []int64{int64(a.Heads), int64(a.Queries)}
		back := func(inputs []*Node, result *Node) []*Node {
			return call("attention", numbers, nil, []*Node{inputs[0], result}, inputs[0].Shape())
		}
		return call("attention", numbers, back, []*Node{a.QKV}, shape)[0]
	}
	mixed := factors{a.BFloat16}.product(a.Of(0, a.Queries), a.part(2), []int{0, 1}, 3, 2)
	dims := mixed.Shape().Dimensions
	return Reshape(TransposeAllDims(mixed, 0, 2, 1, 3), dims[0], dims[2], dims[1]*dims[3])
}

// Probabilities is each query's softmax over the keys: [batch, heads, queries, keys].
func (a Attention) Probabilities() *Node { return a.probabilities(a.part(0)) }

// Of is the probabilities of the queries from index from up to before to.
func (a Attention) Of(from, to int) *Node {
	return a.probabilities(SliceAxis(a.part(0), 2, AxisRange(from, to)))
}

func (a Attention) probabilities(query *Node) *Node {
	query = MulScalar(query, 1/math.Sqrt(float64(query.Shape().Dim(3))))
	return Softmax(factors{a.BFloat16}.product(query, a.part(1), []int{0, 1}, 3, 3), -1)
}

// part is the queries (0), keys (1) or values (2), [batch, heads, tokens, headDim]. Heads
// stand before tokens, the order in which products run fastest.
func (a Attention) part(i int) *Node {
	dims := a.QKV.Shape().Dimensions
	all := dims[2] / 3
	part := SliceAxis(a.QKV, 2, AxisRange(i*all, (i+1)*all))
	return TransposeAllDims(Reshape(part, dims[0], dims[1], a.Heads, all/a.Heads), 0, 2, 1, 3)
}
