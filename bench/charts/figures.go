package main

import (
	"fmt"
	"math"
	"strings"

	"gaze/pkg/plots"
)

// ratios returns a chart of a group's rows with Gaze's speed relative to each peer. ok is
// false if Gaze or all its peers have no figures.
func (r results) ratios(group string, rows []row) (plots.Figure, bool) {
	chart := plots.BarChart{
		Title:      "Speed of Gaze on XLA relative to its peers: " + group,
		Subtitle:   "ratios of medians; above 1 Gaze is faster",
		Horizontal: true,
		Lines:      []float64{1},
		Format:     func(v float64) string { return fmt.Sprintf("%.2f", v) },
	}
	for _, row := range rows {
		chart.Names = append(chart.Names, row.Name)
	}
	peers := r.present(rows)
	color := colors(peers)
	for _, peer := range peers {
		if peer == "gaze" || strings.HasSuffix(peer, "-loaded") { // on a busy machine: only in the table
			continue
		}
		bars := plots.Bars{Name: r.Peers[peer], Color: color[peer]}
		for _, row := range rows {
			ratio := row.Peers[peer].median() / row.Peers["gaze"].median()
			if ratio == 0 || math.IsInf(ratio, 0) {
				ratio = math.NaN() // no bar
			}
			bars.Values = append(bars.Values, ratio)
		}
		chart.Series = append(chart.Series, bars)
	}
	return chart, len(chart.Series) > 0 && anyNumber(chart.Series)
}

func anyNumber(series []plots.Bars) bool {
	for _, s := range series {
		for _, v := range s.Values {
			if !math.IsNaN(v) {
				return true
			}
		}
	}
	return false
}

// growth returns a chart of the time of one repetition against the quantity that grows,
// with logarithmic axes and the slope of each line by least squares.
func (r results) growth(axis string, rows []row) (plots.Figure, bool) {
	chart := plots.LineChart{
		Title: "Seconds by " + axis, Subtitle: "in brackets: the exponent fitted to the line",
		XLabel: axis, YLabel: "seconds", LogX: true, LogY: true,
	}
	peers := r.present(rows)
	color := colors(peers)
	for _, peer := range peers {
		s := plots.Series{Points: true, Color: color[peer]}
		for _, row := range rows {
			if seconds := row.Peers[peer].median(); seconds > 0 {
				s.X, s.Y = append(s.X, row.X), append(s.Y, seconds)
			}
		}
		s.Name = r.Peers[peer]
		if len(s.X) > 1 {
			s.Name += fmt.Sprintf(" (%.2f)", exponent(s.X, s.Y))
		}
		chart.Series = append(chart.Series, s)
	}
	return chart, len(chart.Series) > 0
}

// exponent returns the power of x that fits y best: the slope of their logarithms.
func exponent(x, y []float64) float64 {
	var mx, my float64
	for i := range x {
		mx += math.Log(x[i]) / float64(len(x))
		my += math.Log(y[i]) / float64(len(x))
	}
	var xy, xx float64
	for i := range x {
		dx := math.Log(x[i]) - mx
		xy += dx * (math.Log(y[i]) - my)
		xx += dx * dx
	}
	return xy / xx
}
