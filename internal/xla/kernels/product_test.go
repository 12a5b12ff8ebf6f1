//go:build cgo && linux && !noxla && amd64

package kernels

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// makers are what can make products here. Tiles are always tested, if need be with their
// instructions written out.
func makers(t *testing.T) map[string]maker {
	t.Helper()
	if !vectorsReady() {
		t.Skip("this processor has no vectors of 512 bits")
	}
	list := map[string]maker{"vectors": byVectors, "emulated tiles": byEmulatedTiles}
	if tilesReady() {
		list["tiles"] = byTiles
	}
	return list
}

// Shapes: of one number, smaller and larger than strips, panels, tiles and blocks of
// them, and with sums longer than what is packed at a time.
var productShapes = [][3]int{
	{1, 1, 1}, {5, 3, 2}, {8, 48, 16}, {16, 16, 32}, {17, 33, 31}, {32, 32, 64}, {37, 41, 77}, {48, 31, 33},
	{197, 64, 197}, {33, 100, 2100}, {400, 50, 130}, {785, 37, 500}, {3, 49, 4500}, {70, 20, 17000},
}

// TestProduct compares products with sums in float64. A number's error is measured
// against the sum of its terms' sizes, as rounding errors grow with that.
func TestProduct(t *testing.T) {
	for name, by := range makers(t) {
		for _, s := range productShapes {
			m, n, k := s[0], s[1], s[2]
			if by == byEmulatedTiles && m*n*k > 4e6 {
				continue
			}
			for layout := range 9 {
				t.Run(fmt.Sprintf("%s/%dx%dx%d/%d", name, m, n, k, layout), func(t *testing.T) {
					random := rand.New(rand.NewPCG(uint64(m*n+k), uint64(layout)))
					d := &direct{left: laidOut(random, m, k, layout%3), right: laidOut(random, k, n, layout/3), m: m, n: n, k: k}
					d.out = append(make([]float32, m*n), 7)
					if !d.run(1+layout%3, by) {
						t.Fatal("no memory")
					}
					if d.out[m*n] != 7 {
						t.Error("it wrote behind its end")
					}
					check(t, d)
				})
			}
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
func check(t *testing.T, d *direct) {
	t.Helper()
	var ours, plain errors
	for i := range d.m {
		for j := range d.n {
			sum, size, float := 0.0, 0.0, float32(0)
			for l := range d.k {
				x := d.left.at(i, l) * d.right.at(l, j)
				sum += x
				size += math.Abs(x)
				float += float32(x)
			}
			ours.add((float64(d.out[i*d.n+j]) - sum) / size)
			plain.add((float64(float) - sum) / size)
		}
	}
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
	if !(math.Abs(x) <= e.worst) { // NaN is worst
		e.worst = math.Abs(x)
	}
	e.n++
}

func (e *errors) mean() float64 { return math.Sqrt(e.squares / float64(e.n)) }

// TestProductSameBits checks that a product has the same bits for any number of threads.
func TestProductSameBits(t *testing.T) {
	for name, by := range makers(t) {
		for _, s := range [][3]int{{500, 197, 700}, {40, 700, 300}, {800, 60, 90}} {
			m, n, k := s[0], s[1], s[2]
			if by == byEmulatedTiles {
				m, n, k = m/2, n/3, k/3
			}
			random := rand.New(rand.NewPCG(3, 4))
			d := &direct{left: laidOut(random, m, k, 0), right: laidOut(random, k, n, 1), m: m, n: n, k: k, gamma: vector(random, k), beta: vector(random, k), epsilon: 1e-6}
			var want []float32
			for _, threads := range []int{1, 2, 3, 8} {
				d.out = make([]float32, m*n)
				if !d.run(threads, by) {
					t.Fatal("no memory")
				}
				if want == nil {
					want = d.out
				}
				if !slices.Equal(d.out, want) {
					t.Errorf("%s: with %d threads the product %v is another", name, threads, s)
				}
			}
		}
	}
}

// TestSumsWithManyThreads checks that the sums of rows are told when threads get in each
// other's way: one that comes to a block first may find that others have done all of it.
func TestSumsWithManyThreads(t *testing.T) {
	for name, by := range makers(t) {
		if by == byEmulatedTiles {
			continue // on one thread
		}
		const m, n, k = 1600, 100, 1
		left, right := view{make([]float32, m*k), k, 1}, view{make([]float32, k*n), n, 1}
		for i := range left.data {
			left.data[i] = float32(i + 1)
		}
		d := &direct{left: left, right: right, m: m, n: n, k: k, out: make([]float32, m*n), sums: make([]float32, m)}
		for range 3000 {
			clear(d.sums)
			if !d.run(8, by) {
				t.Fatal("no memory")
			}
			if !slices.Equal(d.sums, left.data) {
				t.Fatalf("%s: sums of some rows aren't there", name)
			}
		}
	}
}

func vector(random *rand.Rand, n int) []float32 {
	v := make([]float32, n)
	for i := range v {
		v[i] = float32(random.NormFloat64())
	}
	return v
}

// TestProductPacked checks that packed weights give the same bits.
func TestProductPacked(t *testing.T) {
	makers(t)
	for _, s := range [][3]int{{1, 16, 5}, {197, 96, 64}, {130, 80, 2300}, {9, 48, 100}} {
		m, n, k := s[0], s[1], s[2]
		random := rand.New(rand.NewPCG(uint64(m), 5))
		weights := vector(random, n*k)
		d := &direct{left: view{vector(random, m*k), k, 1}, right: view{weights, 1, k}, m: m, n: n, k: k, out: make([]float32, m*n)}
		packed := *d
		packed.packed, packed.right.data, packed.out = true, make([]float32, n*k), make([]float32, m*n)
		Pack(packed.right.data, weights, n, k)
		if !d.run(2, byVectors) || !packed.run(2, byVectors) {
			t.Fatal("no memory")
		}
		if !slices.Equal(d.out, packed.out) {
			t.Errorf("%v: packed weights give another product", s)
		}
	}
	odd := &direct{left: view{make([]float32, 5), 5, 1}, right: view{make([]float32, 50), 1, 5}, packed: true, m: 1, n: 10, k: 5, out: make([]float32, 10)}
	if odd.run(1, byVectors) || odd.run(1, byEmulatedTiles) {
		t.Error("weights that can't be packed were taken for packed")
	}
}

// TestProductAround checks everything that comes before and after a product, alone and
// together, against float64.
func TestProductAround(t *testing.T) {
	const m, n, k = 45, 70, 100
	for name, by := range makers(t) {
		for mask := range 64 {
			for _, threads := range []int{1, 2, 8} {
				random := rand.New(rand.NewPCG(uint64(mask), 9))
				d := &direct{left: view{vector(random, m*k), k, 1}, right: view{vector(random, n*k), 1, k}, m: m, n: n, k: k, epsilon: 1e-3, out: make([]float32, m*n)}
				if mask&1 != 0 {
					d.bias = vector(random, n)
				}
				if mask&2 != 0 {
					d.residual = vector(random, m*n)
				}
				if mask&4 != 0 {
					d.sums = make([]float32, m)
				}
				if threads == 2 {
					d.scale = vector(random, n)
				}
				switch mask >> 3 {
				case 1, 2, 3:
					d.activation = mask >> 3
				case 4:
					d.gamma, d.beta = vector(random, k), vector(random, k)
				case 5, 6, 7:
					d.activation, d.slopeAt, d.values = mask>>3-4, vector(random, m*n), make([]float32, m*n)
				}
				if d.sums != nil && (d.gamma != nil || d.activation != 0) {
					continue // sums are of gradients, which nothing is done to
				}
				if !d.run(threads, by) {
					t.Fatal("no memory")
				}
				if worst := around(d); !(worst < 2e-5) {
					t.Errorf("%s, %d threads, bias, residual, sums %03b, around %d: off by %g", name, threads, mask&7, mask>>3, worst)
				}
			}
		}
	}
}

// around is how far off the numbers of a product with all that is around it are.
func around(d *direct) (worst float64) {
	off := func(got float32, want float64) { worst = max(worst, math.Abs(float64(got)-want)/(1+math.Abs(want))) }
	row := make([]float64, d.k)
	for i := range d.m {
		sum := 0.0
		for l := range row {
			row[l] = d.left.at(i, l)
			sum += row[l]
			if d.activation != 0 && d.slopeAt == nil {
				row[l], _ = activation(d.activation, row[l])
			}
		}
		if d.sums != nil {
			off(d.sums[i], sum)
		}
		if d.gamma != nil {
			normal(row, d.gamma, d.beta, float64(d.epsilon))
		}
		for j := range d.n {
			x, at := 0.0, i*d.n+j
			for l := range row {
				x += row[l] * d.right.at(l, j)
			}
			if d.bias != nil {
				x += float64(d.bias[j])
			}
			if d.scale != nil {
				x *= float64(d.scale[j])
			}
			if d.slopeAt != nil {
				value, slope := activation(d.activation, float64(d.slopeAt[at]))
				off(d.values[at], value)
				x *= slope
			}
			if d.residual != nil {
				x += float64(d.residual[at])
			}
			off(d.out[at], x)
		}
	}
	return worst
}

func normal(row []float64, gamma, beta []float32, epsilon float64) {
	mean, square := 0.0, 0.0
	for _, x := range row {
		mean += x / float64(len(row))
	}
	for _, x := range row {
		square += (x - mean) * (x - mean) / float64(len(row))
	}
	for i, x := range row {
		row[i] = (x-mean)/math.Sqrt(square+epsilon)*float64(gamma[i]) + float64(beta[i])
	}
}

// activation is a function's value and slope in float64, in the order of vector.h.
func activation(function int, x float64) (value, slope float64) {
	logistic := func(y, dy float64) (float64, float64) {
		s := 1 / (1 + math.Exp(-y))
		return x * s, s + x*s*(1-s)*dy
	}
	switch function {
	case 1:
		phi := math.Erfc(-x/math.Sqrt2) / 2
		return x * phi, phi + x*math.Exp(-x*x/2)/math.Sqrt(2*math.Pi)
	case 2:
		c := math.Sqrt(2 / math.Pi)
		return logistic(2*c*(x+0.044715*x*x*x), 2*c*(1+3*0.044715*x*x))
	case 3:
		return logistic(1.702*x, 1.702)
	}
	return math.Exp(x), math.Exp(x)
}

// TestActivations compares the functions with float64: the exponential to a unit in the
// last place, the others to what rounding their factors gives.
func TestActivations(t *testing.T) {
	makers(t)
	var x []float32
	for i := -150000; i <= 150000; i++ {
		x = append(x, float32(i)*1e-4)
	}
	for function, bound := range map[int][2]float64{-1: {9e-8, 9e-8}, 1: {1.2e-7, 2.5e-7}, 2: {1.5e-7, 4e-7}, 3: {1.5e-7, 4e-7}} {
		values, slopes := activate(function, x)
		var worst [2]float64
		for i, in := range x {
			value, slope := activation(function, float64(in))
			size, rise := math.Abs(float64(in)), 1.0
			if function < 0 {
				size, rise = value, value
			}
			if size > 0 {
				worst[0] = max(worst[0], math.Abs(float64(values[i])-value)/size)
			}
			worst[1] = max(worst[1], math.Abs(float64(slopes[i])-slope)/rise)
		}
		t.Logf("function %d: values off by %.2g of x, slopes by %.2g", function, worst[0], worst[1])
		if !(worst[0] < bound[0]) || !(worst[1] < bound[1]) {
			t.Errorf("function %d: values are off by %.2g of x, slopes by %.2g", function, worst[0], worst[1])
		}
	}
}

// TestActivationsAtTheEnds checks numbers that are no numbers, and the greatest.
func TestActivationsAtTheEnds(t *testing.T) {
	makers(t)
	inf, nan := float32(math.Inf(1)), float32(math.NaN())
	for _, test := range []struct {
		function    int
		x, value    float32
		slope       float32
		valueOfNone bool
	}{
		{-1, -inf, 0, 0, false}, {-1, inf, inf, inf, false}, {-1, nan, nan, nan, false}, {-1, -104, 0, 0, false}, {-1, 89, inf, inf, false},
		{1, 1e30, 1e30, 1, false}, {1, -1e30, 0, 0, false}, {1, nan, nan, nan, false}, {1, inf, inf, nan, true},
		{2, 60, 60, 1, false}, {2, -60, 0, 0, false}, {2, nan, nan, nan, false}, {3, 1e3, 1e3, 1, false}, {3, nan, nan, nan, false},
	} {
		values, slopes := activate(test.function, []float32{test.x})
		same := func(a, b float32) bool { return math.Abs(float64(a-b)) <= 1e-30 || a == b || a != a && b != b }
		if !same(values[0], test.value) || !test.valueOfNone && !same(slopes[0], test.slope) {
			t.Errorf("function %d at %g: %g, slope %g, want %g, %g", test.function, test.x, values[0], slopes[0], test.value, test.slope)
		}
	}
}

// TestTilesExact multiplies by the identity: each number must come back as it is,
// whatever its bits.
func TestTilesExact(t *testing.T) {
	for name, by := range makers(t) {
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
			side        string
			left, right view
		}{{"left", a, one}, {"right", one, a}} {
			d := &direct{left: test.left, right: test.right, m: n, n: n, k: n, out: make([]float32, n*n)}
			d.run(2, by)
			for i := range d.out {
				if d.out[i] != a.data[i] {
					t.Fatalf("%s, %s: %g became %g", name, test.side, a.data[i], d.out[i])
				}
			}
		}
	}
}

// TestProductNotFinite checks that what isn't a number is not lost.
func TestProductNotFinite(t *testing.T) {
	const n = 32
	for name, by := range makers(t) {
		for _, bad := range []float32{float32(math.NaN()), float32(math.Inf(1)), float32(math.Inf(-1)), math.Float32frombits(0x7fffffff)} {
			a, b := view{data: make([]float32, n*n), row: n, col: 1}, view{data: make([]float32, n*n), row: n, col: 1}
			for i := range a.data {
				a.data[i], b.data[i] = 1, 1
			}
			a.data[3*n+5] = bad
			d := &direct{left: a, right: b, m: n, n: n, k: n, out: make([]float32, n*n)}
			d.run(2, by)
			for i, x := range d.out {
				finite := !math.IsNaN(float64(x)) && !math.IsInf(float64(x), 0)
				if finite == (i/n == 3) {
					t.Fatalf("%s: %g in row 3 gives %g in row %d", name, bad, x, i/n)
				}
			}
		}
	}
}
