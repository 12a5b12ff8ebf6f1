package plots

import (
	"errors"
	"fmt"
	"image/color"
	"math"
)

// Scale maps values to colours and describes the colour bar. The zero value is
// viridis over the range of the finite values, with a colour bar.
type Scale struct {
	Map      *Colormap // nil: Viridis
	Min, Max float64   // the values of the first and the last colour; equal: the range of the finite values
	Center   bool      // makes a range taken from the values symmetric around 0, for diverging maps
	Label    string    // label of the colour bar
	NoBar    bool      // draw no colour bar
}

// resolved is a Scale with its range computed.
type resolved struct {
	cmap   *Colormap
	lo, hi float64
	below  bool // there are values below lo; the colour bar has an arrow
	above  bool // there are values above hi; the colour bar has an arrow
}

var errRange = errors.New("plots: the colour range must be finite, with Min below Max")

// resolve computes the range of all matrices together. Infinite values (which are
// drawn in the colours for values outside the range) and NaN are ignored. Without
// finite values the range is 0 to 1.
func (s Scale) resolve(matrices ...[][]float64) (r resolved, err error) {
	r = resolved{cmap: s.Map, lo: s.Min, hi: s.Max}
	if r.cmap == nil {
		r.cmap = Viridis
	}
	if s.Min != s.Max {
		if !isFinite(s.Min) || !isFinite(s.Max) || s.Min > s.Max {
			return r, fmt.Errorf("%w: it is %g to %g", errRange, s.Min, s.Max)
		}
		r.markOutside(matrices)
		return r, nil
	}
	defer func() { r.markOutside(matrices) }()
	r.lo, r.hi = math.Inf(1), math.Inf(-1)
	for _, m := range matrices {
		for _, row := range m {
			for _, v := range row {
				if isFinite(v) {
					r.lo, r.hi = min(r.lo, v), max(r.hi, v)
				}
			}
		}
	}
	r.widen(s.Center)
	return r, nil
}

// markOutside records whether values are outside the range by more than rounding.
func (r *resolved) markOutside(matrices [][][]float64) {
	for _, m := range matrices {
		for _, row := range m {
			for _, v := range row {
				u := r.unit(v)
				r.below = r.below || u < -1e-6
				r.above = r.above || u > 1+1e-6
			}
		}
	}
}

// widen extends a range of length 0, so that its length can be a divisor.
func (r *resolved) widen(center bool) {
	if r.lo > r.hi {
		r.lo, r.hi = 0, 1
		return
	}
	if center {
		r.hi = max(math.Abs(r.lo), math.Abs(r.hi))
		r.lo = -r.hi
	}
	if r.lo == r.hi {
		d := max(math.Abs(r.lo)*0.05, 1e-12)
		if r.lo == 0 {
			d = 0.5
		}
		r.lo, r.hi = r.lo-d, r.hi+d
	}
}

// unit maps the range linearly to [0, 1]. Dividing both terms first avoids an overflow
// when the range is wider than the largest float64.
func (r resolved) unit(v float64) float64 {
	d := r.hi - r.lo
	if math.IsInf(d, 0) {
		return (v/2 - r.lo/2) / (r.hi/2 - r.lo/2)
	}
	return (v - r.lo) / d
}

func (r resolved) color(v float64) color.RGBA { return r.cmap.At(r.unit(v)) }

func isFinite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

// checkMatrix returns the size of a matrix, or an error if it is empty or ragged.
func checkMatrix(m [][]float64) (rows, cols int, err error) {
	if len(m) == 0 || len(m[0]) == 0 {
		return 0, 0, errors.New("plots: the matrix has no values")
	}
	for i, row := range m {
		if len(row) != len(m[0]) {
			return 0, 0, fmt.Errorf("plots: the matrix is ragged: row 0 has %d values, row %d has %d", len(m[0]), i, len(row))
		}
	}
	return len(m), len(m[0]), nil
}
