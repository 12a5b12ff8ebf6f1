package plots

import (
	"math"
	"math/rand/v2"
	"testing"
)

// TestBlender compares the quick way of interpolating with the usual one, bit by bit.
func TestBlender(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	m := make([][]float64, 5)
	for y := range m {
		for range 7 {
			m[y] = append(m[y], rng.Float64())
		}
	}
	for _, c := range []struct {
		ip     Interpolation
		lo, hi float64
		change func()
	}{
		{Bilinear, 0, 1, func() {}}, {Bilinear, 0.2, 0.7, func() {}}, {Bicubic, 0, 1, func() {}}, {Nearest, 0, 1, func() {}},
		{Bilinear, 0, 1, func() { m[2][3] = math.NaN() }}, {Bilinear, 0, 1, func() { m[1][1] = math.Inf(1) }},
	} {
		c.change()
		at, ys, xs := blender(m, c.ip, c.lo, c.hi), taps(5, 83, c.ip), taps(7, 64, c.ip)
		for y := range ys {
			for x := range xs {
				got, want := at(&ys[y], &xs[x]), blend(m, ys[y], xs[x], c.lo, c.hi)
				if math.Float64bits(got) != math.Float64bits(want) {
					t.Fatalf("%+v: %g at %d, %d, want %g", c.ip, got, y, x, want)
				}
			}
		}
	}
}
