package transform

import (
	"errors"
	"math"
	"strings"
)

// Warp maps a picture so that the four points From move to the points To, each (x, y) in
// pixels, like torchvision's perspective, whose default for Filter is Bilinear.
type Warp struct {
	From, To [4][2]float64
	Filter   Filter
	Fill     Fill
}

// String is the step's text.
func (w Warp) String() string {
	var s strings.Builder
	s.WriteString("warp(")
	for i, points := range [2][4][2]float64{w.From, w.To} {
		for j, p := range points {
			switch {
			case i == 1 && j == 0:
				s.WriteString(" -> ")
			case j > 0:
				s.WriteString(",")
			}
			s.WriteString(decimals(p[:]...))
		}
	}
	if w.Filter != Bilinear {
		s.WriteString("," + w.Filter.String())
	}
	return s.String() + w.Fill.text() + ")"
}

// Apply warps the picture. Three points of To on a line are an error.
func (w Warp) Apply(im *Image) (*Image, error) { return fresh(w, im) }

func (w Warp) apply(b *Buffers, im *Image) (*Image, error) {
	m, err := w.inverse()
	if err != nil {
		return nil, err
	}
	return b.project(im, im.Width, im.Height, &m, w.Filter, w.Fill)
}

// inverse solves for the map from output to input positions. torchvision solves
// by least squares in float64 and rounds to float32.
func (w Warp) inverse() (projection, error) {
	var a [8][8]float64
	var v [8]float64
	for i := range w.From {
		x, y, fx, fy := w.To[i][0], w.To[i][1], w.From[i][0], w.From[i][1]
		a[2*i] = [8]float64{x, y, 1, 0, 0, 0, -fx * x, -fx * y}
		a[2*i+1] = [8]float64{0, 0, 0, x, y, 1, -fy * x, -fy * y}
		v[2*i], v[2*i+1] = fx, fy
	}
	m, ok := solve(&a, &v)
	if !ok {
		return m, errors.New("no perspective maps to these points: three of them are on a line")
	}
	for i := range m {
		m[i] = float64(float32(m[i]))
	}
	return m, nil
}

// solve solves a x = v with Householder reflections, as LAPACK's least squares
// (gels) do; a and v are overwritten.
func solve(a *[8][8]float64, v *[8]float64) (x projection, ok bool) {
	for k := range 8 {
		norm := 0.0
		for i := k; i < 8; i++ {
			norm = math.Hypot(norm, a[i][k])
		}
		if norm == 0 || norm != norm || math.IsInf(norm, 0) {
			return x, false
		}
		if k < 7 {
			reflectColumn(a, v, k, math.Copysign(norm, -a[k][k]))
		}
	}
	largest := 0.0
	for k := range 8 {
		largest = max(largest, math.Abs(a[k][k]))
	}
	for k := 7; k >= 0; k-- {
		if math.Abs(a[k][k]) <= 1e-14*largest {
			return x, false
		}
		sum := v[k]
		for j := k + 1; j < 8; j++ {
			sum -= a[k][j] * x[j]
		}
		x[k] = sum / a[k][k]
	}
	return x, true
}

// reflectColumn makes column k zero below the diagonal; the diagonal element becomes beta.
func reflectColumn(a *[8][8]float64, v *[8]float64, k int, beta float64) {
	tau := (beta - a[k][k]) / beta
	scale := 1 / (a[k][k] - beta)
	var h [8]float64
	h[k] = 1
	for i := k + 1; i < 8; i++ {
		h[i] = a[i][k] * scale
		a[i][k] = 0
	}
	a[k][k] = beta
	for j := k + 1; j < 8; j++ {
		sum := 0.0
		for i := k; i < 8; i++ {
			sum += h[i] * a[i][j]
		}
		for i := k; i < 8; i++ {
			a[i][j] -= tau * sum * h[i]
		}
	}
	sum := 0.0
	for i := k; i < 8; i++ {
		sum += h[i] * v[i]
	}
	for i := k; i < 8; i++ {
		v[i] -= tau * sum * h[i]
	}
}
