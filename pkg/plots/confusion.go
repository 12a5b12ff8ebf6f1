package plots

import (
	"errors"
	"fmt"
	"image"
	"math"
	"strconv"
)

// Confusion draws a confusion matrix: a row for each true class, a column for
// each predicted class.
type Confusion struct {
	Counts    [][]int // square: Counts[true][predicted]
	Names     []string
	Title     string
	Subtitle  string    // empty: the accuracy
	Normalise bool      // show each cell as a fraction of its row instead of counts
	Map       *Colormap // nil: white to blue
}

// blues goes from white to dark blue, so that an empty cell is white.
var blues = RdBu.half("blues")

// half returns the upper half of a diverging map, with its lower end made white.
func (m *Colormap) half(name string) *Colormap {
	out := &Colormap{Name: name, Bad: m.Bad}
	for i := range out.Table {
		c := m.Table[128+i/2]
		// The middle of a diverging map is a light grey: lighten it to white.
		lift := func(v uint8) uint8 {
			t := float64(i) / 255
			return uint8(math.Min(255, math.Round(float64(v)+(255-float64(m.Table[128].R))*(1-t)*(1-t))))
		}
		c.R, c.G, c.B = lift(c.R), lift(c.G), lift(c.B)
		out.Table[i] = c
	}
	out.Under, out.Over = out.Table[0], out.Table[255]
	return out
}

// Image draws the matrix; see [Figure]. It returns an error if Counts is empty
// or not square, if a count is negative, or if the number of Names is wrong.
func (m Confusion) Image(scale float64) (image.Image, error) { return drawImage(m, scale) }

// SVG draws the matrix; see [Figure].
func (m Confusion) SVG() (string, error) { return drawSVG(m) }

func (m Confusion) layout() (*scene, error) {
	values, right, total, err := m.values()
	if err != nil {
		return nil, err
	}
	h := HeatMap{
		Values: values, Title: m.Title, Subtitle: m.Subtitle,
		XLabel: "Predicted class", YLabel: "True class",
		RowNames: m.Names, ColNames: m.Names,
		Format: m.cell,
		Scale:  Scale{Map: m.Map, Label: "Pictures"},
	}
	if m.Subtitle == "" && total > 0 {
		h.Subtitle = fmt.Sprintf("%d of %d right: accuracy %.1f %%", right, total, 100*float64(right)/float64(total))
	}
	if m.Map == nil {
		h.Scale.Map = blues
	}
	if m.Normalise {
		h.Scale.Min, h.Scale.Max, h.Scale.Label = 0, 1, "Share of the true class"
	} else if _, hi := finiteRange(values); hi > 0 {
		h.Scale.Max = hi
	} else {
		h.Scale.Max = 1
	}
	if n := len(values); n < 12 {
		h.Width = max(120, float64(n)*42)
	} else {
		h.Width = float64(n) * 18
	}
	return h.layout()
}

// values checks the counts and returns the values to draw: counts, or fractions of
// their row (NaN in a row without pictures).
func (m Confusion) values() (values [][]float64, right, total int, err error) {
	n := len(m.Counts)
	if n == 0 {
		return nil, 0, 0, errors.New("plots: the confusion matrix has no classes")
	}
	if err := checkNames("class", m.Names, n); err != nil {
		return nil, 0, 0, err
	}
	for i, row := range m.Counts {
		if len(row) != n {
			return nil, 0, 0, fmt.Errorf("plots: a confusion matrix must be square; row %d has %d counts instead of %d", i, len(row), n)
		}
		sum := 0
		out := make([]float64, n)
		for j, k := range row {
			if k < 0 {
				return nil, 0, 0, fmt.Errorf("plots: the count in row %d, column %d is negative", i, j)
			}
			sum += k
			out[j] = float64(k)
		}
		if m.Normalise {
			for j := range out {
				out[j] /= float64(sum)
			}
		}
		right += row[i]
		total += sum
		values = append(values, out)
	}
	return values, right, total, nil
}

// cell formats a cell's number. Cells with 0 are left empty, so that the others stand
// out.
func (m Confusion) cell(v float64) string {
	switch {
	case v == 0 || math.IsNaN(v):
		return ""
	case !m.Normalise:
		return strconv.Itoa(int(v))
	case v >= 0.995:
		return "1"
	case v < 0.005:
		return ""
	}
	return strconv.FormatFloat(v, 'f', 2, 64)[1:]
}
