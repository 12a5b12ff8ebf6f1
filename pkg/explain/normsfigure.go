package explain

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"gaze/pkg/plots"
)

// maxMarked is the number of outliers that a figure marks; more are a texture.
const maxMarked = 64

// Figure draws the photograph and the length of each patch's token after a layer, with
// the outliers marked.
func (n *Norms) Figure(layer int) (plots.Figure, error) {
	t, err := n.Layer(layer)
	if err != nil {
		return nil, err
	}
	l, _ := Index(layer, len(n.Layers), "layer")
	var marks []plots.Cell
	for _, i := range t.Outliers[:min(len(t.Outliers), maxMarked)] {
		marks = append(marks, plots.Cell{Row: i / t.Patches.Cols, Col: i % t.Patches.Cols})
	}
	parts := []string{n.Model, "after " + layerName(l, len(n.Layers)), t.outlierText(len(marks))}
	if len(n.Prefix) > 0 {
		parts = append(parts, n.prefixText(t))
	}
	return plots.Grid{
		Title:    "Lengths of tokens: " + n.Picture,
		Subtitle: strings.Join(parts, " · "),
		Panels: [][]plots.Panel{{
			{Title: "photograph", Picture: n.Seen},
			{Title: fmt.Sprintf("%d×%d patches", t.Patches.Rows, t.Patches.Cols), Values: t.Patches.Matrix(),
				Aspect: float64(n.Seen.Width) / float64(n.Seen.Height), Marks: marks},
		}},
		PanelWidth: 380,
		Scale:      plots.Scale{Map: plots.Viridis, Label: "length of a patch's token"},
	}, nil
}

// outlierText says how many outliers there are, and how many are marked.
func (t TokenNorms) outlierText(marked int) string {
	s := fmt.Sprintf("median %.3g, MAD %.2g · %s above %.3g (median + %d MAD)", t.Median, t.MAD, outliers(len(t.Outliers)), t.Threshold, outlierMADs)
	if marked < len(t.Outliers) {
		s += fmt.Sprintf(", %d marked", marked)
	}
	return s
}

func outliers(n int) string {
	switch n {
	case 0:
		return "no patch"
	case 1:
		return "1 patch"
	}
	return fmt.Sprintf("%d patches", n)
}

// prefixText lists the lengths of the tokens before the patches.
func (n *Norms) prefixText(t TokenNorms) string {
	var parts []string
	for i, name := range n.Prefix {
		parts = append(parts, fmt.Sprintf("%s %.3g", name, t.Prefix[i]))
	}
	return "other tokens: " + strings.Join(parts, ", ")
}

// Table lists the layers: the patches' lengths, the outliers, and the other tokens.
func (n *Norms) Table() plots.Table {
	names := append([]string{"after layer", "median", "MAD", "threshold", "outliers", "longest", "at (row, column)"}, n.Prefix...)
	t := plots.Table{Caption: fmt.Sprintf("Lengths of tokens, %s, %s; outliers are above median + %d MAD", n.Model, n.Picture, outlierMADs), Columns: columns(names...)}
	for l, x := range n.Layers {
		r, c := x.Patches.Peak()
		row := []any{fmt.Sprint(l), fmt.Sprintf("%.3g", x.Median), fmt.Sprintf("%.2g", x.MAD), fmt.Sprintf("%.3g", x.Threshold),
			len(x.Outliers), fmt.Sprintf("%.3g", x.Patches.At(r, c)), fmt.Sprintf("%d, %d", r, c)}
		for _, v := range x.Prefix {
			row = append(row, fmt.Sprintf("%.3g", v))
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

// NormChart draws the lengths of tokens by layer, averaged over pictures: the patches'
// median and longest, and each token before the patches.
func NormChart(all ...*Norms) (plots.Figure, error) {
	if len(all) == 0 || len(all[0].Layers) == 0 {
		return nil, errors.New("explain: no lengths of tokens to draw")
	}
	first := all[0]
	names := append([]string{"patches, median", "patches, longest", "patches, threshold of outliers"}, first.Prefix...)
	series := make([]plots.Series, len(names))
	least, most := first.Layers[0].Median, 0.0
	for l := range first.Layers {
		means := make([]mean, len(names))
		for _, n := range all {
			if len(n.Layers) != len(first.Layers) || !slices.Equal(n.Prefix, first.Prefix) {
				return nil, fmt.Errorf("explain: %s and %s are of different models", first.Picture, n.Picture)
			}
			x := n.Layers[l]
			for i, v := range append([]float64{x.Median, float64(slices.Max(x.Patches.Values)), x.Threshold}, x.Prefix...) {
				means[i].add(v)
			}
		}
		for i, m := range means {
			s := &series[i]
			s.Name, s.Points, s.Dashed = names[i], i < 2, i >= 2
			s.X, s.Y = append(s.X, float64(l)), append(s.Y, m.value())
			least, most = min(least, m.value()), max(most, m.value())
		}
	}
	return plots.LineChart{
		Title:    "How long tokens are",
		Subtitle: fmt.Sprintf("%s · mean of %s", first.Model, countOf(len(all), "picture")),
		XLabel:   "after layer", YLabel: "length of a token",
		Series: series, WholeX: true, LogY: least > 0 && most > 20*least,
	}, nil
}
