package explain

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"gaze/internal/parallel"
)

// Nearest compares the patches of two pictures, or of one with itself, by the cosine of
// their features.
type Nearest struct {
	A, B  *Features
	Pairs []PatchPair // patches that are each other's most similar in the other picture; the most similar pair first

	a, b []float64 // the features, each patch's of length 1
}

// PatchPair is a patch of the first picture and one of the second, in reading order, and
// the cosine of their features, -1 to 1.
type PatchPair struct {
	A, B   int
	Cosine float64
}

// maxPatchPairs bounds the pairs of patches that are compared: two pictures of 128×128
// patches.
const maxPatchPairs = 1 << 28

// NearestPatches finds the mutually nearest patches of two pictures. Of several equally
// similar patches, the one closest to the same place in the picture is taken, then the
// first: so two equal pictures match patch by patch.
func NearestPatches(a, b *Features) (*Nearest, error) {
	for _, f := range []*Features{a, b} {
		if f == nil {
			return nil, errors.New("explain: two pictures are needed to compare their patches")
		}
		if err := f.check(); err != nil {
			return nil, err
		}
	}
	n, m := a.Rows*a.Cols, b.Rows*b.Cols
	switch {
	case a.Dim != b.Dim:
		return nil, fmt.Errorf("explain: %s has %d features a patch, %s has %d: they must be of one model", a.Picture, a.Dim, b.Picture, b.Dim)
	case n*m > maxPatchPairs:
		return nil, fmt.Errorf("explain: %d patches of %s and %d of %s make %d pairs, more than %d: use smaller pictures", n, a.Picture, m, b.Picture, n*m, maxPatchPairs)
	}
	x := &Nearest{A: a, B: b, a: a.units(), b: b.units()}
	toB, toA := x.best()
	for i, c := range toB {
		if toA[c.to].to == i {
			x.Pairs = append(x.Pairs, PatchPair{i, c.to, float64(c.key) / cosineSteps})
		}
	}
	slices.SortStableFunc(x.Pairs, func(p, q PatchPair) int { return cmp.Compare(q.Cosine, p.Cosine) })
	return x, nil
}

// units is the features, each patch's scaled to length 1; zeros stay zeros, whose cosine
// with everything is 0.
func (f *Features) units() []float64 {
	out := make([]float64, len(f.Values))
	for i := range f.Rows * f.Cols {
		from, to := f.Values[i*f.Dim:(i+1)*f.Dim], out[i*f.Dim:(i+1)*f.Dim]
		var sum float64
		for _, v := range from {
			sum += float64(v) * float64(v)
		}
		if norm := math.Sqrt(sum); norm > 0 {
			for k, v := range from {
				to[k] = float64(v) / norm
			}
		}
	}
	return out
}

// cosineSteps is the number of steps from 0 to 1 to which cosines are rounded, so that
// equal patches are equally similar whatever the rounding.
const cosineSteps = 1e12

// candidate is the best match of a patch so far.
type candidate struct {
	to  int
	key int64   // the cosine, in steps
	off float64 // the squared distance between the two places, as shares of the pictures
}

// beats says whether c is a better match than d.
func (c candidate) beats(d candidate) bool {
	if c.key != d.key {
		return c.key > d.key
	}
	if c.off != d.off {
		return c.off < d.off
	}
	return c.to < d.to
}

// best finds the best match of every patch of A in B, and of B in A.
func (x *Nearest) best() (toB, toA []candidate) {
	n, m := x.A.Rows*x.A.Cols, x.B.Rows*x.B.Cols
	toB = make([]candidate, n)
	parts := make([][]candidate, min(n, 16)) // the best matches of B's patches in parts of A
	parallel.Each(context.Background(), len(parts), 0, func(p int) error {
		parts[p] = nobody(m)
		cosines := make([]float64, m)
		for i := n * p / len(parts); i < n*(p+1)/len(parts); i++ {
			toB[i] = nobody(1)[0]
			dots(cosines, x.a[i*x.A.Dim:(i+1)*x.A.Dim], x.b)
			for j, v := range cosines {
				c := candidate{j, int64(math.Round(clampUnit(v) * cosineSteps)), x.apart(i, j)}
				if c.beats(toB[i]) {
					toB[i] = c
				}
				if c.to = i; c.beats(parts[p][j]) {
					parts[p][j] = c
				}
			}
		}
		return nil
	})
	toA = parts[0]
	for _, part := range parts[1:] {
		for j, c := range part {
			if c.beats(toA[j]) {
				toA[j] = c
			}
		}
	}
	return toB, toA
}

// nobody is n matches that any match beats.
func nobody(n int) []candidate {
	out := make([]candidate, n)
	for i := range out {
		out[i].key = math.MinInt64
	}
	return out
}

// dots writes the products of a vector with each of rows.
func dots(out []float64, v, rows []float64) {
	dim, j := len(v), 0
	for ; j+4 <= len(out); j += 4 {
		four := dot4(v, rows[j*dim:(j+4)*dim])
		copy(out[j:], four[:])
	}
	for ; j < len(out); j++ {
		out[j] = dot(v, rows[j*dim:(j+1)*dim])
	}
}

// apart is the squared distance between the places of a patch of A and one of B, as
// shares of the pictures' height and width.
func (x *Nearest) apart(i, j int) float64 {
	ya, xa := x.A.place(i)
	yb, xb := x.B.place(j)
	return (ya-yb)*(ya-yb) + (xa-xb)*(xa-xb)
}

// place is the centre of a patch, as shares of the picture's height and width.
func (f *Features) place(i int) (y, x float64) {
	return (float64(i/f.Cols) + 0.5) / float64(f.Rows), (float64(i%f.Cols) + 0.5) / float64(f.Cols)
}

// Query returns the cosine of one patch of the first picture with every patch of the first
// and of the second picture.
func (x *Nearest) Query(row, col int) (inA, inB Map, err error) {
	if row < 0 || row >= x.A.Rows || col < 0 || col >= x.A.Cols {
		return inA, inB, fmt.Errorf("explain: there is no patch in row %d, column %d: %s has rows 0 to %d and columns 0 to %d", row, col, x.A.Picture, x.A.Rows-1, x.A.Cols-1)
	}
	i := row*x.A.Cols + col
	q := x.a[i*x.A.Dim : (i+1)*x.A.Dim]
	of := func(f *Features, units []float64) Map {
		cosines := make([]float64, f.Rows*f.Cols)
		dots(cosines, q, units)
		m := Map{Rows: f.Rows, Cols: f.Cols, Values: make([]float32, len(cosines))}
		for k, v := range cosines {
			m.Values[k] = float32(clampUnit(v))
		}
		return m
	}
	return of(x.A, x.a), of(x.B, x.b), nil
}

// Strongest chooses at most k of the pairs, the most similar first, that are spread over
// both pictures: no two may be closer than a distance that shrinks until k are found.
func (x *Nearest) Strongest(k int) []PatchPair {
	k = min(k, len(x.Pairs))
	var chosen []PatchPair
	taken := make([]bool, len(x.Pairs))
	for apart := 1.0; len(chosen) < k; apart *= 0.8 {
		if apart < 1e-3 {
			apart = 0 // less than the distance between patches
		}
		for i, p := range x.Pairs {
			if len(chosen) < k && !taken[i] && x.clear(p, chosen, apart) {
				chosen, taken[i] = append(chosen, p), true
			}
		}
	}
	slices.SortStableFunc(chosen, func(p, q PatchPair) int { return cmp.Compare(q.Cosine, p.Cosine) })
	return chosen
}

// clear says whether a pair is at least a distance, as a share of a picture's side, from
// those chosen, in both pictures.
func (x *Nearest) clear(p PatchPair, chosen []PatchPair, apart float64) bool {
	near := func(f *Features, i, j int) bool {
		yi, xi := f.place(i)
		yj, xj := f.place(j)
		return math.Hypot(yi-yj, xi-xj) < apart
	}
	for _, c := range chosen {
		if near(x.A, p.A, c.A) || near(x.B, p.B, c.B) {
			return false
		}
	}
	return true
}
