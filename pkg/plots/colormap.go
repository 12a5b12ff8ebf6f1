package plots

import (
	"fmt"
	"image/color"
	"math"
	"strings"
)

// Colormap maps numbers from 0 to 1 to colours with a table of 256 entries, by
// matplotlib's rules. A Colormap must not be changed once it is in use.
type Colormap struct {
	Name  string
	Table [256]color.RGBA
	Under color.RGBA // for values below 0, and -Inf
	Over  color.RGBA // for values above 1, and +Inf
	Bad   color.RGBA // for NaN
}

// badColor is a light warm grey that none of the maps uses.
var badColor = color.RGBA{0xd9, 0xd4, 0xd0, 0xff}

// The colour maps. Their tables equal matplotlib's of the same names. Viridis is
// the default; Coolwarm and RdBu are diverging maps, for values around 0.
var (
	Viridis  = newColormap("viridis", viridisTable)
	Inferno  = newColormap("inferno", infernoTable)
	Magma    = newColormap("magma", magmaTable)
	Jet      = newColormap("jet", jetTable)
	Turbo    = newColormap("turbo", turboTable)
	Grey     = newColormap("grey", greyTable)
	Coolwarm = newColormap("coolwarm", coolwarmTable)
	RdBu     = newColormap("rdbu", rdbuTable)
)

// Colormaps lists all colour maps, the default first.
func Colormaps() []*Colormap {
	return []*Colormap{Viridis, Inferno, Magma, Jet, Turbo, Grey, Coolwarm, RdBu}
}

// ColormapByName finds a colour map. Case doesn't matter, and "grey" is the same as
// "gray". The error lists the valid names.
func ColormapByName(name string) (*Colormap, error) {
	want := strings.ToLower(name)
	if want == "gray" {
		want = "grey"
	}
	var names []string
	for _, m := range Colormaps() {
		if m.Name == want {
			return m, nil
		}
		names = append(names, m.Name)
	}
	return nil, fmt.Errorf("plots: no colour map %q; there are %s", name, strings.Join(names, ", "))
}

func newColormap(name, table string) *Colormap {
	m := &Colormap{Name: name, Bad: badColor}
	for i := range m.Table {
		m.Table[i] = color.RGBA{table[3*i], table[3*i+1], table[3*i+2], 0xff}
	}
	m.Under, m.Over = m.Table[0], m.Table[255]
	return m
}

// At returns the colour of v: entry int(v*256) of the table, the last entry for
// 1 itself, Under and Over outside [0, 1], Bad for NaN.
func (m *Colormap) At(v float64) color.RGBA {
	switch {
	case math.IsNaN(v):
		return m.Bad
	case v < 0:
		return m.Under
	case v > 1:
		return m.Over
	case v == 1:
		return m.Table[255]
	}
	return m.Table[int(v*256)]
}

// Reversed returns the map with its colours in the opposite order.
func (m *Colormap) Reversed() *Colormap {
	r := &Colormap{Name: m.Name + "_r", Under: m.Over, Over: m.Under, Bad: m.Bad}
	for i := range r.Table {
		r.Table[i] = m.Table[255-i]
	}
	return r
}
