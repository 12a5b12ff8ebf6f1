package main

import (
	"fmt"

	"gaze/pkg/explain"
	"gaze/pkg/plots"
	"gaze/pkg/transform"
)

// maxFigureRows is the number of pictures up to which a figure can be read.
const maxFigureRows = 20

// figureTop is the number of classes that a figure shows.
const figureTop = 5

// classFigure collects a row for each picture: the photograph with its label, where the
// model looked (if it tells), and the likeliest classes.
type classFigure struct {
	grid  plots.Grid
	model string
}

func newClassFigure(model string) *classFigure {
	return &classFigure{grid: plots.Grid{OwnRange: true, PanelWidth: 290}, model: model}
}

// add takes the next picture with its answer.
func (f *classFigure) add(im *transform.Image, seen impression, a answer) error {
	title := fmt.Sprintf("%s, %s", a.Label, percent(a.Probability))
	if seen.noPet {
		title = fmt.Sprintf("no cat or dog? (%s)", percent(*seen.pet))
	}
	row := []plots.Panel{{Title: title, Picture: im}}
	if seen.looked != nil {
		part, err := explain.Seen(seen.steps, im)
		if err != nil {
			return err
		}
		row = append(row, plots.Panel{Title: "where it looked", Picture: part, Values: seen.looked.Matrix(), Interpolation: plots.Bilinear})
	}
	bars, err := likeliest(a)
	if err != nil {
		return err
	}
	f.grid.Panels = append(f.grid.Panels, append(row, bars))
	return nil
}

// likeliest draws the likeliest classes as bars.
func likeliest(a answer) (plots.Panel, error) {
	chart := plots.BarChart{Horizontal: true, Length: 150, Min: 0, Max: 1.4, Format: percent, Series: []plots.Bars{{}}}
	for _, c := range a.Top {
		chart.Names = append(chart.Names, c.Label)
		chart.Series[0].Values = append(chart.Series[0].Values, c.Probability)
	}
	im, err := chart.Image(2)
	if err != nil {
		return plots.Panel{}, err
	}
	return plots.Panel{Title: "likeliest", Picture: im}, nil
}

func percent(p float64) string { return fmt.Sprintf("%.1f %%", 100*p) }

// figure is the collected rows.
func (f *classFigure) figure() plots.Figure {
	f.grid.Subtitle = f.model
	return f.grid
}
