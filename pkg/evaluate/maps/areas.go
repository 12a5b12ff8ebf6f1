package maps

import (
	"fmt"
	"math"

	"gaze/pkg/data"
)

// Areas is a mask on the cells of a map's grid, all that a score needs of it.
type Areas struct {
	Rows, Cols int
	// Inside and Counted are the numbers of pixels of each cell that are inside the mask,
	// and that are counted at all, [rows*cols] in reading order.
	Inside, Counted []float64
	hit             []uint8 // of each cell's centre, as in a data.Mask: Inside within the tolerance
	inside, counted float64 // sums
}

// NewAreas puts a mask on a grid. Pixel y of height is in row y·rows/height. tolerance is
// the distance in pixels from the mask at which the pointing game still counts a hit;
// with 0 the point must be inside. It is an error if the mask has nothing inside, or
// nothing outside, since every map then scores the same.
func NewAreas(m *data.Mask, rows, cols int, tolerance float64) (*Areas, error) {
	if rows < 1 || cols < 1 || m.Width < cols || m.Height < rows {
		return nil, fmt.Errorf("maps: a grid of %dx%d cells on a mask of %dx%d pixels", rows, cols, m.Height, m.Width)
	}
	if tolerance < 0 || math.IsNaN(tolerance) {
		return nil, fmt.Errorf("maps: a tolerance of %g pixels", tolerance)
	}
	a := onGrid(m, rows, cols)
	if a.inside == 0 || a.inside == a.counted {
		return nil, fmt.Errorf("maps: %g of %g counted pixels are inside the mask: there is nothing to tell apart", a.inside, a.counted)
	}
	for i := range a.hit {
		y, x := (2*(i/cols)+1)*m.Height/(2*rows), (2*(i%cols)+1)*m.Width/(2*cols)
		a.hit[i] = near(m, y, x, tolerance)
	}
	return a, nil
}

// onGrid counts the pixels of each cell.
func onGrid(m *data.Mask, rows, cols int) *Areas {
	n := rows * cols
	a := &Areas{Rows: rows, Cols: cols, Inside: make([]float64, n), Counted: make([]float64, n), hit: make([]uint8, n)}
	for y := range m.Height {
		for x := range m.Width {
			cell := y*rows/m.Height*cols + x*cols/m.Width
			switch m.Pix[y*m.Width+x] {
			case data.Inside:
				a.Inside[cell]++
				a.Counted[cell]++
			case data.Outside:
				a.Counted[cell]++
			}
		}
	}
	for i := range n {
		a.inside += a.Inside[i]
		a.counted += a.Counted[i]
	}
	return a
}

// near is the mask's value at a pixel: Inside if a pixel that is inside lies within the
// tolerance.
func near(m *data.Mask, y, x int, tolerance float64) uint8 {
	reach := int(tolerance)
	for dy := -reach; dy <= reach; dy++ {
		for dx := -reach; dx <= reach; dx++ {
			at, to := y+dy, x+dx
			if at < 0 || to < 0 || at >= m.Height || to >= m.Width || float64(dy*dy+dx*dx) > tolerance*tolerance {
				continue
			}
			if m.Pix[at*m.Width+to] == data.Inside {
				return data.Inside
			}
		}
	}
	return m.Pix[y*m.Width+x]
}

// Share is the share of the counted pixels that is inside: the energy of a uniform map.
func (a *Areas) Share() float64 { return a.inside / a.counted }

// Coverage is the map with each cell's share of the inside: the best that a map on this
// grid can do, or nearly so.
func (a *Areas) Coverage() []float32 {
	out := make([]float32, len(a.Inside))
	for i, v := range a.Inside {
		if a.Counted[i] > 0 {
			out[i] = float32(v / a.Counted[i])
		}
	}
	return out
}

// CentreGaussian is a map that knows only that photographers put their subject in the
// middle: a Gaussian around the centre whose standard deviation is a quarter of the
// height and of the width.
func CentreGaussian(rows, cols int) []float32 {
	out := make([]float32, rows*cols)
	for i := range out {
		y := (float64(i/cols)+0.5)/float64(rows) - 0.5
		x := (float64(i%cols)+0.5)/float64(cols) - 0.5
		out[i] = float32(math.Exp(-(x*x + y*y) / (2 * 0.25 * 0.25)))
	}
	return out
}
