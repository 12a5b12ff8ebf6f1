package plots

import (
	"errors"
	"image"
	"strconv"
)

// Atlas draws many small maps close together with one shared colour bar: a map
// for every patch, or for every layer and head.
type Atlas struct {
	Maps     [][][][]float64 // rows of maps; a nil map is left blank
	Title    string
	Subtitle string
	RowTitle string   // title of the rows
	ColTitle string   // title of the columns
	RowNames []string // nil: numbers from First
	ColNames []string // nil: numbers from First
	First    int      // number of the first row and column
	Scale    Scale    // of all maps together
	OwnRange bool     // colour each map from its own minimum to its own maximum
	MapWidth float64  // of one map, in CSS pixels; 0: about 900 in total
}

// Image draws the atlas; see [Figure]. It returns an error if there are no
// maps, if a map is empty or ragged, or if the number of names is wrong.
func (a Atlas) Image(scale float64) (image.Image, error) { return drawImage(a, scale) }

// SVG draws the atlas; see [Figure].
func (a Atlas) SVG() (string, error) { return drawSVG(a) }

func (a Atlas) layout() (*scene, error) {
	g := Grid{
		Title: a.Title, Subtitle: a.Subtitle, RowTitle: a.RowTitle, ColTitle: a.ColTitle,
		RowLabels: a.RowNames, ColLabels: a.ColNames,
		Scale: a.Scale, OwnRange: a.OwnRange, PanelWidth: a.MapWidth, dense: true,
	}
	cols, some := 0, false
	for _, row := range a.Maps {
		panels := make([]Panel, len(row))
		for j, m := range row {
			panels[j] = Panel{Values: m}
			some = some || m != nil
		}
		g.Panels = append(g.Panels, panels)
		cols = max(cols, len(row))
	}
	if !some {
		return nil, errors.New("plots: the atlas has no maps")
	}
	if err := checkNames("row", a.RowNames, len(a.Maps)); err != nil {
		return nil, err
	}
	if err := checkNames("column", a.ColNames, cols); err != nil {
		return nil, err
	}
	if a.RowNames == nil {
		g.RowLabels = numbers(len(a.Maps), a.First)
	}
	if a.ColNames == nil {
		g.ColLabels = numbers(cols, a.First)
	}
	return g.layout()
}

func numbers(n, first int) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = strconv.Itoa(first + i)
	}
	return out
}
