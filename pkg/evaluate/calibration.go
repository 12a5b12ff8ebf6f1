package evaluate

import (
	"fmt"
	"math"
)

// CalibrationBins is how many bins calibration is measured in, as by Guo et al.
const CalibrationBins = 15

// Calibration compares how sure a classifier says it is with how often it is
// right (Guo et al., "On Calibration of Modern Neural Networks", 2017).
type Calibration struct {
	ECE  float64 `json:"ece"` // expected calibration error: mean gap of the bins, weighted by their pictures
	MCE  float64 `json:"mce"` // the largest gap of a bin
	Bins []Bin   `json:"bins"`
}

// Bin is the pictures whose confidence lies above From and up to To.
type Bin struct {
	From       float64  `json:"from"`
	To         float64  `json:"to"`
	Pictures   int      `json:"pictures"`
	Confidence float64  `json:"confidence"` // mean; 0 without pictures
	Accuracy   Interval `json:"accuracy"`   // 0 without pictures
}

// Calibrate puts pictures into bins of equal width by confidence, the probability
// of the predicted class, in (0, 1]; right tells which were classified right.
func Calibrate(confidence []float64, right []bool, bins int) (Calibration, error) {
	if len(confidence) != len(right) || len(right) == 0 || bins < 1 {
		return Calibration{}, fmt.Errorf("evaluate: calibration of %d confidences, %d answers and %d bins", len(confidence), len(right), bins)
	}
	sums, correct := make([]float64, bins), make([]int, bins)
	c := Calibration{Bins: make([]Bin, bins)}
	for i, p := range confidence {
		if !(p >= 0 && p <= 1) {
			return Calibration{}, fmt.Errorf("evaluate: confidence %d is %g, not a probability", i, p)
		}
		bin := min(max(int(math.Ceil(p*float64(bins)))-1, 0), bins-1)
		c.Bins[bin].Pictures++
		sums[bin] += p
		if right[i] {
			correct[bin]++
		}
	}
	for i := range c.Bins {
		b := &c.Bins[i]
		b.From, b.To = float64(i)/float64(bins), float64(i+1)/float64(bins)
		if b.Pictures == 0 {
			continue
		}
		b.Confidence, b.Accuracy = sums[i]/float64(b.Pictures), Wilson(correct[i], b.Pictures)
		gap := math.Abs(b.Accuracy.Value - b.Confidence)
		c.ECE += gap * float64(b.Pictures) / float64(len(right))
		c.MCE = max(c.MCE, gap)
	}
	return c, nil
}
