package caption

import (
	"github.com/gomlx/compute/dtypes"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/support/exceptions"
)

// Taught is where captions should look, as training takes it.
type Taught struct {
	// Maps says what share of its attention the step that predicts a piece should
	// give each cell, [rows, tokens-1, cells]: shares that sum to one, or all zero
	// where nothing is taught.
	Maps   *Node
	Weight float64 // of the divergence beside the cross entropy
}

// Losses is what a batch of captions costs; all are scalars.
type Losses struct {
	Total        *Node // CrossEntropy, and what is taught by its weight
	CrossEntropy *Node // mean over predicted pieces, padding left out
	Divergence   *Node // mean over the pieces for which a map is taught; nil without any
	Correct      *Node // pieces whose logit was the greatest
	Pieces       *Node // that were to be predicted
}

// Loss builds the loss of captions that [Decode] has read all of.
//
// tokens is what Decode was given, int32 [rows, tokens]: step t is to predict
// piece t+1, where that isn't padding. taught, where it isn't nil, adds the
// Kullback-Leibler divergence KL(taught ‖ map) of the last layer's map, the mean
// of its heads, as supervised attention does (Liu et al., "Attention Correctness
// in Neural Image Captioning", 2017, who take the cross entropy, which differs by
// a constant).
func Loss(cfg Config, out *Intermediates, tokens *Node, taught *Taught) Losses {
	rows, length := tokens.Shape().Dim(0), tokens.Shape().Dim(1)
	steps := length - 1
	next := Slice(tokens, AxisRange(), AxisRange(1, length))
	logits := Slice(out.Logits, AxisRange(), AxisRange(0, steps))
	dtype := logits.DType()
	there := NotEqual(next, Scalar(next.Graph(), dtypes.Int32, cfg.PadID))
	counts := ConvertDType(there, dtype)

	picked := ReduceSum(Mul(LogSoftmax(logits, -1), OneHot(next, cfg.Vocab, dtype)), -1) // [rows, steps]
	l := Losses{Pieces: ReduceAllSum(counts)}
	l.CrossEntropy = Div(Neg(ReduceAllSum(Mul(picked, counts))), MaxScalar(l.Pieces, 1))
	hits := LogicalAnd(Equal(ArgMax(logits, -1, dtypes.Int32), next), there)
	l.Correct = ReduceAllSum(ConvertDType(hits, dtype))
	l.Total = l.CrossEntropy
	if taught == nil {
		return l
	}
	last := out.Layers[len(out.Layers)-1].Cross // [rows, heads, tokens, cells]
	if got, want := taught.Maps.Shape().Dimensions, []int{rows, steps, last.Shape().Dim(3)}; got[0] != want[0] || got[1] != want[1] || got[2] != want[2] {
		exceptions.Panicf("caption.Loss: the maps have shape %v, for these captions it is %v", got, want)
	}
	seen := ReduceMean(Slice(last, AxisRange(), AxisRange(), AxisRange(0, steps)), 1)
	l.Divergence = divergence(taught.Maps, seen)
	l.Total = Add(l.Total, MulScalar(l.Divergence, taught.Weight))
	return l
}

// divergence is KL(want ‖ have) over the last axis, the mean over those rows where
// something is wanted; 0 if there is none.
func divergence(want, have *Node) *Node {
	const least = 1e-12 // keeps the logarithm of a share of nothing finite, which counts for nothing
	each := ReduceSum(Mul(want, Sub(Log(MaxScalar(want, least)), Log(MaxScalar(have, least)))), -1)
	rows := ReduceAllSum(Min(ReduceSum(want, -1), OnesLike(each)))
	return Div(ReduceAllSum(each), MaxScalar(rows, 1))
}
