package study

import (
	"gaze/pkg/data"
	"gaze/pkg/evaluate"
	"gaze/pkg/plots"
)

// Pictures is two pictures of each of some classes, spread over all there are, to
// train on, above two to validate on.
func Pictures(d *data.Splits, classes int) (plots.Grid, error) {
	g := plots.Grid{Title: "Pictures to train on, and to validate on"}
	classes = min(classes, len(d.Classes))
	for _, part := range []struct {
		name string
		set  *data.Dataset
	}{{"train", d.Train}, {"validate", d.Validation}} {
		for k := range 2 {
			var row []plots.Panel
			for c := range classes {
				panel, err := panel(part.set, c*len(d.Classes)/classes, k)
				if err != nil {
					return g, err
				}
				row = append(row, panel)
			}
			g.Panels, g.RowLabels = append(g.Panels, row), append(g.RowLabels, part.name)
		}
	}
	for c := range classes {
		g.ColLabels = append(g.ColLabels, evaluate.ShortName(d.Classes[c*len(d.Classes)/classes]))
	}
	return g, nil
}

// panel is the k-th picture of a class; blank if there is none.
func panel(set *data.Dataset, class, k int) (plots.Panel, error) {
	for i := range set.Len() {
		if set.Label(i) != class {
			continue
		}
		if k == 0 {
			im, err := set.Image(i)
			return plots.Panel{Picture: im}, err
		}
		k--
	}
	return plots.Panel{}, nil
}
