package caption

import (
	"github.com/gomlx/compute/dtypes"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/support/exceptions"
)

// TargetMaps are the maps that training pulls the decoder's attention towards.
type TargetMaps struct {
	// Maps is the share of its attention that the step that predicts a token should give to
	// each cell, [rows, tokens-1, cells]. The shares of a step sum to one, or all are zero
	// where it has no target.
	Maps   *Node
	Weight float64 // of the divergence beside the cross entropy
}

// Losses are the losses of a batch of captions, all scalars.
type Losses struct {
	Total        *Node // CrossEntropy, plus Divergence by its weight
	CrossEntropy *Node // mean over predicted tokens, without padding
	Divergence   *Node // mean over the tokens that have a target map; nil without target maps
	Correct      *Node // tokens whose logit was the largest
	Tokens       *Node // tokens to predict
}

// Loss builds the loss of captions that [Decode] has read all of.
//
// tokens is Decode's input, int32 [rows, tokens]: step t predicts token t+1, unless that
// is padding. targets, if not nil, add the Kullback-Leibler divergence KL(target ‖ map) of
// the last layer's map, the mean of its heads. This is supervised attention (Liu et al.,
// "Attention Correctness in Neural Image Captioning", 2017, who take the cross entropy,
// which differs by a constant).
func Loss(cfg Config, out *Intermediates, tokens *Node, targets *TargetMaps) Losses {
	return SmoothedLoss(cfg, out, tokens, targets, 0)
}

// SmoothedLoss is [Loss] with label smoothing (Szegedy et al. 2016, as
// torch.nn.CrossEntropyLoss has it): smoothing is the share of each target, from 0 to 1, that
// is spread over all word pieces.
func SmoothedLoss(cfg Config, out *Intermediates, tokens *Node, targets *TargetMaps, smoothing float64) Losses {
	rows, length := tokens.Shape().Dim(0), tokens.Shape().Dim(1)
	steps := length - 1
	next := Slice(tokens, AxisRange(), AxisRange(1, length))
	logits := Slice(out.Logits, AxisRange(), AxisRange(0, steps))
	dtype := logits.DType()
	there := NotEqual(next, Scalar(next.Graph(), dtypes.Int32, cfg.PadID))
	counts := ConvertDType(there, dtype)

	logProbs := LogSoftmax(logits, -1)
	picked := ReduceSum(Mul(logProbs, OneHot(next, cfg.Vocab, dtype)), -1) // [rows, steps]
	if smoothing > 0 {
		picked = Add(MulScalar(picked, 1-smoothing), MulScalar(ReduceMean(logProbs, -1), smoothing))
	}
	l := Losses{Tokens: ReduceAllSum(counts)}
	l.CrossEntropy = Div(Neg(ReduceAllSum(Mul(picked, counts))), MaxScalar(l.Tokens, 1))
	hits := LogicalAnd(Equal(ArgMax(logits, -1, dtypes.Int32), next), there)
	l.Correct = ReduceAllSum(ConvertDType(hits, dtype))
	l.Total = l.CrossEntropy
	if targets == nil {
		return l
	}
	last := out.Layers[len(out.Layers)-1].Cross // [rows, heads, tokens, cells]
	if got, want := targets.Maps.Shape().Dimensions, []int{rows, steps, last.Shape().Dim(3)}; got[0] != want[0] || got[1] != want[1] || got[2] != want[2] {
		exceptions.Panicf("caption.Loss: the maps have shape %v, for these captions it is %v", got, want)
	}
	maps := ReduceMean(Slice(last, AxisRange(), AxisRange(), AxisRange(0, steps)), 1)
	l.Divergence = divergence(targets.Maps, maps)
	l.Total = Add(l.Total, MulScalar(l.Divergence, targets.Weight))
	return l
}

// divergence is KL(want ‖ have) over the last axis, the mean over the rows that have a
// target; 0 if none has.
func divergence(want, have *Node) *Node {
	const least = 1e-12 // keeps the logarithm of a share of zero finite; the product is zero anyway
	each := ReduceSum(Mul(want, Sub(Log(MaxScalar(want, least)), Log(MaxScalar(have, least)))), -1)
	rows := ReduceAllSum(Min(ReduceSum(want, -1), OnesLike(each)))
	return Div(ReduceAllSum(each), MaxScalar(rows, 1))
}
