package main

import (
	"fmt"
	"math"
	"slices"

	"gaze/pkg/evaluate"
)

// answers are a classifier's logits for a set of pictures: as they are, and mirrored.
type answers struct {
	views   [][]float32 // each [pictures, classes]
	classes int
	labels  []int
}

// mean is the mean of the views' logits.
func (a answers) mean() answers {
	sum := make([]float32, len(a.views[0]))
	for _, v := range a.views {
		for i := range sum {
			sum[i] += v[i] / float32(len(a.views))
		}
	}
	return answers{[][]float32{sum}, a.classes, a.labels}
}

// single is the first view alone.
func (a answers) single() answers { return answers{a.views[:1], a.classes, a.labels} }

// over divides all logits.
func (a answers) over(temperature float64) answers {
	out := answers{classes: a.classes, labels: a.labels}
	for _, v := range a.views {
		out.views = append(out.views, divided(v, temperature))
	}
	return out
}

// plus adds the logits of another classifier of the same pictures, view by view.
func (a answers) plus(b answers) answers {
	out := answers{classes: a.classes, labels: a.labels}
	for i, v := range a.views {
		sum := slices.Clone(v)
		for j := range sum {
			sum[j] += b.views[i][j]
		}
		out.views = append(out.views, sum)
	}
	return out
}

// row is the logits of a picture in the first view.
func (a answers) row(i int) []float32 { return a.views[0][i*a.classes : (i+1)*a.classes] }

// pick is some of the pictures.
func (a answers) pick(take func(i int) bool) answers {
	out := answers{views: make([][]float32, len(a.views)), classes: a.classes}
	for i, label := range a.labels {
		if !take(i) {
			continue
		}
		out.labels = append(out.labels, label)
		for v := range a.views {
			out.views[v] = append(out.views[v], a.views[v][i*a.classes:(i+1)*a.classes]...)
		}
	}
	return out
}

// best is the likeliest class of a picture and its probability, with logits divided by a
// temperature; loss is minus the log of the right class's probability.
func (a answers) best(i int, temperature float64) (class int, p, loss float64) {
	row := a.row(i)
	for k, v := range row {
		if v > row[class] {
			class = k
		}
	}
	sum := 0.0
	for _, v := range row {
		sum += math.Exp(float64(v-row[class]) / temperature)
	}
	return class, 1 / sum, math.Log(sum) - float64(row[a.labels[i]]-row[class])/temperature
}

// score is how good a classifier is on a set.
type score struct {
	Accuracy evaluate.Interval `json:"accuracy"` // of pictures as they are
	Mirrored evaluate.Interval `json:"accuracy_with_mirrored"`
	Loss     float64           `json:"loss"` // mean, of pictures as they are
	ECE      float64           `json:"ece"`
}

func (s score) String() string {
	return fmt.Sprintf("%.2f %% (%.2f to %.2f), with mirrored pictures %.2f %%; loss %.3f, ECE %.3f",
		100*s.Accuracy.Value, 100*s.Accuracy.Low, 100*s.Accuracy.High, 100*s.Mirrored.Value, s.Loss, s.ECE)
}

func (a answers) score() score {
	s := score{Accuracy: a.single().accuracy(), Mirrored: a.mean().accuracy(), Loss: a.loss(1)}
	s.ECE = a.single().ece(1)
	return s
}

func (a answers) accuracy() evaluate.Interval {
	right := 0
	for i, label := range a.labels {
		if class, _, _ := a.best(i, 1); class == label {
			right++
		}
	}
	return evaluate.Wilson(right, len(a.labels))
}

func (a answers) loss(temperature float64) float64 {
	sum := 0.0
	for i := range a.labels {
		_, _, loss := a.best(i, temperature)
		sum += loss
	}
	return sum / float64(len(a.labels))
}

// temperature is the one with the least loss (Guo et al. 2017), by golden section between
// 1/8 and 8: the loss is convex in its inverse.
func (a answers) temperature() float64 {
	const ratio = 0.6180339887498949
	low, high := math.Log(1.0/8), math.Log(8.0)
	for high-low > 1e-4 {
		x, y := high-ratio*(high-low), low+ratio*(high-low)
		if a.loss(math.Exp(x)) < a.loss(math.Exp(y)) {
			high = y
		} else {
			low = x
		}
	}
	return math.Exp((low + high) / 2)
}

func (a answers) ece(temperature float64) float64 {
	var confidence []float64
	var right []bool
	for i, label := range a.labels {
		class, p, _ := a.best(i, temperature)
		confidence, right = append(confidence, p), append(right, class == label)
	}
	c, err := evaluate.Calibrate(confidence, right, evaluate.CalibrationBins)
	if err != nil {
		return math.NaN()
	}
	return c.ECE
}

// calibrated is the expected calibration error of a temperature that was chosen on other
// pictures: on one half of the set, for the other, both ways round.
type calibrated struct {
	ECE    float64    `json:"ece"` // over all pictures
	Halves [2]float64 `json:"temperatures_of_the_halves"`
}

func (a answers) crossCalibrated() calibrated {
	var c calibrated
	var confidence []float64
	var right []bool
	for half := range 2 {
		fitted := a.pick(func(i int) bool { return i%2 == half })
		rest := a.pick(func(i int) bool { return i%2 != half })
		c.Halves[half] = fitted.temperature()
		for i, label := range rest.labels {
			class, p, _ := rest.best(i, c.Halves[half])
			confidence, right = append(confidence, p), append(right, class == label)
		}
	}
	if e, err := evaluate.Calibrate(confidence, right, evaluate.CalibrationBins); err == nil {
		c.ECE = e.ECE
	}
	return c
}
