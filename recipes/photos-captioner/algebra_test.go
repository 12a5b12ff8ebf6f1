package main

import (
	"math"
	"math/rand/v2"
	"testing"
)

func drawn(rows, columns int, seed uint64) matrix {
	r := rand.New(rand.NewPCG(seed, 1))
	m := newMatrix(rows, columns)
	for i := range m {
		for j := range m[i] {
			m[i][j] = r.NormFloat64()
		}
	}
	return m
}

func near(t *testing.T, what string, got, want, tolerance float64) {
	t.Helper()
	if !(math.Abs(got-want) <= tolerance) {
		t.Errorf("%s: %g, want %g", what, got, want)
	}
}

func TestCholeskySolve(t *testing.T) {
	x := drawn(7, 12, 1)
	a := x.timesTransposed(x)
	l, err := cholesky(a)
	if err != nil {
		t.Fatal(err)
	}
	b := drawn(7, 3, 2)
	back := a.times(solve(l, b))
	for i := range b {
		for j := range b[i] {
			near(t, "a·x", back[i][j], b[i][j], 1e-8)
		}
	}
	unit := newMatrix(7, 7)
	for i := range unit {
		unit[i][i] = 1
	}
	inverse := solve(l, unit)
	for i, v := range inverseDiagonal(l) {
		near(t, "diagonal of the inverse", v, inverse[i][i], 1e-9)
	}
	if _, err := cholesky(matrix{{1, 2}, {2, 1}}); err == nil {
		t.Error("a matrix that isn't positive definite is taken")
	}
}

// TestRidge compares the fit with one in the other form, and what is said of a row that is
// left out with a fit without it, whose means are the whole set's.
func TestRidge(t *testing.T) {
	const lambda = 2.0
	x, y := drawn(20, 6, 3), drawn(20, 2, 4)
	w, mean, leftOut, err := ridge(x, y, lambda)
	if err != nil {
		t.Fatal(err)
	}
	other := func(x, y matrix) matrix { // (xᵀx + λ)⁻¹ xᵀ(y - mean)
		xt := x.transposed()
		a := xt.timesTransposed(xt)
		for i := range a {
			a[i][i] += lambda
		}
		l, err := cholesky(a)
		if err != nil {
			t.Fatal(err)
		}
		centred := newMatrix(len(y), len(mean))
		for i := range y {
			for j := range mean {
				centred[i][j] = y[i][j] - mean[j]
			}
		}
		return solve(l, xt.times(centred))
	}
	want := other(x, y)
	for i := range want {
		for j := range want[i] {
			near(t, "weight", w[i][j], want[i][j], 1e-9)
		}
	}
	without := other(append(append(matrix{}, x[:5]...), x[6:]...), append(append(matrix{}, y[:5]...), y[6:]...))
	for j := range mean {
		said := mean[j]
		for i, v := range x[5] {
			said += v * without[i][j]
		}
		near(t, "left out", leftOut[5][j], said, 1e-9)
	}
}

func TestPrincipal(t *testing.T) {
	x := drawn(400, 5, 5)
	for i := range x {
		for j, f := range []float64{5, 0.1, 3, 0.2, 1} {
			x[i][j] *= f
		}
	}
	directions, variances := principal(x, 2, 40, 1)
	for i, axis := range []int{0, 2} {
		near(t, "direction", math.Abs(directions[i][axis]), 1, 0.01)
		near(t, "length", dot(directions[i], directions[i]), 1, 1e-9)
	}
	near(t, "variance", variances[0], 25, 4)
	near(t, "variance", variances[1], 9, 1.5)
	near(t, "product", dot(directions[0], directions[1]), 0, 1e-9)
}

// TestFold compares a layer on standardised values with the layer that it is folded into.
func TestFold(t *testing.T) {
	r := rand.New(rand.NewPCG(6, 1))
	floats := func(n int, least float64) []float32 {
		out := make([]float32, n)
		for i := range out {
			out[i] = float32(least + r.Float64())
		}
		return out
	}
	weight, bias, mean, deviation, x := floats(3*4, -0.5), floats(3, 0), floats(4, 0), floats(4, 0.5), floats(4, 0)
	w, b := standardisedAway(weight, bias, mean, deviation)
	for o := range bias {
		want, got := float64(bias[o]), float64(b[o])
		for c := range x {
			want += float64(weight[o*4+c]) * float64((x[c]-mean[c])/deviation[c])
			got += float64(w[o*4+c]) * float64(x[c])
		}
		near(t, "folded", got, want, 1e-5)
	}
	g := &gist{mean: []float64{0.1, 0.2, 0.3, 0.4}, deviation: []float64{1, 2, 0.5, 1.5}, weight: drawn(4, 2, 7), bias: []float64{0.3, -0.2}}
	layer := floats(3*2, -0.5)
	w, b = gistAway(layer, bias, g)
	z := g.standardised(matrix{{float64(x[0]), float64(x[1]), float64(x[2]), float64(x[3])}})
	values := z.times(g.weight)[0]
	for o := range bias {
		want, got := float64(bias[o]), float64(b[o])
		for k, v := range values {
			want += float64(layer[o*2+k]) * (v + g.bias[k])
		}
		for c := range x {
			got += float64(w[o*4+c]) * float64(x[c])
		}
		near(t, "folded gist", got, want, 1e-5)
	}
}

func TestHalf(t *testing.T) {
	for bits, want := range map[uint16]float32{0: 0, 0x3C00: 1, 0xC000: -2, 0x3555: 0.33325195, 0x0001: 5.9604645e-8, 0x7BFF: 65504} {
		if got := fromHalf(bits); got != want {
			t.Errorf("%04x: %g, want %g", bits, got, want)
		}
	}
}
