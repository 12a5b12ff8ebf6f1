//go:build cgo && linux && !noxla && (amd64 || arm64)

package kernels_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"gaze/internal/xla/kernels"
	"gaze/internal/xla/kernels/kernelstest"
)

// sets returns the kernels that this processor runs.
func sets(t *testing.T) []kernelstest.Set {
	t.Helper()
	list, skipped := kernelstest.Sets()
	if len(skipped) > 0 {
		t.Log("not tested, since this processor doesn't run them: ", skipped)
	}
	if len(list) == 0 {
		t.Skip("this processor runs none of the kernels")
	}
	return list
}

// eachSet runs a test for the kernels that this processor runs.
func eachSet(t *testing.T, test func(t *testing.T, set kernelstest.Set)) {
	t.Helper()
	for _, s := range sets(t) {
		t.Run(s.Name, func(t *testing.T) { test(t, s) })
	}
}

// units returns what can compute products here. AMX is tested in emulation where there is
// AVX-512.
func units(t *testing.T) map[string]kernelstest.Unit {
	t.Helper()
	list := map[string]kernelstest.Unit{}
	for _, s := range sets(t) {
		list[s.Name] = s.Unit()
		if s.Name == "AVX-512" {
			list["emulated AMX"] = kernelstest.EmulatedAMX
		}
	}
	if kernelstest.HasAMX() {
		list["AMX"] = kernelstest.AMX
	}
	return list
}

// gemmShapes are m, n and k: of one number, smaller and larger than micropanels, tiles and
// blocks, and with more terms than are packed at a time.
var gemmShapes = [][3]int{
	{1, 1, 1}, {5, 3, 2}, {8, 48, 16}, {16, 16, 32}, {17, 33, 31}, {32, 32, 64}, {37, 41, 77}, {48, 31, 33},
	{197, 64, 197}, {33, 100, 2100}, {400, 50, 130}, {785, 37, 500}, {3, 49, 4500}, {20, 97, 2048}, {70, 20, 17000},
}

// TestGEMM compares products with sums in float64. The error of a number is relative to the sum
// of its terms' magnitudes, with which rounding errors grow.
func TestGEMM(t *testing.T) {
	for name, unit := range units(t) {
		for _, s := range gemmShapes {
			m, n, k := s[0], s[1], s[2]
			if (unit == kernelstest.EmulatedAMX || testing.Short()) && m*n*k > 4e6 {
				continue
			}
			for layout := range 9 {
				t.Run(fmt.Sprintf("%s/%dx%dx%d/%d", name, m, n, k, layout), func(t *testing.T) {
					random := rand.New(rand.NewPCG(uint64(m*n+k), uint64(layout)))
					g := &kernelstest.GEMM{A: randomMatrix(random, m, k, layout%3), B: randomMatrix(random, k, n, layout/3), M: m, N: n, K: k}
					g.C = append(make([]float32, m*n), 7)
					if !g.Run(1+layout%3, unit) {
						t.Fatal("memory ran out")
					}
					if g.C[m*n] != 7 {
						t.Error("it wrote past the end of C")
					}
					checkErrors(t, g)
				})
			}
		}
	}
}

// randomMatrix is a matrix in row-major (0) or column-major (1) order, or with gaps between all
// numbers (2).
func randomMatrix(random *rand.Rand, rows, cols, layout int) kernelstest.Matrix {
	m := kernelstest.Matrix{RowStride: cols, ColStride: 1}
	switch layout {
	case 1:
		m = kernelstest.Matrix{RowStride: 1, ColStride: rows}
	case 2:
		m = kernelstest.Matrix{RowStride: 3 * cols, ColStride: 2}
	}
	m.Data = make([]float32, (rows-1)*m.RowStride+(cols-1)*m.ColStride+1)
	for i := range m.Data {
		m.Data[i] = float32(random.NormFloat64() * math.Exp(2*random.NormFloat64()))
	}
	return m
}

// checkErrors compares the errors with those of adding up one number after the other in float32:
// the root mean square over the matrix, and the maximum. Multiplying in bfloat16 alone would give
// errors of 2^-8.
func checkErrors(t *testing.T, g *kernelstest.GEMM) {
	t.Helper()
	var ours, float32s errors
	for i := range g.M {
		for j := range g.N {
			sum, magnitude, float32Sum := 0.0, 0.0, float32(0)
			for k := range g.K {
				x := g.A.At(i, k) * g.B.At(k, j)
				sum += x
				magnitude += math.Abs(x)
				float32Sum += float32(x)
			}
			if magnitude == 0 { // outside of a convolution's pictures
				magnitude = 1
			}
			ours.add((float64(g.C[i*g.N+j]) - sum) / magnitude)
			float32s.add((float64(float32Sum) - sum) / magnitude)
		}
	}
	// Rounding the result to float32 alone gives errors of up to 2^-24.
	const rounding = 1.0 / (1 << 24)
	if ours.rms() > 1.5*float32s.rms()+2*rounding || ours.max > 1.5*float32s.max+2*rounding {
		t.Errorf("the error relative to the terms is %.2g, at most %.2g; with float32 %.2g, %.2g", ours.rms(), ours.max, float32s.rms(), float32s.max)
	}
}

type errors struct {
	squares, max float64
	n            int
}

func (e *errors) add(x float64) {
	e.squares += x * x
	if !(math.Abs(x) <= e.max) { // also if x is NaN
		e.max = math.Abs(x)
	}
	e.n++
}

func (e *errors) rms() float64 { return math.Sqrt(e.squares / float64(e.n)) }

// TestGEMMFewRows compares products that read B as it is with float64, with an epilogue or not,
// and the bits for several numbers of threads and of rows.
func TestGEMMFewRows(t *testing.T) {
	eachSet(t, func(t *testing.T, set kernelstest.Set) {
		for i, s := range [][2]int{{1, 1}, {2, 40}, {500, 70}, {203, 1030}, {2000, 700}} {
			const m = 15
			n, k := s[0], s[1]
			random := rand.New(rand.NewPCG(uint64(n), 6))
			g := &kernelstest.GEMM{A: randomMatrix(random, m, k, 0), B: randomMatrix(random, k, n, 1), FewRows: true, M: m, N: n, K: k, C: make([]float32, m*n)}
			if !g.Run(1, set.Unit()) {
				t.Fatal("memory ran out")
			}
			checkErrors(t, g)
			for rows := 1; rows <= m; rows++ {
				few := *g
				few.M, few.C = rows, append(make([]float32, rows*n), 7)
				if i%2 == 0 {
					few.Bias, few.Residual = vector(random, n), vector(random, m*n)
				}
				if !few.Run(1+rows%3, set.Unit()) {
					t.Fatal("memory ran out")
				}
				for i, got := range few.C[:rows*n] {
					want := g.C[i]
					if few.Bias != nil {
						want = want + few.Bias[i%n] + few.Residual[i]
					}
					if got != want {
						t.Fatalf("[%d %d %d]: number %d is %g, not %g as with %d rows", rows, n, k, i, got, want, m)
					}
				}
				if few.C[rows*n] != 7 {
					t.Error("it wrote past the end of C")
				}
			}
		}
	})
}

// TestGEMMSameBits checks that a product has the same bits for any number of threads.
func TestGEMMSameBits(t *testing.T) {
	for name, unit := range units(t) {
		for _, s := range [][3]int{{500, 197, 700}, {40, 700, 300}, {800, 60, 90}} {
			m, n, k := s[0], s[1], s[2]
			if unit == kernelstest.EmulatedAMX {
				m, n, k = m/2, n/3, k/3
			}
			random := rand.New(rand.NewPCG(3, 4))
			g := &kernelstest.GEMM{A: randomMatrix(random, m, k, 0), B: randomMatrix(random, k, n, 1), M: m, N: n, K: k, Gamma: vector(random, k), Beta: vector(random, k), Epsilon: 1e-6}
			var want []float32
			for _, threads := range []int{1, 2, 3, 8} {
				g.C = make([]float32, m*n)
				if !g.Run(threads, unit) {
					t.Fatal("memory ran out")
				}
				if want == nil {
					want = g.C
				}
				if !slices.Equal(g.C, want) {
					t.Errorf("%s: with %d threads the product %v differs", name, threads, s)
				}
			}
		}
	}
}

// TestRowSumsWithManyThreads checks that the row sums are stored whichever thread multiplies what:
// the thread that takes a block may find that others have already multiplied all of it.
func TestRowSumsWithManyThreads(t *testing.T) {
	for name, unit := range units(t) {
		if unit == kernelstest.EmulatedAMX {
			continue // it runs on one thread
		}
		const m, n, k = 1600, 100, 1
		runs := 3000
		if testing.Short() {
			runs = 100
		}
		a, b := kernelstest.Matrix{Data: make([]float32, m*k), RowStride: k, ColStride: 1}, kernelstest.Matrix{Data: make([]float32, k*n), RowStride: n, ColStride: 1}
		for i := range a.Data {
			a.Data[i] = float32(i + 1)
		}
		g := &kernelstest.GEMM{A: a, B: b, M: m, N: n, K: k, C: make([]float32, m*n), RowSums: make([]float32, m)}
		for range runs {
			clear(g.RowSums)
			if !g.Run(8, unit) {
				t.Fatal("memory ran out")
			}
			if !slices.Equal(g.RowSums, a.Data) {
				t.Fatalf("%s: some row sums are missing", name)
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

// TestGEMMPacked checks that prepacked weights give the same bits.
func TestGEMMPacked(t *testing.T) {
	for _, set := range sets(t) {
		for _, s := range [][3]int{{1, 16, 5}, {197, 96, 64}, {130, 80, 2300}, {9, 48, 100}, {17, 10, 70}, {1, 1000, 33}} {
			m, n, k := s[0], s[1], s[2]
			random := rand.New(rand.NewPCG(uint64(m), 5))
			weights := vector(random, n*k)
			g := &kernelstest.GEMM{A: rowMajor(vector(random, m*k), k), B: columnMajor(weights, k), M: m, N: n, K: k, C: make([]float32, m*n)}
			packed := *g
			packed.BPacked, packed.B.Data, packed.C = true, make([]float32, kernels.PackedRows(n)*k), make([]float32, m*n)
			if !kernels.PackFor(set.Name, packed.B.Data, weights, n, k) || !g.Run(2, set.Unit()) || !packed.Run(2, set.Unit()) {
				t.Fatal("memory ran out")
			}
			if !slices.Equal(g.C, packed.C) {
				t.Errorf("%s, %v: prepacked weights give a different product", set.Name, s)
			}
		}
		if amx := (&kernelstest.GEMM{A: rowMajor(make([]float32, 5), 5), B: columnMajor(make([]float32, 80), 5), BPacked: true, M: 1, N: 16, K: 5, C: make([]float32, 16)}); set.Name == "AVX-512" && amx.Run(1, kernelstest.EmulatedAMX) {
			t.Error("AMX accepted packed weights")
		}
	}
}

// rowMajor and columnMajor are dense matrices, of rows or columns of some length.
func rowMajor(data []float32, length int) kernelstest.Matrix {
	return kernelstest.Matrix{Data: data, RowStride: length, ColStride: 1}
}

func columnMajor(data []float32, length int) kernelstest.Matrix {
	return kernelstest.Matrix{Data: data, RowStride: 1, ColStride: length}
}

// TestFusion compares every prologue and epilogue, alone and combined, with float64.
func TestFusion(t *testing.T) {
	const m, n = 45, 70
	for name, unit := range units(t) {
		for mask := range 64 {
			for _, threads := range []int{1, 2, 8} {
				k, most := 100, 2e-5
				if mask%3 == threads%3 {
					k, most = 2100, 2e-4 // several parts, and more rows of B than are packed at a time
				}
				random := rand.New(rand.NewPCG(uint64(mask), 9))
				g := &kernelstest.GEMM{A: rowMajor(vector(random, m*k), k), B: columnMajor(vector(random, n*k), k), M: m, N: n, K: k, Epsilon: 1e-3, C: make([]float32, m*n)}
				if mask&1 != 0 {
					g.Bias = vector(random, n)
				}
				if mask&2 != 0 {
					g.Residual = vector(random, m*n)
				}
				if mask&4 != 0 {
					g.RowSums = make([]float32, m)
				}
				if threads == 2 {
					g.Scale = vector(random, n)
				}
				if threads == 8 {
					g.ResultActivation = mask % 4
				}
				switch mask >> 3 {
				case 1, 2, 3:
					g.Activation = mask >> 3
				case 4:
					g.Gamma, g.Beta = vector(random, k), vector(random, k)
				case 5, 6, 7:
					g.Activation, g.PreActivation, g.Activated = mask>>3-4, vector(random, m*n), make([]float32, m*n)
				}
				if g.RowSums != nil && (g.Gamma != nil || g.Activation != 0) {
					continue // row sums are needed of gradients only, which have no prologue
				}
				if !g.Run(threads, unit) {
					t.Fatal("memory ran out")
				}
				if worst := fusionError(g); !(worst < most) {
					t.Errorf("%s, %d terms, %d threads, row sums, residual, bias %03b, activation or norm %d: the error is %g", name, k, threads, mask&7, mask>>3, worst)
				}
			}
		}
	}
}

// TestFusionOfLongSums checks the epilogue of sums that are added up in several rounds.
func TestFusionOfLongSums(t *testing.T) {
	const m, n, k = 20, 50, 17000
	for name, unit := range units(t) {
		random := rand.New(rand.NewPCG(4, 9))
		g := &kernelstest.GEMM{A: rowMajor(vector(random, m*k), k), B: columnMajor(vector(random, n*k), k), M: m, N: n, K: k,
			Bias: vector(random, n), Residual: vector(random, m*n), ResultActivation: 1, C: make([]float32, m*n)}
		if !g.Run(2, unit) {
			t.Fatal("memory ran out")
		}
		if worst := fusionError(g); !(worst < 3e-4) {
			t.Errorf("%s: the error is %g", name, worst)
		}
	}
}

// fusionError is the largest relative error of what a product with its prologue and epilogue
// computes.
func fusionError(g *kernelstest.GEMM) (worst float64) {
	compare := func(got float32, want float64) { worst = max(worst, math.Abs(float64(got)-want)/(1+math.Abs(want))) }
	row := make([]float64, g.K)
	for i := range g.M {
		sum := 0.0
		for k := range row {
			row[k] = g.A.At(i, k)
			sum += row[k]
			if g.Activation != 0 && g.PreActivation == nil {
				row[k], _ = activation64(g.Activation, row[k])
			}
		}
		if g.RowSums != nil {
			compare(g.RowSums[i], sum)
		}
		if g.Gamma != nil {
			normalize64(row, g.Gamma, g.Beta, float64(g.Epsilon))
		}
		for j := range g.N {
			x, at := 0.0, i*g.N+j
			for k := range row {
				x += row[k] * g.B.At(k, j)
			}
			if g.Bias != nil {
				x += float64(g.Bias[j])
			}
			if g.Scale != nil {
				x *= float64(g.Scale[j])
			}
			if g.PreActivation != nil {
				value, derivative := activation64(g.Activation, float64(g.PreActivation[at]))
				compare(g.Activated[at], value)
				x *= derivative
			}
			if g.Residual != nil {
				x += float64(g.Residual[at])
			}
			if g.ResultActivation != 0 {
				x, _ = activation64(g.ResultActivation, x)
			}
			compare(g.C[at], x)
		}
	}
	return worst
}

func normalize64(row []float64, gamma, beta []float32, epsilon float64) {
	mean, variance := 0.0, 0.0
	for _, x := range row {
		mean += x / float64(len(row))
	}
	for _, x := range row {
		variance += (x - mean) * (x - mean) / float64(len(row))
	}
	for i, x := range row {
		row[i] = (x-mean)/math.Sqrt(variance+epsilon)*float64(gamma[i]) + float64(beta[i])
	}
}

// activation64 is an activation function's value and derivative in float64.
func activation64(function int, x float64) (value, derivative float64) {
	gated := func(y, dy float64) (float64, float64) {
		s := 1 / (1 + math.Exp(-y))
		return x * s, s + x*s*(1-s)*dy
	}
	switch function {
	case kernels.ActivationGELU:
		phi := math.Erfc(-x/math.Sqrt2) / 2
		return x * phi, phi + x*math.Exp(-x*x/2)/math.Sqrt(2*math.Pi)
	case kernels.ActivationGELUTanh:
		c := math.Sqrt(2 / math.Pi)
		return gated(2*c*(x+0.044715*x*x*x), 2*c*(1+3*0.044715*x*x))
	case kernels.ActivationQuickGELU:
		return gated(1.702*x, 1.702)
	}
	return math.Exp(x), math.Exp(x)
}

// TestActivations compares the functions with float64: the exponential to a unit in the last
// place, the others to the rounding errors of their factors.
func TestActivations(t *testing.T) {
	eachSet(t, func(t *testing.T, set kernelstest.Set) {
		var x []float32
		for i := -150000; i <= 150000; i++ {
			x = append(x, float32(i)*1e-4)
		}
		for function, bound := range map[int][2]float64{
			kernelstest.Exp: {9e-8, 9e-8}, kernels.ActivationGELU: {1.2e-7, 2.5e-7}, kernels.ActivationGELUTanh: {1.5e-7, 4e-7}, kernels.ActivationQuickGELU: {1.5e-7, 4e-7},
		} {
			values, derivatives := set.Activation(function, x)
			var worst [2]float64
			for i, in := range x {
				value, derivative := activation64(function, float64(in))
				size, derivativeSize := math.Abs(float64(in)), 1.0
				if function == kernelstest.Exp {
					size, derivativeSize = value, value
				}
				if size > 0 {
					worst[0] = max(worst[0], math.Abs(float64(values[i])-value)/size)
				}
				worst[1] = max(worst[1], math.Abs(float64(derivatives[i])-derivative)/derivativeSize)
			}
			t.Logf("function %d: the errors are %.2g of x, of the derivatives %.2g", function, worst[0], worst[1])
			if !(worst[0] < bound[0]) || !(worst[1] < bound[1]) {
				t.Errorf("function %d: the errors are %.2g of x, of the derivatives %.2g", function, worst[0], worst[1])
			}
		}
	})
}

// TestActivationsOfExtremes checks NaN, infinities and large numbers.
func TestActivationsOfExtremes(t *testing.T) {
	eachSet(t, func(t *testing.T, set kernelstest.Set) {
		inf, nan := float32(math.Inf(1)), float32(math.NaN())
		for _, test := range []struct {
			function   int
			x, value   float32
			derivative float32
			valueOnly  bool
		}{
			{-1, -inf, 0, 0, false}, {-1, inf, inf, inf, false}, {-1, nan, nan, nan, false}, {-1, -104, 0, 0, false}, {-1, 89, inf, inf, false},
			{1, 1e30, 1e30, 1, false}, {1, -1e30, 0, 0, false}, {1, nan, nan, nan, false}, {1, inf, inf, nan, true},
			{2, 60, 60, 1, false}, {2, -60, 0, 0, false}, {2, nan, nan, nan, false}, {3, 1e3, 1e3, 1, false}, {3, nan, nan, nan, false},
		} {
			values, derivatives := set.Activation(test.function, []float32{test.x})
			same := func(a, b float32) bool { return math.Abs(float64(a-b)) <= 1e-30 || a == b || a != a && b != b }
			if !same(values[0], test.value) || !test.valueOnly && !same(derivatives[0], test.derivative) {
				t.Errorf("function %d at %g: %g, derivative %g, want %g, %g", test.function, test.x, values[0], derivatives[0], test.value, test.derivative)
			}
		}
	})
}

// TestGEMMExact multiplies by the identity matrix, which must give every number back exactly.
func TestGEMMExact(t *testing.T) {
	for name, unit := range units(t) {
		const n = 40
		random := rand.New(rand.NewPCG(1, 2))
		a := rowMajor(make([]float32, n*n), n)
		for i := range a.Data {
			// Any significand, and any exponent that three bfloat16s can represent.
			bits := random.Uint32()&0x807fffff | (uint32(40+random.IntN(200)) << 23)
			a.Data[i] = math.Float32frombits(bits)
		}
		identity := rowMajor(make([]float32, n*n), n)
		for i := range n {
			identity.Data[i*n+i] = 1
		}
		for _, test := range []struct {
			side string
			a, b kernelstest.Matrix
		}{{"left", a, identity}, {"right", identity, a}} {
			g := &kernelstest.GEMM{A: test.a, B: test.b, M: n, N: n, K: n, C: make([]float32, n*n)}
			g.Run(2, unit)
			for i := range g.C {
				if g.C[i] != a.Data[i] {
					t.Fatalf("%s, %s: %g became %g", name, test.side, a.Data[i], g.C[i])
				}
			}
		}
	}
}

// TestGEMMNotFinite checks that NaN and infinities spread to all results that depend on them.
func TestGEMMNotFinite(t *testing.T) {
	const n = 32
	for name, unit := range units(t) {
		for _, bad := range []float32{float32(math.NaN()), float32(math.Inf(1)), float32(math.Inf(-1)), math.Float32frombits(0x7fffffff)} {
			a, b := rowMajor(make([]float32, n*n), n), rowMajor(make([]float32, n*n), n)
			for i := range a.Data {
				a.Data[i], b.Data[i] = 1, 1
			}
			a.Data[3*n+5] = bad
			g := &kernelstest.GEMM{A: a, B: b, M: n, N: n, K: n, C: make([]float32, n*n)}
			g.Run(2, unit)
			for i, x := range g.C {
				finite := !math.IsNaN(float64(x)) && !math.IsInf(float64(x), 0)
				if finite == (i/n == 3) {
					t.Fatalf("%s: %g in row 3 gives %g in row %d", name, bad, x, i/n)
				}
			}
		}
	}
}
