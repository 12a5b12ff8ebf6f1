package evaluate

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// Report is how good a classifier is, ready to be written as JSON.
type Report struct {
	// Training says that the classifier was trained on these pictures. Text, figures and
	// JSON then have "training accuracy" instead of "accuracy", since it says how well the
	// pictures were learnt and not how good the classifier is.
	Training bool `json:"-"`

	Pictures    int           `json:"pictures"`
	Correct     int           `json:"correct"`
	Accuracy    Interval      `json:"accuracy"`
	Top5        *Interval     `json:"top5,omitempty"` // with more than five classes
	Loss        float64       `json:"loss"`           // mean cross entropy
	Classes     []string      `json:"classes"`
	PerClass    []ClassResult `json:"per_class"` // in the classes' order
	Confusion   [][]int       `json:"confusion"` // [true][predicted], in the classes' order
	Order       []int         `json:"order"`     // classes by similarity; see SimilarityOrder
	Pairs       []Pair        `json:"most_confused"`
	Calibration Calibration   `json:"calibration"`
	TopLosses   []TopLoss     `json:"top_losses"`
}

// ClassResult is the result for one class.
type ClassResult struct {
	Class     string   `json:"class"`
	Pictures  int      `json:"pictures"` // of the class
	Correct   int      `json:"correct"`
	Accuracy  Interval `json:"accuracy"`  // of its pictures; their recall
	Predicted int      `json:"predicted"` // pictures that it was predicted for
	Precision Interval `json:"precision"` // share of those that are of the class
}

// Pair is a class that another is predicted for.
type Pair struct {
	True      int     `json:"true"`
	Predicted int     `json:"predicted"`
	Count     int     `json:"count"`
	Share     float64 `json:"share"` // of the true class's pictures
}

// TopLoss is a misclassified picture with a large loss.
type TopLoss struct {
	Index           int     `json:"index"` // in the predictions
	Name            string  `json:"name"`
	True            int     `json:"true"`
	Predicted       int     `json:"predicted"`
	Probability     float64 `json:"probability"`      // of the predicted class
	TrueProbability float64 `json:"true_probability"` // of the true class
	Loss            float64 `json:"loss"`
}

// The numbers of pairs and losses in a report.
const (
	maxPairs  = 20
	maxLosses = 24
)

// New computes the report.
func New(p *Predictions) (*Report, error) {
	answers, err := p.Answers()
	if err != nil {
		return nil, err
	}
	r := &Report{Pictures: p.Len(), Classes: p.Classes, Confusion: make([][]int, len(p.Classes))}
	for i := range r.Confusion {
		r.Confusion[i] = make([]int, len(p.Classes))
	}
	confidence, right, top5 := make([]float64, r.Pictures), make([]bool, r.Pictures), 0
	for i, a := range answers {
		r.Confusion[p.Labels[i]][a.Predicted]++
		r.Loss += a.Loss / float64(r.Pictures)
		confidence[i], right[i] = a.Probability, a.Predicted == p.Labels[i]
		if right[i] {
			r.Correct++
		}
		if a.Rank < 5 {
			top5++
		}
	}
	r.Accuracy = Wilson(r.Correct, r.Pictures)
	if len(p.Classes) > 5 {
		interval := Wilson(top5, r.Pictures)
		r.Top5 = &interval
	}
	r.PerClass, r.Pairs = classResults(p.Classes, r.Confusion), confusedPairs(r.Confusion)
	r.TopLosses = topLosses(p, answers)
	if r.Calibration, err = Calibrate(confidence, right, CalibrationBins); err != nil {
		return nil, err
	}
	r.Order, err = SimilarityOrder(r.Confusion)
	return r, err
}

func classResults(classes []string, confusion [][]int) []ClassResult {
	out := make([]ClassResult, len(classes))
	for i := range out {
		c := &out[i]
		c.Class, c.Correct = classes[i], confusion[i][i]
		for j := range classes {
			c.Pictures += confusion[i][j]
			c.Predicted += confusion[j][i]
		}
		c.Accuracy, c.Precision = Wilson(c.Correct, c.Pictures), Wilson(c.Correct, c.Predicted)
	}
	return out
}

// confusedPairs are the most frequent confusions.
func confusedPairs(confusion [][]int) []Pair {
	pairs := []Pair{}
	for i, row := range confusion {
		total := 0
		for _, n := range row {
			total += n
		}
		for j, n := range row {
			if i != j && n > 0 {
				pairs = append(pairs, Pair{True: i, Predicted: j, Count: n, Share: float64(n) / float64(total)})
			}
		}
	}
	slices.SortStableFunc(pairs, func(a, b Pair) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(b.Share, a.Share))
	})
	return pairs[:min(len(pairs), maxPairs)]
}

// topLosses are the misclassified pictures, the largest loss first.
func topLosses(p *Predictions, answers []Answer) []TopLoss {
	losses := []TopLoss{}
	for i, a := range answers {
		if a.Predicted != p.Labels[i] {
			losses = append(losses, TopLoss{
				Index: i, Name: p.Names[i], True: p.Labels[i], Predicted: a.Predicted,
				Probability: a.Probability, TrueProbability: a.TrueProbability, Loss: a.Loss,
			})
		}
	}
	slices.SortStableFunc(losses, func(a, b TopLoss) int { return cmp.Compare(b.Loss, a.Loss) })
	return losses[:min(len(losses), maxLosses)]
}

// String is the result in a line.
func (r *Report) String() string {
	right := "right"
	if r.Training {
		right = "right in training"
	}
	return fmt.Sprintf("%d of %d %s: %s; ECE %.3f", r.Correct, r.Pictures, right, r.Accuracy.Percent(), r.Calibration.ECE)
}

// measure is the name of the share of right answers.
func (r *Report) measure() string {
	if r.Training {
		return "training accuracy"
	}
	return "accuracy"
}

// title is measure with a capital letter.
func (r *Report) title() string {
	text := r.measure()
	return strings.ToUpper(text[:1]) + text[1:]
}

// MarshalJSON is the report as JSON, with training_accuracy in place of accuracy if Training
// is set.
func (r Report) MarshalJSON() ([]byte, error) {
	type plain Report
	var text bytes.Buffer
	e := json.NewEncoder(&text)
	e.SetEscapeHTML(false) // the encoder that called this decides about escaping
	if err := e.Encode(plain(r)); err != nil || !r.Training {
		return text.Bytes(), err
	}
	// Only a key can be between an unescaped quote and a colon.
	return bytes.ReplaceAll(text.Bytes(), []byte(`"accuracy":`), []byte(`"training_accuracy":`)), nil
}
