//go:build cgo && linux && !noxla && amd64

package products

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// TestMultiply compares products with sums in float64. A number's error is measured
// against the sum of its terms' sizes, as rounding errors grow with that.
func TestMultiply(t *testing.T) {
	if !ready() {
		t.Skip("this processor has no AMX tiles")
	}
	shapes := [][3]int{
		{1, 1, 1}, {5, 3, 2}, {16, 16, 32}, {17, 33, 31}, {32, 32, 64}, {37, 41, 77}, {48, 31, 33},
		{197, 64, 197}, {197, 384, 384}, {33, 100, 2100}, {400, 64, 130}, {785, 37, 500},
	}
	for _, s := range shapes {
		for layout := range 9 {
			m, n, k := s[0], s[1], s[2]
			t.Run(fmt.Sprintf("%dx%dx%d/%d", m, n, k, layout), func(t *testing.T) {
				random := rand.New(rand.NewPCG(uint64(m*n+k), uint64(layout)))
				a, b := laidOut(random, m, k, layout%3), laidOut(random, k, n, layout/3)
				out := make([]float32, m*n+1)
				out[m*n] = 7
				if !multiply(a, b, out, m, n, k, m) {
					t.Fatal("no memory")
				}
				if out[m*n] != 7 {
					t.Error("it wrote behind its end")
				}
				check(t, a, b, out, m, n, k)
			})
		}
	}
}

// laidOut is a matrix by rows, by columns, or with gaps everywhere.
func laidOut(random *rand.Rand, rows, cols, layout int) view {
	v := view{row: cols, col: 1}
	switch layout {
	case 1:
		v = view{row: 1, col: rows}
	case 2:
		v = view{row: 3 * cols, col: 2}
	}
	v.data = make([]float32, (rows-1)*v.row+(cols-1)*v.col+1)
	for i := range v.data {
		v.data[i] = float32(random.NormFloat64() * math.Exp(2*random.NormFloat64()))
	}
	return v
}

// check allows what adding one number after the other in float32 is off by, for the
// whole matrix: the root of the mean square, and at worst. Multiplying in bfloat16
// alone would be off by 2^-8.
func check(t *testing.T, a, b view, out []float32, m, n, k int) {
	t.Helper()
	var ours, plain errors
	for i := range m {
		for j := range n {
			sum, size, float := 0.0, 0.0, float32(0)
			for l := range k {
				x, y := a.data[i*a.row+l*a.col], b.data[l*b.row+j*b.col]
				sum += float64(x) * float64(y)
				size += math.Abs(float64(x) * float64(y))
				float += float32(x * y)
			}
			ours.add((float64(out[i*n+j]) - sum) / size)
			plain.add((float64(float) - sum) / size)
		}
	}
	t.Logf("off by %.2g of the terms, at worst %.2g; float32 %.2g, %.2g", ours.mean(), ours.worst, plain.mean(), plain.worst)
	// A float32 number is off by up to 2^-24 by itself.
	const last = 1.0 / (1 << 24)
	if ours.mean() > 1.5*plain.mean()+2*last || ours.worst > 1.5*plain.worst+2*last {
		t.Errorf("off by %.2g of the terms, at worst %.2g; float32 %.2g, %.2g", ours.mean(), ours.worst, plain.mean(), plain.worst)
	}
}

type errors struct {
	squares, worst float64
	n              int
}

func (e *errors) add(x float64) {
	e.squares += x * x
	e.worst = max(e.worst, math.Abs(x))
	e.n++
}

func (e *errors) mean() float64 { return math.Sqrt(e.squares / float64(e.n)) }

// TestMultiplyParts checks that a product cut between threads, by rows or by columns,
// has the bits of the whole.
func TestMultiplyParts(t *testing.T) {
	if !ready() {
		t.Skip("this processor has no AMX tiles")
	}
	const m, n, k = 500, 197, 700
	random := rand.New(rand.NewPCG(3, 4))
	a, b := laidOut(random, m, k, 0), laidOut(random, k, n, 1)
	whole := make([]float32, m*n)
	multiply(a, b, whole, m, n, k, m)
	for _, cut := range []int{32, 224, 480} {
		rows := make([]float32, m*n)
		multiply(a, b, rows, cut, n, k, m)
		multiply(view{a.data[cut*a.row:], a.row, a.col}, b, rows[cut*n:], m-cut, n, k, m)
		if !slices.Equal(rows, whole) {
			t.Errorf("cut at row %d the product is another", cut)
		}
	}
	for _, cut := range []int{32, 160} {
		left, right := make([]float32, m*cut), make([]float32, m*(n-cut))
		multiply(a, b, left, m, cut, k, m)
		multiply(a, view{b.data[cut*b.col:], b.row, b.col}, right, m, n-cut, k, m)
		for i := range m {
			if !slices.Equal(left[i*cut:(i+1)*cut], whole[i*n:i*n+cut]) || !slices.Equal(right[i*(n-cut):(i+1)*(n-cut)], whole[i*n+cut:(i+1)*n]) {
				t.Fatalf("cut at column %d row %d is another", cut, i)
			}
		}
	}
}

// TestMultiplyExact multiplies by the identity: each number must come back as it is,
// whatever its bits.
func TestMultiplyExact(t *testing.T) {
	if !ready() {
		t.Skip("this processor has no AMX tiles")
	}
	const n = 40
	random := rand.New(rand.NewPCG(1, 2))
	a := view{data: make([]float32, n*n), row: n, col: 1}
	for i := range a.data {
		// Of any size that three pieces of a number can have, and all bits of it.
		bits := random.Uint32()&0x807fffff | (uint32(40+random.IntN(200)) << 23)
		a.data[i] = math.Float32frombits(bits)
	}
	one := view{data: make([]float32, n*n), row: n, col: 1}
	for i := range n {
		one.data[i*n+i] = 1
	}
	for _, test := range []struct {
		name        string
		left, right view
	}{{"left", a, one}, {"right", one, a}} {
		out := make([]float32, n*n)
		multiply(test.left, test.right, out, n, n, n, n)
		for i := range out {
			if out[i] != a.data[i] {
				t.Fatalf("%s: %g became %g", test.name, a.data[i], out[i])
			}
		}
	}
}

// TestMultiplyNotFinite checks that what isn't a number is not lost.
func TestMultiplyNotFinite(t *testing.T) {
	if !ready() {
		t.Skip("this processor has no AMX tiles")
	}
	const n = 32
	for _, bad := range []float32{float32(math.NaN()), float32(math.Inf(1)), float32(math.Inf(-1)), math.Float32frombits(0x7fffffff)} {
		a, b := view{data: make([]float32, n*n), row: n, col: 1}, view{data: make([]float32, n*n), row: n, col: 1}
		for i := range a.data {
			a.data[i], b.data[i] = 1, 1
		}
		a.data[3*n+5] = bad
		out := make([]float32, n*n)
		multiply(a, b, out, n, n, n, n)
		for i, x := range out {
			finite := !math.IsNaN(float64(x)) && !math.IsInf(float64(x), 0)
			if finite == (i/n == 3) {
				t.Fatalf("%g in row 3 gives %g in row %d", bad, x, i/n)
			}
		}
	}
}
