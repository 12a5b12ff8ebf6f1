package study

import (
	"math"
	"strings"
	"testing"

	"gaze/pkg/train"
)

func TestSweepChart(t *testing.T) {
	s := &train.Sweep{Rates: []float64{1e-4, 1e-3, 1e-2, 1e-1}, Losses: []float64{4, 3, 2, 9}, Smoothed: []float64{4, 3.5, 2.5, 5}}
	for _, at := range []float64{0, 0.1} {
		s.DivergedAt = at
		chart := SweepChart(s)
		if img, err := chart.Image(1); err != nil || img.Bounds().Empty() {
			t.Errorf("the chart: %v", err)
		}
		last := chart.Lines[len(chart.Lines)-1]
		if marked := strings.HasPrefix(last.Label, "diverges"); marked != (at > 0) || marked && last.Value != at {
			t.Errorf("diverged at %g: the last line is %+v", at, last)
		}
	}
}

func TestSmoothed(t *testing.T) {
	// A straight line stays one, up to both ends.
	line := make([]float64, 50)
	for i := range line {
		line[i] = 3 - 0.1*float64(i)
	}
	for i, v := range smoothed(line) {
		if math.Abs(v-line[i]) > 1e-9 {
			t.Errorf("value %d of a line: %g, want %g", i, v, line[i])
		}
	}
	// Noise shrinks, and a step is followed within a few values.
	step := make([]float64, 100)
	for i := range step {
		step[i] = float64(i/50)*4 + []float64{-0.3, 0.3}[i%2]
	}
	got := smoothed(step)
	for i, want := range map[int]float64{10: 0, 40: 0, 60: 4, 90: 4} {
		if math.Abs(got[i]-want) > 0.05 {
			t.Errorf("value %d is %g, want %g", i, got[i], want)
		}
	}
	for _, short := range [][]float64{{}, {2}, {2, 3}} {
		for i, v := range smoothed(short) {
			if math.Abs(v-short[i]) > 1 || math.IsNaN(v) {
				t.Errorf("%v becomes %g", short, v)
			}
		}
	}
}
