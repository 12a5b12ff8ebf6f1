package backend

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
)

// TestProducts compares the backend's products with sums in float64: with batches, with axes in any
// order, and with several contracted axes.
func TestProducts(t *testing.T) {
	b, err := Default()
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		left, right              []int
		leftBatch, rightBatch    []int
		leftContract, rightContr []int
	}{
		{[]int{197, 96}, []int{130, 96}, nil, nil, []int{1}, []int{1}},
		{[]int{197, 96}, []int{96, 130}, nil, nil, []int{1}, []int{0}},
		{[]int{300, 70}, []int{300, 50}, nil, nil, []int{0}, []int{0}},
		{[]int{3, 65, 40}, []int{40, 77}, nil, nil, []int{2}, []int{0}},
		{[]int{3, 65, 48}, []int{3, 65, 33}, nil, nil, []int{0, 1}, []int{0, 1}},
		{[]int{2, 3, 65, 32}, []int{2, 3, 70, 32}, []int{0, 1}, []int{0, 1}, []int{3}, []int{3}},
		{[]int{2, 65, 3, 32}, []int{2, 70, 3, 32}, []int{0, 2}, []int{0, 2}, []int{3}, []int{3}},
		{[]int{5, 65, 64}, []int{5, 64, 40}, []int{0}, []int{0}, []int{2}, []int{1}},
	}
	for _, test := range tests {
		t.Run(fmt.Sprint(test.left, test.right), func(t *testing.T) {
			random := rand.New(rand.NewPCG(5, uint64(len(test.left))))
			left, right := randomArray(random, test.left), randomArray(random, test.right)
			product, err := graph.NewExec(b, func(x, y *graph.Node) *graph.Node {
				return graph.DotGeneral(x, test.leftContract, test.leftBatch, y, test.rightContr, test.rightBatch)
			})
			if err != nil {
				t.Fatal(err)
			}
			out, err := product.Call(left, right)
			if err != nil {
				t.Fatal(err)
			}
			got := tensors.MustCopyFlatData[float32](out[0])
			want := dotGeneral(left, right, test.leftBatch, test.rightBatch, test.leftContract, test.rightContr)
			if len(got) != len(want) {
				t.Fatalf("%d numbers, want %d", len(got), len(want))
			}
			for i := range got {
				if math.Abs(float64(got[i])-want[i]) > 5e-5 {
					t.Fatalf("number %d is %g, want %g", i, got[i], want[i])
				}
			}
		})
	}
}

// TestProductsAtOnce runs one program several times concurrently, so that products share threads.
func TestProductsAtOnce(t *testing.T) {
	b, err := Default()
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(b.Name(), "xla") {
		t.Skip("XLA isn't there: ", b.Name())
	}
	program, err := graph.NewExec(b, func(x, y *graph.Node) *graph.Node {
		for range 4 {
			x = graph.Tanh(graph.MatMul(x, y))
		}
		return x
	})
	if err != nil {
		t.Fatal(err)
	}
	random := rand.New(rand.NewPCG(7, 8))
	x, y := randomArray(random, []int{300, 128}), randomArray(random, []int{128, 128})
	run := func() []float32 {
		out, err := program.Call(x, y)
		if err != nil {
			t.Error(err)
			return nil
		}
		return tensors.MustCopyFlatData[float32](out[0])
	}
	want := run()
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 20 {
				if !slices.Equal(run(), want) {
					t.Error("the result differs when several run at once")
					return
				}
			}
		})
	}
	all.Wait()
}

func randomArray(random *rand.Rand, dims []int) *tensors.Tensor {
	n := 1
	for _, d := range dims {
		n *= d
	}
	data := make([]float32, n)
	for i := range data {
		data[i] = float32(random.NormFloat64())
	}
	return tensors.FromFlatDataAndDimensions(data, dims...)
}

// dotGeneral computes a dot_general by its definition.
func dotGeneral(left, right *tensors.Tensor, leftBatch, rightBatch, leftContract, rightContract []int) []float64 {
	a, b := tensors.MustCopyFlatData[float32](left), tensors.MustCopyFlatData[float32](right)
	la, lb := left.Shape().Dimensions, right.Shape().Dimensions
	rest := func(dims []int, used ...int) (axes []int) {
		for x := range dims {
			if !slices.Contains(used, x) {
				axes = append(axes, x)
			}
		}
		return axes
	}
	leftRest := rest(la, slices.Concat(leftBatch, leftContract)...)
	rightRest := rest(lb, slices.Concat(rightBatch, rightContract)...)
	var out []float64
	batch, terms := offsets(lb, rightBatch), offsets(lb, rightContract)
	columns, along := offsets(lb, rightRest), offsets(la, leftContract)
	for i, at := range offsets(la, leftBatch) {
		for _, m := range offsets(la, leftRest) {
			for _, n := range columns {
				sum := 0.0
				for l, k := range along {
					sum += float64(a[at+m+k]) * float64(b[batch[i]+n+terms[l]])
				}
				out = append(out, sum)
			}
		}
	}
	return out
}

// offsets lists the offsets of an array's elements along some of its axes.
func offsets(dims, axes []int) []int {
	all := []int{0}
	for _, x := range axes {
		apart := 1
		for _, d := range dims[x+1:] {
			apart *= d
		}
		var more []int
		for _, at := range all {
			for i := range dims[x] {
				more = append(more, at+i*apart)
			}
		}
		all = more
	}
	return all
}

// TestShare: programs that are run side by side give the same bits as one that has all threads.
func TestShare(t *testing.T) {
	b, err := Default()
	if err != nil {
		t.Fatal(err)
	}
	random := rand.New(rand.NewPCG(7, 7))
	left, right := randomArray(random, []int{2, 3, 300, 70}), randomArray(random, []int{2, 3, 130, 70})
	product, err := graph.NewExec(b, func(x, y *graph.Node) *graph.Node {
		return graph.DotGeneral(x, []int{3}, []int{0, 1}, y, []int{3}, []int{0, 1})
	})
	if err != nil {
		t.Fatal(err)
	}
	run := func() []float32 {
		out, err := product.Call(left, right)
		if err != nil {
			t.Fatal(err)
		}
		return tensors.MustCopyFlatData[float32](out[0])
	}
	want := run()
	for range 3 {
		done := Share()
		defer done()
		if !slices.Equal(run(), want) {
			t.Fatal("the product differs")
		}
		done2 := Share()
		done2()
		done2() // counts once
		if !slices.Equal(run(), want) {
			t.Fatal("the product differs after one has ended")
		}
	}
}
