package layers

import (
	"math"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
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
		twice := ofOperations(func(inputs []*Node) []*Node {
			again := Attention{QKV: inputs[0], Heads: a.Heads, Queries: a.Queries}
			return differentiateAll([]*Node{again.operations()}, inputs[1:], inputs[:1])
		})
		back := func(inputs, results []*Node) []*Node {
			return call("attention", numbers, twice, []*Node{inputs[0], results[0]}, inputs[0].Shape())
		}
		return call("attention", numbers, back, []*Node{a.QKV}, shape)[0]
	}
	if flash := a.flash(); flash != nil {
		return flash
	}
	return a.operations()
}

// operations is Mixed of GoMLX's operations.
func (a Attention) operations() *Node {
	mixed := factors{a.BFloat16}.product(a.Of(0, a.Queries), a.part(2), []int{0, 1}, 3, 2)
	dims := mixed.Shape().Dimensions
	return Reshape(TransposeAllDims(mixed, 0, 2, 1, 3), dims[0], dims[2], dims[1]*dims[3])
}

// flash is Mixed by the backend's own attention, which keeps no scores either, where it
// has that and its gradient: cuDNN's, of bfloat16. nil elsewhere.
func (a Attention) flash() *Node {
	can := a.QKV.Graph().Backend().Capabilities().Operations
	if !a.BFloat16 || a.Queries != a.QKV.Shape().Dim(1) || !can[compute.OpTypeFusedScaledDotProductAttention] || !can[compute.OpTypeFusedScaledDotProductAttentionVJP] {
		return nil
	}
	return a.fused(dtypes.BFloat16)
}

// fused asks the backend for attention of numbers of a type; nil when it has none.
func (a Attention) fused(dtype dtypes.DType) (mixed *Node) {
	dims := a.QKV.Shape().Dimensions
	all := dims[2] / 3
	part := func(i int) *Node {
		part := SliceAxis(a.QKV, 2, AxisRange(i*all, (i+1)*all))
		return ConvertDType(Reshape(part, dims[0], dims[1], a.Heads, all/a.Heads), dtype)
	}
	scale := compute.ScaledDotProductAttentionConfig{Scale: 1 / math.Sqrt(float64(all/a.Heads))}
	query, key, value := part(0), part(1), part(2)
	err := exceptions.TryCatch[error](func() {
		mixed, _ = BackendFusedScaledDotProductAttention(query, key, value, compute.AxesLayoutBSHD, &scale)
	})
	if compute.IsNotImplemented(err) {
		return nil
	}
	if err != nil {
		panic(err)
	}
	return ConvertDType(Reshape(mixed, dims[0], dims[1], all), a.QKV.DType())
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
