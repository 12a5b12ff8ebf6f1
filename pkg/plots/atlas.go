package plots

import (
	"errors"
	"fmt"
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
	Groups   []string // names of groups of maps, in the colours of [Palette]; nil: none
	GroupOf  [][]int  // the group of each map, around which there is a frame; -1: none
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
	if err := a.checkGroups(); err != nil {
		return nil, err
	}
	g.frames, g.groups = a.GroupOf, a.Groups
	if a.RowNames == nil {
		g.RowLabels = numbers(len(a.Maps), a.First)
	}
	if a.ColNames == nil {
		g.ColLabels = numbers(cols, a.First)
	}
	return g.layout()
}

func (a Atlas) checkGroups() error {
	if a.GroupOf == nil {
		return nil
	}
	if len(a.GroupOf) != len(a.Maps) {
		return fmt.Errorf("plots: there are groups for %d rows of maps, but %d rows", len(a.GroupOf), len(a.Maps))
	}
	for i, row := range a.GroupOf {
		if len(row) != len(a.Maps[i]) {
			return fmt.Errorf("plots: row %d has groups for %d maps, but %d maps", i, len(row), len(a.Maps[i]))
		}
		for _, g := range row {
			if g < -1 || g >= len(a.Groups) {
				return fmt.Errorf("plots: a map in row %d is of group %d: there are %d", i, g, len(a.Groups))
			}
		}
	}
	return nil
}

func numbers(n, first int) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = strconv.Itoa(first + i)
	}
	return out
}
