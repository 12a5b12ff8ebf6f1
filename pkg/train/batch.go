package train

import (
	"fmt"
	"math/rand/v2"

	. "github.com/gomlx/gomlx/core/graph"
)

// oneHot is the targets [batch, classes] of labels.
func oneHot(labels []int, classes int) ([]float32, error) {
	targets := make([]float32, len(labels)*classes)
	for i, label := range labels {
		if label < 0 || label >= classes {
			return nil, fmt.Errorf("picture %d of the batch has label %d, the network has classes 0 to %d", i, label, classes-1)
		}
		targets[i*classes+label] = 1
	}
	return targets, nil
}

// smooth is label smoothing (Szegedy et al. 2016) as torch.nn.CrossEntropyLoss
// does it: the fraction of each target that is spread over all classes, from 0 to
// 1, which makes all classes alike.
func smooth(targets []float32, classes int, fraction float64) []float32 {
	if fraction == 0 {
		return targets
	}
	out := make([]float32, len(targets))
	for i, v := range targets {
		out[i] = float32(float64(v)*(1-fraction) + fraction/float64(classes))
	}
	return out
}

// greatest is the class with the greatest target of each picture, the first of
// equals, as a float32: [batch].
func greatest(targets []float32, classes int) []float32 {
	best := make([]float32, len(targets)/classes)
	for i := range best {
		row := targets[i*classes : (i+1)*classes]
		k := 0
		for c, v := range row {
			if v > row[k] {
				k = c
			}
		}
		best[i] = float32(k)
	}
	return best
}

// lossAndCorrect builds the cross entropy, its mean over the batch, and the number
// of pictures whose greatest logit is that of their class; both scalars. logits and
// targets: [batch, classes]; classes: [batch]. The targets can't stand for the
// classes: smoothing may leave no greatest one.
func lossAndCorrect(logits, targets, classes *Node) (loss, correct *Node) {
	each := Neg(ReduceSum(Mul(targets, LogSoftmax(logits, -1)), -1))
	hits := Equal(ConvertDType(ArgMax(logits, -1), classes.DType()), classes)
	return ReduceAllMean(each), ReduceAllSum(ConvertDType(hits, logits.DType()))
}

// dropFactors draws the residual branches' factors, [branches, batch]: 0 for a
// branch that a picture skips, else 1 over the probability that it doesn't. They
// depend on the seed, the number of the batch and nothing else.
func dropFactors(rates []float64, batch int, seed, number uint64) []float32 {
	r := rand.New(rand.NewPCG(seed, number))
	factors := make([]float32, len(rates)*batch)
	for b, rate := range rates {
		for i := range batch {
			if u := r.Float64(); u >= rate {
				factors[b*batch+i] = float32(1 / (1 - rate))
			}
		}
	}
	return factors
}
