package study

import (
	"fmt"
	"math"

	"gaze/pkg/plots"
	"gaze/pkg/train"
)

// SweepChart draws the loss over the learning rate, with the suggested rates and the
// rate at which training broke down. Its line is a mean over neighbouring updates: the
// moving average that the suggestions come from, fastai's, is one over the past, and lags
// far behind the losses.
func SweepChart(s *train.Sweep) plots.LineChart {
	chart := plots.LineChart{
		Series: []plots.Series{
			{Name: "loss, smoothed", X: s.Rates, Y: smoothed(s.Losses)},
			{Name: "loss of an update", X: s.Rates, Y: s.Losses, Points: true, NoLine: true},
		},
		Lines: []plots.RefLine{
			{Value: s.Steepest(), Label: plots.Signs(fmt.Sprintf("steepest %.1e", s.Steepest())), Vertical: true},
			{Value: s.MinimumTenth(), Label: plots.Signs(fmt.Sprintf("minimum/10 %.1e", s.MinimumTenth())), Vertical: true},
		},
		Title: "Loss at rising learning rates", Subtitle: "dashed: fastai's suggestions, from a moving average that lags behind the losses",
		XLabel: "learning rate", YLabel: "loss", LogX: true,
	}
	if s.DivergedAt > 0 {
		chart.Lines = append(chart.Lines, plots.RefLine{Value: s.DivergedAt, Label: plots.Signs(fmt.Sprintf("diverges %.1e", s.DivergedAt)), Vertical: true})
	}
	return chart
}

// smoothed returns for each value the straight line's value there that fits its
// neighbours best, weighted by a Gaussian (local linear regression, Cleveland 1979): unlike
// a mean it follows a trend also at the ends. The Gaussian's width is a fortieth of the
// values, at least one.
func smoothed(values []float64) []float64 {
	width := max(1, float64(len(values))/40)
	out := make([]float64, len(values))
	for i := range values {
		var w, x, y, xx, xy float64 // sums of the weights, and of distances and values times them
		for j, v := range values {
			d := float64(j - i)
			g := math.Exp(-d * d / (2 * width * width))
			w, x, y, xx, xy = w+g, x+g*d, y+g*v, xx+g*d*d, xy+g*d*v
		}
		out[i] = y / w
		if det := w*xx - x*x; det > 1e-9*w*xx {
			out[i] = (xx*y - x*xy) / det
		}
	}
	return out
}
