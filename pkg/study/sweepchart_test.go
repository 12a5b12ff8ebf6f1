package study

import (
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
