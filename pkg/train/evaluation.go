package train

import (
	"context"
	"errors"
	"fmt"
)

// Evaluation is how good a network's answers are.
type Evaluation struct {
	Loss     float64 `json:"loss"` // mean; of a classifier the cross entropy, without smoothing
	Correct  int     `json:"correct"`
	Total    int     `json:"total"`    // answers; a classifier gives one for each picture
	Accuracy float64 `json:"accuracy"` // Correct/Total
}

// Better reports whether an evaluation is better than another, or than nil: by accuracy,
// then by loss.
func (e Evaluation) Better(than *Evaluation) bool {
	if than == nil || e.Accuracy != than.Accuracy {
		return than == nil || e.Accuracy > than.Accuracy
	}
	return e.Loss < than.Loss
}

// sums adds up the results of batches.
type sums struct {
	loss             float64 // of all answers
	correct, answers int
}

func (s *sums) add(m Metrics) {
	s.loss += m.Loss * float64(m.Answers)
	s.correct += m.Correct
	s.answers += m.Answers
}

func (s sums) evaluation() Evaluation {
	n := float64(max(s.answers, 1))
	return Evaluation{Loss: s.loss / n, Correct: s.correct, Total: s.answers, Accuracy: float64(s.correct) / n}
}

// Evaluate evaluates a source's pictures (its epoch 0) with the weights or with their
// average. If the context is cancelled it returns the context's error.
func (t *Trainer) Evaluate(ctx context.Context, source Source, averaged bool) (Evaluation, error) {
	var total sums
	for batch, err := range source.Batches(0, 0) {
		if err != nil {
			return Evaluation{}, err
		}
		if err := ctx.Err(); err != nil {
			return Evaluation{}, err
		}
		if len(batch.Images) == 0 {
			continue
		}
		if batch = t.ownPart(batch); len(batch.Images) == 0 {
			continue
		}
		outputs, err := t.Outputs(batch, averaged)
		if err != nil {
			return Evaluation{}, err
		}
		if err := t.net.Loss.evaluate(batch, outputs, &total); err != nil {
			return Evaluation{}, fmt.Errorf("train: evaluating: %w", err)
		}
	}
	if err := t.sumTotal(&total); err != nil {
		return Evaluation{}, err
	}
	if total.answers == 0 {
		return Evaluation{}, errors.New("train: there are no pictures to evaluate on")
	}
	if total.loss-total.loss != 0 {
		return Evaluation{}, brokeDown{fmt.Errorf("train: after update %d the network's answers are NaN or infinite: the learning rate is too high, or the pictures hold NaN", t.updates)}
	}
	return total.evaluation(), nil
}
