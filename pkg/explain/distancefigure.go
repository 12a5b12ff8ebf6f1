package explain

import (
	"fmt"
	"strconv"
	"strings"

	"gaze/pkg/plots"
)

// Chart draws the distance at which patches look against depth, as figure 11 of the ViT
// paper (arXiv:2010.11929): a point for each head in the colour of its kind, and a line through
// the means.
func (g *Geometry) Chart() plots.Figure {
	t := DefaultHeadThresholds
	kinds := make([]plots.Series, len(headKindNames))
	line := plots.Series{Name: "mean of heads", Color: plots.Palette[6]}
	most := g.UniformDistance()
	for l, heads := range g.Layers {
		var layer mean
		for h, x := range heads {
			spread := 0.0 // horizontal offsets of the heads, so that points don't overlap
			if len(heads) > 1 {
				spread = (float64(h)/float64(len(heads)-1) - 0.5) * 0.36
			}
			layer.add(x.Distance)
			most = max(most, x.Distance)
			s := &kinds[g.Kind(l, h, t)]
			s.X, s.Y = append(s.X, float64(l)+spread), append(s.Y, x.Distance)
		}
		line.X, line.Y = append(line.X, float64(l)), append(line.Y, layer.value())
	}
	chart := plots.LineChart{
		Title:    "How far patches look",
		Subtitle: g.about() + " · " + g.limits(t),
		XLabel:   "layer", YLabel: "mean attention distance (pixels)",
		Series: []plots.Series{line}, WholeX: true, Width: 640, Height: 340, YMax: 1.08 * most,
		Lines: []plots.RefLine{{Value: g.UniformDistance(), Label: "equal attention"}},
	}
	for k, s := range kinds {
		if len(s.X) > 0 {
			s.Name, s.Points, s.NoLine, s.Color = HeadKind(k).String(), true, true, plots.Palette[k]
			chart.Series = append(chart.Series, s)
		}
	}
	return chart
}

// about names the model and counts the pictures.
func (g *Geometry) about() string {
	return fmt.Sprintf("%s · %s of %d×%d patches of %d×%d pixels", g.Model, countOf(len(g.Pictures), "picture"), g.Grid[0], g.Grid[1], g.PatchSize[0], g.PatchSize[1])
}

// Table lists the heads of each kind by layer.
func (g *Geometry) Table() plots.Table {
	t := DefaultHeadThresholds
	names := []string{"layer", "mean distance (pixels)", "mean entropy (bits)"}
	kinds := g.kinds()
	for _, k := range kinds {
		names = append(names, k.String())
	}
	out := plots.Table{
		Caption: fmt.Sprintf("Kinds of heads, %s. %s", g.about(), g.limits(t)),
		Columns: columns(names...),
	}
	for l, heads := range g.Layers {
		of := make([][]string, len(headKindNames))
		var far, wide mean
		for h, x := range heads {
			far.add(x.Distance)
			wide.add(x.Entropy)
			k := g.Kind(l, h, t)
			of[k] = append(of[k], strconv.Itoa(h))
		}
		row := []any{strconv.Itoa(l), fmt.Sprintf("%.1f", far.value()), fmt.Sprintf("%.2f", wide.value())}
		for _, k := range kinds {
			if of[k] == nil {
				row = append(row, nil)
				continue
			}
			row = append(row, strings.Join(of[k], ", "))
		}
		out.Rows = append(out.Rows, row)
	}
	return out
}

// KindAtlas is [Attention.Atlas] with a frame around each head's map in the colour of its
// kind, as the geometry of the same model tells it.
func (a *Attention) KindAtlas(g *Geometry) (plots.Figure, error) {
	f, err := a.Atlas()
	if err != nil {
		return nil, err
	}
	atlas := f.(plots.Atlas)
	t := DefaultHeadThresholds
	if len(g.Layers) != len(a.Layers) {
		return nil, fmt.Errorf("explain: %s has %d layers, the kinds of heads are of a model with %d", a.Picture, len(a.Layers), len(g.Layers))
	}
	for l, row := range a.Layers {
		if len(g.Layers[l]) != row.Heads {
			return nil, fmt.Errorf("explain: layer %d of %s has %d heads, the kinds are of a model with %d", l, a.Picture, row.Heads, len(g.Layers[l]))
		}
		kinds := make([]int, row.Heads)
		for h := range kinds {
			kinds[h] = int(g.Kind(l, h, t))
		}
		atlas.GroupOf = append(atlas.GroupOf, kinds)
	}
	atlas.Groups = make([]string, len(headKindNames)) // "": not in the legend
	for _, k := range g.kinds() {
		atlas.Groups[k] = k.String()
	}
	atlas.Subtitle += " · frames: where patches look in the head: " + g.limits(t)
	return atlas, nil
}
