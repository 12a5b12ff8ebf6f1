package nn

import (
	"math"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/support/exceptions"

	"gaze/internal/xla/kernels"
)

// masked is the score of a key that a query must not attend to. Its exponential is
// exactly zero, and where all keys are masked the softmax stays finite.
const masked = -1e30

// Attention is multi-head self-attention between the two linear layers around it.
// Queries, keys and values lie side by side in QKV, each with all its heads.
type Attention struct {
	QKV   *Node // [batch, tokens, 3*heads*headDim]
	Heads int
	// Queries is for how many of each picture's tokens, the first, Output is computed; 0:
	// for all.
	Queries int
	// Mask is true for tokens that no query attends to, bool [batch, tokens]; nil: none.
	Mask *Node
	// Weights are the probabilities with which Output weighs the values, [batch, heads,
	// queries, keys]; nil: those of the queries and keys. They are for graphs that need the
	// gradient of the result with respect to the probabilities: Output doesn't depend on
	// the nodes that Probabilities makes.
	Weights *Node
	// BFloat16 rounds the factors and the results of both products, as torch.autocast
	// does.
	BFloat16 bool
}

// Output is the sum of the values, weighted by the probabilities: [batch, queries,
// heads*headDim].
func (a Attention) Output() *Node {
	shape := a.QKV.Shape().Clone()
	if len(shape.Dimensions) != 3 || a.Heads < 1 || shape.Dim(2)%(3*a.Heads) != 0 || a.Queries < 0 || a.Queries > shape.Dim(1) {
		exceptions.Panicf("nn: attention of %d heads and %d queries doesn't fit queries, keys and values of shape %s", a.Heads, a.Queries, shape)
	}
	if a.Mask != nil {
		if got, want := a.Mask.Shape(), shapes.Make(dtypes.Bool, shape.Dim(0), shape.Dim(1)); !got.Equal(want) {
			exceptions.Panicf("nn: the mask of an attention has shape %s, not %s", got, want)
		}
	}
	if a.Queries == 0 {
		a.Queries = shape.Dim(1)
	}
	if a.Weights != nil {
		return a.mixed(a.Weights)
	}
	if !a.BFloat16 && a.Mask == nil && useKernels(a.QKV) {
		shape.Dimensions[1], shape.Dimensions[2] = a.Queries, shape.Dim(2)/3
		numbers := kernels.AttentionAttributes(a.Heads, a.Queries)
		twice := ofOperations(func(inputs []*Node) []*Node {
			again := Attention{QKV: inputs[0], Heads: a.Heads, Queries: a.Queries}
			return differentiateAll([]*Node{again.operations()}, inputs[1:], inputs[:1])
		})
		back := func(inputs, results []*Node) []*Node {
			return call(kernels.Attention, numbers, twice, []*Node{inputs[0], results[0]}, inputs[0].Shape())
		}
		return call(kernels.Attention, numbers, back, []*Node{a.QKV}, shape)[0]
	}
	if flash := a.flash(); flash != nil {
		return flash
	}
	return a.operations()
}

// operations is Output made of GoMLX's operations.
func (a Attention) operations() *Node { return a.mixed(a.QueryProbabilities(0, a.Queries)) }

// mixed is the sum of the values, weighted by probabilities.
func (a Attention) mixed(probabilities *Node) *Node {
	return MergeHeads(precision{a.BFloat16}.product(probabilities, a.part(2), []int{0, 1}, 3, 2))
}

// flash is Output by the backend's own attention, which keeps no scores, if it has that
// and its gradient (cuDNN's, in bfloat16); otherwise nil.
func (a Attention) flash() *Node {
	can := a.QKV.Graph().Backend().Capabilities().Operations
	if !a.BFloat16 || a.Mask != nil || a.Queries != a.QKV.Shape().Dim(1) || !can[compute.OpTypeFusedScaledDotProductAttention] || !can[compute.OpTypeFusedScaledDotProductAttentionVJP] {
		return nil
	}
	return a.fused(dtypes.BFloat16)
}

// fused is Output by the backend's own attention in a dtype; nil if it has none.
func (a Attention) fused(dtype dtypes.DType) (output *Node) {
	dims := a.QKV.Shape().Dimensions
	all := dims[2] / 3
	part := func(i int) *Node {
		part := SliceAxis(a.QKV, 2, AxisRange(i*all, (i+1)*all))
		return ConvertDType(Reshape(part, dims[0], dims[1], a.Heads, all/a.Heads), dtype)
	}
	scale := compute.ScaledDotProductAttentionConfig{Scale: 1 / math.Sqrt(float64(all/a.Heads))}
	query, key, value := part(0), part(1), part(2)
	err := exceptions.TryCatch[error](func() {
		output, _ = BackendFusedScaledDotProductAttention(query, key, value, compute.AxesLayoutBSHD, &scale)
	})
	if compute.IsNotImplemented(err) {
		return nil
	}
	if err != nil {
		panic(err)
	}
	return ConvertDType(Reshape(output, dims[0], dims[1], all), a.QKV.DType())
}

// Probabilities is each query's softmax over the keys: [batch, heads, queries, keys]. It
// is computed apart from Output, and only if it is asked for.
func (a Attention) Probabilities() *Node { return a.probabilities(a.part(0)) }

// QueryProbabilities is the probabilities of the queries from index from up to, but not
// including, to.
func (a Attention) QueryProbabilities(from, to int) *Node {
	return a.probabilities(SliceAxis(a.part(0), 2, AxisRange(from, to)))
}

func (a Attention) probabilities(query *Node) *Node {
	var masks []*Node
	if a.Mask != nil {
		masks = append(masks, Reshape(a.Mask, a.Mask.Shape().Dim(0), 1, 1, -1))
	}
	return precision{a.BFloat16}.probabilities(query, a.part(1), masks)
}

// part is the queries (0), keys (1) or values (2), split into heads.
func (a Attention) part(i int) *Node {
	all := a.QKV.Shape().Dim(2) / 3
	return SplitHeads(SliceAxis(a.QKV, 2, AxisRange(i*all, (i+1)*all)), a.Heads)
}

// CrossAttention is multi-head attention whose keys and values come from elsewhere, such
// as another sequence or a cache. All are split into heads.
type CrossAttention struct {
	Query      *Node // [batch, heads, queries, headDim]
	Key, Value *Node // [batch, heads, keys, headDim]
	// Masks are true where a query must not attend to a key. Each is bool and can be
	// broadcast to [batch, heads, queries, keys].
	Masks []*Node
}

// Apply returns the sum of the values, weighted by the probabilities, [batch, heads,
// queries, headDim], and the probabilities, [batch, heads, queries, keys].
func (a CrossAttention) Apply() (output, probabilities *Node) {
	probabilities = precision{}.probabilities(a.Query, a.Key, a.Masks)
	return precision{}.product(probabilities, a.Value, []int{0, 1}, 3, 2), probabilities
}

// probabilities is the softmax of the scaled products of queries and keys, both split
// into heads.
func (p precision) probabilities(query, key *Node, masks []*Node) *Node {
	query = MulScalar(query, 1/math.Sqrt(float64(query.Shape().Dim(3))))
	scores := p.product(query, key, []int{0, 1}, 3, 3)
	for _, m := range masks {
		m = BroadcastToDims(m, scores.Shape().Dimensions...)
		scores = Where(m, Scalar(scores.Graph(), scores.DType(), masked), scores)
	}
	return Softmax(scores, -1)
}

// SplitHeads splits [batch, tokens, heads*headDim] into [batch, heads, tokens, headDim],
// the order in which the products of attention run fastest.
func SplitHeads(x *Node, heads int) *Node {
	dims := x.Shape().Dimensions
	return TransposeAllDims(Reshape(x, dims[0], dims[1], heads, dims[2]/heads), 0, 2, 1, 3)
}

// MergeHeads is the inverse of [SplitHeads].
func MergeHeads(x *Node) *Node {
	dims := x.Shape().Dimensions
	return Reshape(TransposeAllDims(x, 0, 2, 1, 3), dims[0], dims[2], dims[1]*dims[3])
}
