package study

import (
	"fmt"

	"gaze/pkg/plots"
	"gaze/pkg/train"
)

// SweepChart draws the loss over the learning rate, with the suggested rates and the
// rate at which training broke down.
func SweepChart(s *train.Sweep) plots.LineChart {
	chart := plots.LineChart{
		Series: []plots.Series{
			{Name: "smoothed loss", X: s.Rates, Y: s.Smoothed},
			{Name: "loss", X: s.Rates, Y: s.Losses, Points: true, NoLine: true},
		},
		Lines: []plots.RefLine{
			{Value: s.Steepest(), Label: fmt.Sprintf("steepest %.1e", s.Steepest()), Vertical: true},
			{Value: s.MinimumTenth(), Label: fmt.Sprintf("minimum/10 %.1e", s.MinimumTenth()), Vertical: true},
		},
		Title: "Loss at rising learning rates", XLabel: "learning rate", YLabel: "loss", LogX: true,
	}
	if s.DivergedAt > 0 {
		chart.Lines = append(chart.Lines, plots.RefLine{Value: s.DivergedAt, Label: fmt.Sprintf("diverges %.1e", s.DivergedAt), Vertical: true})
	}
	return chart
}
