package train

import (
	"context"
	"fmt"
	"iter"
	"math"
)

// Batch is what a step takes: pictures [batch, channels, height, width] and
// their labels, or targets [batch, classes] in place of them, or what the
// network's objective takes.
type Batch struct {
	Images  []float32
	Labels  []int
	Targets []float32 // nil: labels count
	Inputs  []Values  // of a network with an objective, in its order
}

// Values is an input of a batch beside its pictures, row-major.
type Values struct {
	Shape  []int
	Floats []float32 // these
	Ints   []int32   // or these
}

// Source gives the batches of an epoch. Everything random in them is decided by
// a seed, the epoch and the batch's number, so that a run that resumes sees what
// it would have seen.
type Source interface {
	// Len is the number of batches in an epoch.
	Len() int
	// Batches gives the epoch's batches from number from on. A batch is the
	// receiver's until it asks for the next. One without pictures counts, and is
	// passed over. Stopping early frees what is held.
	Batches(epoch, from int) iter.Seq2[Batch, error]
}

// Evaluation is how well a network classifies.
type Evaluation struct {
	Loss     float64 `json:"loss"` // mean cross entropy, without smoothing
	Correct  int     `json:"correct"`
	Total    int     `json:"total"`
	Accuracy float64 `json:"accuracy"` // Correct/Total
}

// Better tells whether an evaluation beats another, or nil: by accuracy, then by
// loss.
func (e Evaluation) Better(than *Evaluation) bool {
	if than == nil || e.Accuracy != than.Accuracy {
		return than == nil || e.Accuracy > than.Accuracy
	}
	return e.Loss < than.Loss
}

// Evaluate classifies a source's pictures (its epoch 0) with the weights or with
// their average. A cancelled context ends it with the context's error.
func (t *Trainer) Evaluate(ctx context.Context, source Source, averaged bool) (Evaluation, error) {
	var e Evaluation
	for batch, err := range source.Batches(0, 0) {
		if err != nil {
			return e, err
		}
		if err := ctx.Err(); err != nil {
			return e, err
		}
		if len(batch.Images) == 0 {
			continue
		}
		if t.net.Objective != nil {
			if err := t.evaluateObjective(batch, averaged, &e); err != nil {
				return e, err
			}
			continue
		}
		logits, err := t.Logits(batch.Images, averaged)
		if err != nil {
			return e, err
		}
		if len(batch.Labels)*t.net.Classes != len(logits) {
			return e, fmt.Errorf("train: a batch of %d pictures has %d labels", len(logits)/t.net.Classes, len(batch.Labels))
		}
		for i, label := range batch.Labels {
			if label < 0 || label >= t.net.Classes {
				return e, fmt.Errorf("train: label %d, the network has classes 0 to %d", label, t.net.Classes-1)
			}
			loss, right := classify(logits[i*t.net.Classes:(i+1)*t.net.Classes], label)
			e.Loss += loss
			if e.Total++; right {
				e.Correct++
			}
		}
	}
	if e.Total == 0 {
		return e, fmt.Errorf("train: there are no pictures to evaluate on")
	}
	if e.Loss-e.Loss != 0 {
		return e, fmt.Errorf("train: after update %d the network answers NaN or infinities: the learning rate is too high, or the pictures hold NaN", t.updates)
	}
	e.Loss /= float64(e.Total)
	e.Accuracy = float64(e.Correct) / float64(e.Total)
	return e, nil
}

// classify is the cross entropy of one picture's logits, and whether the first
// of the greatest is the label's.
func classify(logits []float32, label int) (loss float64, right bool) {
	best := 0
	for i, v := range logits {
		if v > logits[best] {
			best = i
		}
	}
	top, sum := float64(logits[best]), 0.0
	for _, v := range logits {
		sum += math.Exp(float64(v) - top)
	}
	return math.Log(sum) + top - float64(logits[label]), best == label
}
