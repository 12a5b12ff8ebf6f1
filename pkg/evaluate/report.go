package evaluate

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// Report is how well a classifier does, ready to be written as JSON.
type Report struct {
	// Training says that the classifier was trained on these very pictures. What it
	// gets right of them is then called training accuracy wherever the report is
	// written or drawn ("training_accuracy" in JSON): it tells how well they were
	// learnt, not how good the classifier is.
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

// ClassResult is how well one class is recognised.
type ClassResult struct {
	Class     string   `json:"class"`
	Pictures  int      `json:"pictures"` // of the class
	Correct   int      `json:"correct"`
	Accuracy  Interval `json:"accuracy"`  // of its pictures; their recall
	Predicted int      `json:"predicted"` // pictures taken for it
	Precision Interval `json:"precision"` // how many of those were of the class
}

// Pair is a class that is taken for another.
type Pair struct {
	True      int     `json:"true"`
	Predicted int     `json:"predicted"`
	Count     int     `json:"count"`
	Share     float64 `json:"share"` // of the true class's pictures
}

// TopLoss is a picture on which the classifier did worst.
type TopLoss struct {
	Index           int     `json:"index"` // in the predictions
	Name            string  `json:"name"`
	True            int     `json:"true"`
	Predicted       int     `json:"predicted"`
	Probability     float64 `json:"probability"`      // of the predicted class
	TrueProbability float64 `json:"true_probability"` // of the true class
	Loss            float64 `json:"loss"`
}

// How many of the worst a report lists.
const (
	maxPairs  = 20
	maxLosses = 24
)

// New works the report out.
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

// confusedPairs is the classes that are most often taken for another one.
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

// topLosses is the pictures that were classified worst: wrongly, the greatest
// loss first.
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

// measure is what the share that is right is called.
func (r *Report) measure() string {
	if r.Training {
		return "training accuracy"
	}
	return "accuracy"
}

// title is that at the beginning of a title.
func (r *Report) title() string {
	text := r.measure()
	return strings.ToUpper(text[:1]) + text[1:]
}

// MarshalJSON is the report as JSON, in which training accuracy is called so.
func (r Report) MarshalJSON() ([]byte, error) {
	type plain Report
	var text bytes.Buffer
	e := json.NewEncoder(&text)
	e.SetEscapeHTML(false) // the encoder of the report decides that
	if err := e.Encode(plain(r)); err != nil || !r.Training {
		return text.Bytes(), err
	}
	// Between a quote that isn't escaped and a colon only a key can stand.
	return bytes.ReplaceAll(text.Bytes(), []byte(`"accuracy":`), []byte(`"training_accuracy":`)), nil
}
