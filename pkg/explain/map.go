// Package explain turns a model's intermediates (position embeddings, attention
// probabilities) into maps over a picture, numbers that describe these maps, and figures
// of both. It knows the models' intermediates; it doesn't evaluate predictions or write
// the report's text.
//
// Maps and numbers are plain arithmetic on float32 slices: they need no backend, and
// are the same bits on every machine.
package explain

import (
	"fmt"
	"math"
)

// Map has one value for every patch of a picture: [Rows, Cols] in row-major order, with
// row 0 at the top of the picture.
type Map struct {
	Rows, Cols int
	Values     []float32
}

// NewMap checks that values has rows*cols entries and wraps them (without a copy).
func NewMap(rows, cols int, values []float32) (Map, error) {
	if rows <= 0 || cols <= 0 || len(values) != rows*cols {
		return Map{}, fmt.Errorf("explain: %d values don't fill a map of %dx%d patches", len(values), rows, cols)
	}
	return Map{Rows: rows, Cols: cols, Values: values}, nil
}

// At returns the value of the patch in the given row and column.
func (m Map) At(row, col int) float32 { return m.Values[row*m.Cols+col] }

// Sum returns the sum of all values, accumulated in float64.
func (m Map) Sum() float64 {
	var s float64
	for _, v := range m.Values {
		s += float64(v)
	}
	return s
}

// Matrix returns the map as rows of float64, as needed for drawing.
func (m Map) Matrix() [][]float64 {
	out := make([][]float64, m.Rows)
	for r := range out {
		out[r] = make([]float64, m.Cols)
		for c := range out[r] {
			out[r][c] = float64(m.At(r, c))
		}
	}
	return out
}

// Peak returns the row and column of the largest value (the first one in
// reading order if several are equal; NaN is never the largest).
func (m Map) Peak() (row, col int) {
	best := math.Inf(-1)
	for i, v := range m.Values {
		if float64(v) > best {
			best, row, col = float64(v), i/m.Cols, i%m.Cols
		}
	}
	return row, col
}

// TopShare returns the share, in [0, 1], of the map's sum held by its k largest values. A
// uniform map has TopShare(k) = k/patches.
func (m Map) TopShare(k int) float64 {
	total := m.Sum()
	if total <= 0 || k <= 0 {
		return 0
	}
	sorted := append([]float32(nil), m.Values...)
	sortDescending(sorted)
	var top float64
	for _, v := range sorted[:min(k, len(sorted))] {
		top += float64(v)
	}
	return top / total
}

// Entropy returns the Shannon entropy of the map in bits, after scaling it to sum to 1.
// It is between 0 (everything on one patch) and log2(Rows*Cols) (a uniform map). A map
// without positive values has entropy 0.
func (m Map) Entropy() float64 { return Entropy(m.Values) }

// Entropy returns the Shannon entropy in bits of weights that need not sum to
// 1. Values that aren't positive are ignored.
func Entropy(weights []float32) float64 {
	var total float64
	for _, w := range weights {
		if w > 0 {
			total += float64(w)
		}
	}
	if total == 0 {
		return 0
	}
	var h float64
	for _, w := range weights {
		if w > 0 {
			p := float64(w) / total
			h -= p * math.Log2(p)
		}
	}
	return max(h, 0)
}
