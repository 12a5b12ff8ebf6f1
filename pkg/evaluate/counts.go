package evaluate

import (
	"fmt"
	"math"
)

// Counts are what a [Report] is made of, small enough to be kept for hundreds of runs:
// everything else in it follows from them and the names of the classes.
type Counts struct {
	// Confusion lists the cells of the confusion matrix that aren't zero, three numbers for
	// each: the true class, the predicted class, and the pictures.
	Confusion []int   `json:"confusion"`
	Top5      int     `json:"top5,omitempty"` // pictures whose true class is among the first five; 0 with five classes or fewer
	Loss      float64 `json:"loss"`
	// Bins are the bins of calibration that hold pictures, from the lowest confidence.
	Bins      []BinCount `json:"bins"`
	TopLosses []TopLoss  `json:"top_losses,omitempty"`
}

// BinCount is a bin of calibration.
type BinCount struct {
	Bin        int     `json:"bin"` // its number, from 0, of CalibrationBins
	Pictures   int     `json:"pictures"`
	Correct    int     `json:"correct"`
	Confidence float64 `json:"confidence"` // mean
}

// Counts are the report's counts, with at most the given number of its worst mistakes.
func (r *Report) Counts(losses int) Counts {
	c := Counts{Loss: r.Loss, TopLosses: r.TopLosses[:min(max(losses, 0), len(r.TopLosses))]}
	for i, row := range r.Confusion {
		for j, n := range row {
			if n > 0 {
				c.Confusion = append(c.Confusion, i, j, n)
			}
		}
	}
	if r.Top5 != nil {
		c.Top5 = int(math.Round(r.Top5.Value * float64(r.Pictures)))
	}
	for i, b := range r.Calibration.Bins {
		if b.Pictures > 0 {
			c.Bins = append(c.Bins, BinCount{Bin: i, Pictures: b.Pictures, Confidence: b.Confidence, Correct: int(math.Round(b.Accuracy.Value * float64(b.Pictures)))})
		}
	}
	return c
}

// Report works the report out again: the same as that which the counts are of, but for the
// mistakes that were left out. Counts that contradict each other are an error.
func (c Counts) Report(classes []string) (*Report, error) {
	r := &Report{Classes: classes, Loss: c.Loss, TopLosses: c.TopLosses}
	if r.TopLosses == nil {
		r.TopLosses = []TopLoss{}
	}
	if err := r.fillConfusion(c.Confusion); err != nil {
		return nil, err
	}
	r.Accuracy = Wilson(r.Correct, r.Pictures)
	if len(classes) > 5 {
		if c.Top5 < r.Correct || c.Top5 > r.Pictures {
			return nil, fmt.Errorf("evaluate: %d of %d pictures are right, and %d among the first five", r.Correct, r.Pictures, c.Top5)
		}
		interval := Wilson(c.Top5, r.Pictures)
		r.Top5 = &interval
	}
	for _, l := range c.TopLosses {
		if l.True < 0 || l.True >= len(classes) || l.Predicted < 0 || l.Predicted >= len(classes) || l.Index < 0 || l.Index >= r.Pictures {
			return nil, fmt.Errorf("evaluate: a mistake on picture %d, of class %d taken for %d: there are %d pictures of %d classes", l.Index, l.True, l.Predicted, r.Pictures, len(classes))
		}
	}
	r.PerClass, r.Pairs = classResults(classes, r.Confusion), confusedPairs(r.Confusion)
	var err error
	if r.Calibration, err = calibrationOf(c.Bins, r.Pictures, r.Correct); err != nil {
		return nil, err
	}
	r.Order, err = SimilarityOrder(r.Confusion)
	return r, err
}

// fillConfusion reads the matrix, and counts the pictures and those that are right.
func (r *Report) fillConfusion(cells []int) error {
	n := len(r.Classes)
	if len(cells)%3 != 0 || len(cells) == 0 {
		return fmt.Errorf("evaluate: %d numbers can't be a confusion matrix: three for each cell", len(cells))
	}
	r.Confusion = make([][]int, n)
	for i := range r.Confusion {
		r.Confusion[i] = make([]int, n)
	}
	for at := 0; at < len(cells); at += 3 {
		i, j, count := cells[at], cells[at+1], cells[at+2]
		if i < 0 || i >= n || j < 0 || j >= n || count < 1 || count > math.MaxInt32 || r.Confusion[i][j] != 0 {
			return fmt.Errorf("evaluate: %d pictures of class %d taken for %d: there are %d classes, each cell is named once, with a picture or more", count, i, j, n)
		}
		r.Confusion[i][j] = count
		r.Pictures += count
		if i == j {
			r.Correct += count
		}
	}
	return nil
}

// calibrationOf works calibration out from its bins.
func calibrationOf(bins []BinCount, pictures, correct int) (Calibration, error) {
	c := Calibration{Bins: make([]Bin, CalibrationBins)}
	for i := range c.Bins {
		c.Bins[i].From, c.Bins[i].To = float64(i)/CalibrationBins, float64(i+1)/CalibrationBins
	}
	last, all, right := -1, 0, 0
	for _, b := range bins {
		if b.Bin <= last || b.Bin >= CalibrationBins || b.Pictures < 1 || b.Pictures > pictures || b.Correct < 0 || b.Correct > b.Pictures || !(b.Confidence >= 0 && b.Confidence <= 1) {
			return Calibration{}, fmt.Errorf("evaluate: a bin of calibration has number %d of %d, %d pictures, %d right, confidence %g", b.Bin, CalibrationBins, b.Pictures, b.Correct, b.Confidence)
		}
		last, all, right = b.Bin, all+b.Pictures, right+b.Correct
		bin := &c.Bins[b.Bin]
		bin.Pictures, bin.Confidence, bin.Accuracy = b.Pictures, b.Confidence, Wilson(b.Correct, b.Pictures)
		gap := math.Abs(bin.Accuracy.Value - bin.Confidence)
		c.ECE += gap * float64(b.Pictures) / float64(pictures)
		c.MCE = max(c.MCE, gap)
	}
	if all != pictures || right != correct {
		return Calibration{}, fmt.Errorf("evaluate: the bins of calibration hold %d pictures, %d right, the confusion matrix %d and %d", all, right, pictures, correct)
	}
	return c, nil
}
