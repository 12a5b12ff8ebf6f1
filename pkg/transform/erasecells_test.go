package transform

import (
	"math"
	"testing"
)

// The right number of cells is erased, whole and cut at the borders, nothing else is
// touched, and every cell is erased equally often.
func TestEraseCells(t *testing.T) {
	const height, width, size, rows, cols = 10, 13, 4, 3, 4
	often := make([]int, rows*cols)
	for seed := range uint64(2000) {
		x := &Tensor{Shape: [3]int{2, height, width}, Data: make([]float32, 2*height*width)}
		for i := range x.Data {
			x.Data[i] = 9
		}
		if err := (EraseCells{Size: size, Share: 0.4, Seed: seed, Value: []float32{1, 2}}).Apply(x); err != nil {
			t.Fatal(err)
		}
		erased := 0
		for cell := range rows * cols {
			top, left := cell/cols*size, cell%cols*size
			gone := x.Data[top*width+left] == 1
			if gone {
				often[cell]++
				erased++
			}
			for y := top; y < min(top+size, height); y++ {
				for k := left; k < min(left+size, width); k++ {
					a, b := x.Data[y*width+k], x.Data[height*width+y*width+k]
					if gone != (a == 1) || gone != (b == 2) || !gone && (a != 9 || b != 9) {
						t.Fatalf("seed %d, cell %d: %g and %g at %d, %d", seed, cell, a, b, y, k)
					}
				}
			}
		}
		if erased != 5 { // 0.4 of 12
			t.Fatalf("seed %d: %d cells", seed, erased)
		}
	}
	for cell, n := range often {
		if want := 2000 * 5.0 / 12; math.Abs(float64(n)-want) > 4.5*math.Sqrt(want*7/12) {
			t.Errorf("cell %d was erased %d times of %g", cell, n, want)
		}
	}
}

func TestEraseCellsErrors(t *testing.T) {
	x := &Tensor{Shape: [3]int{3, 4, 4}, Data: make([]float32, 48)}
	for _, e := range []EraseCells{{Size: 0, Share: 0.5}, {Size: 2, Share: 1.1}, {Size: 2, Share: math.NaN()}, {Size: 2, Share: 0.5, Value: []float32{1, 2}}} {
		if e.Apply(x) == nil {
			t.Errorf("%+v works", e)
		}
	}
}
