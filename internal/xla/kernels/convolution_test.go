//go:build cgo && linux && !noxla && amd64

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

// convolved is a convolution's shapes: a kernel of size by size+wider elements.
type convolved struct {
	batch, rows, columns, in, out, size, wider, stride, dilation, top, left, bottom, right int
}

// convolutions are of kernels of one element and of more, on few and many channels, within
// pictures and around them, with more positions than a block has and more terms than are packed
// at a time.
var convolutions = []convolved{
	{batch: 1, rows: 5, columns: 7, in: 3, out: 5, size: 3, stride: 1, dilation: 1, top: 1, left: 1, bottom: 1, right: 1},
	{batch: 2, rows: 9, columns: 8, in: 3, out: 16, size: 7, stride: 2, dilation: 1, top: 3, left: 3, bottom: 3, right: 3},
	{batch: 2, rows: 9, columns: 8, in: 5, out: 48, size: 3, stride: 1, dilation: 2, top: 2, left: 2, bottom: 2, right: 2},
	{batch: 3, rows: 6, columns: 5, in: 16, out: 50, size: 1, stride: 2, dilation: 1},
	{batch: 1, rows: 7, columns: 9, in: 20, out: 32, size: 3, stride: 2, dilation: 1, bottom: 1, right: 1},
	{batch: 2, rows: 4, columns: 6, in: 7, out: 9, size: 2, wider: 1, stride: 3, dilation: 3, top: 4, left: 9, bottom: 6, right: 8},
	{batch: 1, rows: 2, columns: 2, in: 4, out: 3, size: 3, stride: 1, dilation: 1, top: 5, left: 5, bottom: 5, right: 5},
	{batch: 1, rows: 4, columns: 3, in: 700, out: 17, size: 3, stride: 1, dilation: 1, top: 1, left: 1, bottom: 1, right: 1},
	{batch: 1, rows: 3, columns: 3, in: 2000, out: 3, size: 3, stride: 1, dilation: 1, top: 1, left: 1, bottom: 1, right: 1},
	{batch: 2, rows: 30, columns: 28, in: 8, out: 20, size: 3, stride: 1, dilation: 1, top: 1, left: 1, bottom: 1, right: 1},
	{batch: 1, rows: 12, columns: 12, in: 3, out: 8, size: 4, stride: 4, dilation: 1},
}

// gemm is the product that computes the convolution, with numbers drawn at random.
func (c convolved) gemm(random *rand.Rand) *kernelstest.GEMM {
	positions := func(n, before, after, size int) int {
		return (n+before+after-c.dilation*(size-1)-1)/c.stride + 1
	}
	w := &kernelstest.Windows{
		Pictures: vector(random, c.batch*c.rows*c.columns*c.in), Rows: c.rows, Columns: c.columns, Channels: c.in,
		KernelRows: c.size, KernelColumns: c.size + c.wider,
		OutRows: positions(c.rows, c.top, c.bottom, c.size), OutColumns: positions(c.columns, c.left, c.right, c.size+c.wider),
		Stride: c.stride, Dilation: c.dilation, Top: c.top, Left: c.left,
	}
	g := &kernelstest.GEMM{Windows: w, M: c.batch * w.OutRows * w.OutColumns, N: c.out, K: w.KernelRows * w.KernelColumns * c.in}
	g.B = kernelstest.Matrix{Data: vector(random, g.K*g.N), RowStride: g.N, ColStride: 1}
	return g
}

// unfold is the matrix that the windows stand for.
func unfold(w *kernelstest.Windows, m, k int) kernelstest.Matrix {
	a := kernelstest.Matrix{Data: make([]float32, m*k), RowStride: k, ColStride: 1}
	for i := range m {
		picture, at := i/(w.OutRows*w.OutColumns), i%(w.OutRows*w.OutColumns)
		for j := range k {
			element, channel := j/w.Channels, j%w.Channels
			y := at/w.OutColumns*w.Stride - w.Top + element/w.KernelColumns*w.Dilation
			x := at%w.OutColumns*w.Stride - w.Left + element%w.KernelColumns*w.Dilation
			if y >= 0 && y < w.Rows && x >= 0 && x < w.Columns {
				a.Data[i*k+j] = w.Pictures[((picture*w.Rows+y)*w.Columns+x)*w.Channels+channel]
			}
		}
	}
	return a
}

// TestConvolution compares convolutions with sums in float64.
func TestConvolution(t *testing.T) {
	eachSet(t, func(t *testing.T, set kernelstest.Set) {
		for i, c := range convolutions {
			t.Run(fmt.Sprint(i), func(t *testing.T) {
				g := c.gemm(rand.New(rand.NewPCG(5, uint64(i))))
				g.C = append(make([]float32, g.M*g.N), 7)
				if !g.Run(1+i%3, set.Unit()) {
					t.Fatal("memory ran out")
				}
				if g.C[g.M*g.N] != 7 {
					t.Error("it wrote past the end of C")
				}
				g.A = unfold(g.Windows, g.M, g.K)
				checkErrors(t, g)
			})
		}
	})
}

// TestConvolutionEpilogue compares scale, shift, residual and ReLU, on a packed kernel, with
// float64, and the bits for several numbers of threads.
func TestConvolutionEpilogue(t *testing.T) {
	c := convolved{batch: 2, rows: 19, columns: 22, in: 9, out: 80, size: 3, stride: 1, dilation: 1, top: 1, left: 1, bottom: 1, right: 1}
	eachSet(t, func(t *testing.T, set kernelstest.Set) {
		random := rand.New(rand.NewPCG(6, 7))
		g := c.gemm(random)
		kernel := g.B
		g.Scale, g.Shift, g.Residual, g.ReLU, g.BPacked = vector(random, g.N), vector(random, g.N), vector(random, g.M*g.N), true, true
		g.B.Data = make([]float32, len(kernel.Data))
		outFirst := make([]float32, len(kernel.Data)) // [out, in]
		for k := range g.K {
			for j := range g.N {
				outFirst[j*g.K+k] = kernel.Data[k*g.N+j]
			}
		}
		if !kernels.PackFor(set.Name, g.B.Data, outFirst, g.N, g.K) {
			t.Fatal("the weights aren't packed")
		}
		var first []float32
		for _, threads := range []int{1, 2, 5} {
			g.C = make([]float32, g.M*g.N)
			if !g.Run(threads, set.Unit()) {
				t.Fatal("memory ran out")
			}
			if first == nil {
				first = g.C
			}
			if !slices.Equal(g.C, first) {
				t.Errorf("with %d threads the result differs", threads)
			}
		}
		a := unfold(g.Windows, g.M, g.K)
		for i, got := range first {
			row, column := i/g.N, i%g.N
			sum, magnitude := 0.0, 0.0
			for k := range g.K {
				x := a.At(row, k) * kernel.At(k, column) * float64(g.Scale[column])
				sum, magnitude = sum+x, magnitude+math.Abs(x)
			}
			for _, x := range []float32{g.Shift[column], g.Residual[i]} {
				sum, magnitude = sum+float64(x), magnitude+math.Abs(float64(x))
			}
			if want := max(sum, 0); !(math.Abs(float64(got)-want) <= 1e-6*magnitude) {
				t.Fatalf("number %d is %g, want %g", i, got, want)
			}
		}
	})
}

// TestConvolutionKeepsNaN checks that the ReLU doesn't hide that something went wrong.
func TestConvolutionKeepsNaN(t *testing.T) {
	eachSet(t, func(t *testing.T, set kernelstest.Set) {
		g := convolutions[0].gemm(rand.New(rand.NewPCG(8, 9)))
		g.ReLU, g.C = true, make([]float32, g.M*g.N)
		g.Windows.Pictures[0] = float32(math.NaN())
		if !g.Run(1, set.Unit()) {
			t.Fatal("memory ran out")
		}
		if g.C[0] == g.C[0] {
			t.Errorf("%g at a position that has a NaN", g.C[0])
		}
	})
}
