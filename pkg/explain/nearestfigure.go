package explain

import (
	"fmt"

	"gaze/pkg/plots"
)

// Figure draws the two photographs with lines between at most k mutually nearest patches:
// the strongest that are spread over both.
func (x *Nearest) Figure(k int) (plots.Figure, error) {
	if k < 1 {
		return nil, fmt.Errorf("explain: %d pairs to draw: it must be at least 1", k)
	}
	chosen := x.Strongest(k)
	m := plots.Matches{
		Left: x.A.Seen, Right: x.B.Seen, LeftTitle: x.A.Picture, RightTitle: x.B.Picture,
		Title: "Patches that are each other's nearest",
	}
	for _, p := range chosen {
		var l plots.Match
		l.FromY, l.FromX = x.A.place(p.A)
		l.ToY, l.ToX = x.B.place(p.B)
		m.Lines = append(m.Lines, l)
	}
	m.Subtitle = fmt.Sprintf("%s · the strongest %d of %d mutual pairs, spread out", x.A.Model, len(chosen), len(x.Pairs))
	// There is always a pair: the most similar of all.
	m.Subtitle += fmt.Sprintf(" · cosine similarity %.2f to %.2f", chosen[len(chosen)-1].Cosine, chosen[0].Cosine)
	return m, nil
}

// QueryFigure draws how similar one patch of the first picture is to every patch of both.
// The patch and its nearest in the second picture are marked.
func (x *Nearest) QueryFigure(row, col int) (plots.Figure, error) {
	inA, inB, err := x.Query(row, col)
	if err != nil {
		return nil, err
	}
	r, c := inB.Peak()
	g := plots.Grid{
		Title: fmt.Sprintf("What is like the patch in row %d, column %d of %s", row, col, x.A.Picture),
		Subtitle: fmt.Sprintf("%s · most similar in %s: row %d, column %d, cosine %.2f",
			x.A.Model, x.B.Picture, r, c, inB.At(r, c)),
		PanelWidth: 400,
		Scale:      plots.Scale{Map: plots.Inferno, Label: "cosine similarity"},
	}
	var above, below []plots.Panel
	for _, p := range []struct {
		f    *Features
		m    Map
		mark plots.Cell
	}{{x.A, inA, plots.Cell{Row: row, Col: col}}, {x.B, inB, plots.Cell{Row: r, Col: c}}} {
		above = append(above, plots.Panel{Title: p.f.Picture, Picture: p.f.Seen})
		below = append(below, plots.Panel{Picture: p.f.Seen, Values: p.m.Matrix(), Alpha: 0.65, Marks: []plots.Cell{p.mark}})
	}
	g.Panels = [][]plots.Panel{above, below}
	return g, nil
}

// Table lists the strongest pairs that [Nearest.Figure] draws.
func (x *Nearest) Table(k int) plots.Table {
	t := plots.Table{
		Caption: fmt.Sprintf("Mutually nearest patches of %s and %s", x.A.Picture, x.B.Picture),
		Columns: []plots.Column{{Name: "row, column in the first", Align: plots.AlignRight}, {Name: "in the second", Align: plots.AlignRight}, {Name: "cosine", Format: "%.3f"}},
	}
	for _, p := range x.Strongest(k) {
		t.Rows = append(t.Rows, []any{
			fmt.Sprintf("%d, %d", p.A/x.A.Cols, p.A%x.A.Cols), fmt.Sprintf("%d, %d", p.B/x.B.Cols, p.B%x.B.Cols), p.Cosine,
		})
	}
	return t
}
