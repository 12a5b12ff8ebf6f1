package nn

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes/bfloat16"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"gaze/pkg/backend"
)

// backends are the Go backend and, where it is another, the process's.
func backends(t *testing.T) []compute.Backend {
	t.Helper()
	pure, err := backend.Open("go:ops_sequential")
	if err != nil {
		t.Fatal(err)
	}
	usual, err := backend.Default()
	if err != nil {
		t.Fatal(err)
	}
	if usual.Name() == pure.Name() {
		return []compute.Backend{pure}
	}
	return []compute.Backend{pure, usual}
}

// TestBFloat16Products compares products in bfloat16 and their gradients' products with
// sums in float64 of the rounded factors. The sizes cover the paths that backends choose
// by size: few terms and many, multiples of vectors and not, with a batch and without.
func TestBFloat16Products(t *testing.T) {
	sizes := []struct{ batch, rows, columns, terms int }{
		{1, 1, 1, 8}, {1, 1, 1, 16}, {1, 3, 2, 15}, {1, 3, 2, 17}, {1, 4, 8, 24}, {2, 9, 9, 8}, {2, 9, 9, 16},
		{3, 5, 7, 33}, {2, 12, 10, 48}, {1, 17, 40, 64}, {2, 16, 16, 100}, {1, 50, 64, 192}, {1, 130, 70, 300},
	}
	pure := backends(t)[0]
	for _, b := range backends(t) {
		product, err := NewExec(b, func(x, y, g *Node) []*Node {
			z := precision{bfloat16: true}.product(x, y, []int{0}, 2, 2)
			return append([]*Node{z}, Gradient(ReduceAllSum(Mul(z, g)), x, y)...)
		})
		if err != nil {
			t.Fatal(err)
		}
		rounded := b.Name() == pure.Name()
		if !rounded {
			sizes = sizes[len(sizes)-4:] // XLA compiles each for half a second
		}
		for _, s := range sizes {
			t.Run(fmt.Sprintf("%s/%dx%dx%dx%d", b.Name(), s.batch, s.rows, s.columns, s.terms), func(t *testing.T) {
				random := rand.New(rand.NewPCG(uint64(s.rows), uint64(s.terms)))
				x, y := drawn(random, []int{s.batch, s.rows, s.terms}), drawn(random, []int{s.batch, s.columns, s.terms})
				g := drawn(random, []int{s.batch, s.rows, s.columns})
				out, err := product.Call(x, y, g)
				if err != nil {
					t.Fatal(err)
				}
				mx, my, mg := roundedMatrix(x), roundedMatrix(y), roundedMatrix(g)
				nearProduct(t, "the product", out[0], mx, my.transposed(), rounded)
				nearProduct(t, "the gradient by the left factor", out[1], mg, my, rounded)
				nearProduct(t, "the gradient by the right factor", out[2], mg.transposed(), mx, rounded)
			})
		}
	}
}

// matrix is a batch of matrices.
type matrix struct {
	values               []float64
	batch, rows, columns int
}

func (m matrix) at(b, i, j int) float64 { return m.values[(b*m.rows+i)*m.columns+j] }

func (m matrix) transposed() matrix {
	t := matrix{nil, m.batch, m.columns, m.rows}
	for b := range m.batch {
		for j := range m.columns {
			for i := range m.rows {
				t.values = append(t.values, m.at(b, i, j))
			}
		}
	}
	return t
}

// roundedMatrix is a tensor's numbers, rounded to bfloat16.
func roundedMatrix(x *tensors.Tensor) matrix {
	dims := x.Shape().Dimensions
	m := matrix{nil, dims[0], dims[1], dims[2]}
	for _, v := range tensors.MustCopyFlatData[float32](x) {
		m.values = append(m.values, bfloat16.FromFloat32(v).Float64())
	}
	return m
}

// nearProduct checks that each number is within one rounding to bfloat16 of the product's
// and, if rounded, is a bfloat16. XLA may leave out a rounding when it joins operations.
func nearProduct(t *testing.T, what string, got *tensors.Tensor, x, y matrix, rounded bool) {
	t.Helper()
	all := tensors.MustCopyFlatData[float32](got)
	for b := range x.batch {
		for i := range x.rows {
			for j := range y.columns {
				sum, size := 0.0, 0.0
				for k := range x.columns {
					term := x.at(b, i, k) * y.at(b, k, j)
					sum, size = sum+term, size+math.Abs(term)
				}
				v := all[(b*x.rows+i)*y.columns+j]
				if off := math.Abs(float64(v) - sum); !(off <= math.Abs(sum)/256+1e-6*size) {
					t.Fatalf("%s at (%d, %d, %d) is %g, want %g", what, b, i, j, v, sum)
				}
				if rounded && bfloat16.FromFloat32(v).Float32() != v {
					t.Fatalf("%s at (%d, %d, %d) is %g, which is no bfloat16", what, b, i, j, v)
				}
			}
		}
	}
}
