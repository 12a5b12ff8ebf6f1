package evaluate

import (
	"errors"
	"fmt"
	"math"
)

// Predictions are a classifier's logits for pictures whose classes are known.
type Predictions struct {
	Classes []string  // names
	Names   []string  // of the pictures, as paths
	Labels  []int     // true class of each
	Logits  []float32 // [pictures, classes]
}

// Len is the number of pictures.
func (p *Predictions) Len() int { return len(p.Labels) }

// check says what is wrong, nil if nothing is.
func (p *Predictions) check() error {
	n, classes := len(p.Labels), len(p.Classes)
	switch {
	case n == 0:
		return errors.New("evaluate: there are no pictures")
	case classes == 0 || len(p.Logits) != n*classes || len(p.Names) != n:
		return fmt.Errorf("evaluate: %d pictures with %d names and %d classes have %d logits", n, len(p.Names), classes, len(p.Logits))
	}
	for i, label := range p.Labels {
		if label < 0 || label >= classes {
			return fmt.Errorf("evaluate: %s has class %d, which is none of %d", p.Names[i], label, classes)
		}
	}
	for i, v := range p.Logits {
		if v-v != 0 {
			return fmt.Errorf("evaluate: %s: the model answers %g for class %s", p.Names[i/classes], v, p.Classes[i%classes])
		}
	}
	return nil
}

// logits is the row of a picture.
func (p *Predictions) logits(i int) []float32 {
	return p.Logits[i*len(p.Classes) : (i+1)*len(p.Classes)]
}

// Answer is a classifier's prediction for one picture.
type Answer struct {
	Predicted       int
	Probability     float64 // of the predicted class
	TrueProbability float64 // of the true class
	Loss            float64 // cross entropy, -ln TrueProbability
	Rank            int     // classes that got a larger logit than the true one
}

// answer computes the prediction for picture i.
func (p *Predictions) answer(i int) Answer {
	row, label := p.logits(i), p.Labels[i]
	var a Answer
	for c, v := range row {
		if v > row[a.Predicted] {
			a.Predicted = c
		}
		if v > row[label] {
			a.Rank++
		}
	}
	top, sum := float64(row[a.Predicted]), 0.0
	for _, v := range row {
		sum += math.Exp(float64(v) - top)
	}
	a.Probability = 1 / sum
	a.Loss = math.Log(sum) + top - float64(row[label])
	a.TrueProbability = math.Exp(-a.Loss)
	return a
}

// Answers returns the prediction for each picture. If logits are equal, the first class counts.
func (p *Predictions) Answers() ([]Answer, error) {
	if err := p.check(); err != nil {
		return nil, err
	}
	out := make([]Answer, p.Len())
	for i := range out {
		out[i] = p.answer(i)
	}
	return out, nil
}

// Right tells which pictures were classified right.
func (p *Predictions) Right() ([]bool, error) {
	answers, err := p.Answers()
	if err != nil {
		return nil, err
	}
	right := make([]bool, len(answers))
	for i, a := range answers {
		right[i] = a.Predicted == p.Labels[i]
	}
	return right, nil
}
