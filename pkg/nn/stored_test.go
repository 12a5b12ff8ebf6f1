package nn

import (
	"slices"
	"strings"
	"testing"

	"gaze/pkg/weights"
)

// counting is a tensor that holds 0, 1, 2, ….
func counting(name string, shape ...int) *weights.Tensor {
	data := make([]float32, size(shape))
	for i := range data {
		data[i] = float32(i)
	}
	return weights.NewTensor(name, shape, data)
}

// Each rearrangement, on numbers that tell where they came from.
func TestRearrange(t *testing.T) {
	cases := []struct {
		name  string
		parts []Part
		shape []int
		want  []float32
	}{
		{"as is", []Part{{counting("w", 2, 3), AsIs}}, []int{2, 3}, []float32{0, 1, 2, 3, 4, 5}},
		{"flat", []Part{{counting("b", 2, 2), Flatten}}, []int{4}, []float32{0, 1, 2, 3}},
		{"in first", []Part{{counting("w", 3, 2), InFirst}}, []int{2, 3}, []float32{0, 2, 4, 1, 3, 5}},
		{"in first, heads", []Part{{counting("w", 2, 1, 2), InFirst}}, []int{2, 2}, []float32{0, 2, 1, 3}},
		{"out last, heads", []Part{{counting("w", 2, 1, 3), OutLast}}, []int{3, 2}, []float32{0, 3, 1, 4, 2, 5}},
		{"convolution", []Part{{counting("w", 1, 2, 1, 2), FromHWIO}}, []int{2, 1, 1, 2}, []float32{0, 2, 1, 3}},
		{"one token", []Part{{counting("t", 2), ToTokens}}, []int{1, 1, 2}, []float32{0, 1}},
		{"tokens", []Part{{counting("t", 2, 1), ToTokens}}, []int{1, 2, 1}, []float32{0, 1}},
		{"tokens as they should be", []Part{{counting("t", 1, 1, 2), ToTokens}}, []int{1, 1, 2}, []float32{0, 1}},
		{"1×1 convolution", []Part{{counting("w", 2, 3, 1, 1), Pointwise}}, []int{2, 3}, []float32{0, 1, 2, 3, 4, 5}},
		{"stacked", []Part{{counting("q", 1, 2), AsIs}, {counting("k", 2, 1), InFirst}}, []int{2, 2}, []float32{0, 1, 0, 1}},
	}
	for _, c := range cases {
		e := &Stored{Parts: c.parts}
		shape, err := e.Shape()
		if err != nil || !slices.Equal(shape, c.shape) {
			t.Errorf("%s: shape %v (%v), want %v", c.name, shape, err, c.shape)
		}
		got, err := e.Float32s()
		if err != nil || !slices.Equal(got, c.want) {
			t.Errorf("%s: %v (%v), want %v", c.name, got, err, c.want)
		}
	}
}

// A transpose larger than its blocks.
func TestTranspose(t *testing.T) {
	const rows, cols = 70, 45
	src := make([]float32, rows*cols)
	for i := range src {
		src[i] = float32(i)
	}
	dst := make([]float32, len(src))
	transpose(dst, src, rows, cols)
	for r := range rows {
		for c := range cols {
			if dst[c*rows+r] != src[r*cols+c] {
				t.Fatalf("row %d, column %d: %g", r, c, dst[c*rows+r])
			}
		}
	}
}

func TestPartShapeErrors(t *testing.T) {
	for _, p := range []Part{
		{counting("w", 4), InFirst}, {counting("w", 4), OutLast}, {counting("w", 2, 2), FromHWIO}, {counting("w", 1, 1, 1, 1), ToTokens},
		{counting("w", 2, 2, 3, 3), Pointwise}, {counting("w", 4), Pointwise},
	} {
		if _, err := (&Stored{Parts: []Part{p}}).Shape(); err == nil || !strings.Contains(err.Error(), "tensor w has shape") {
			t.Errorf("shape %v, fix %d: %v", p.Tensor.Shape, p.Order, err)
		}
	}
	odd := &Stored{Parts: []Part{{counting("q", 2, 2), AsIs}, {counting("k", 2, 3), AsIs}}}
	if _, err := odd.Shape(); err == nil || !strings.Contains(err.Error(), "can't be stacked") {
		t.Errorf("stacking unlike shapes: %v", err)
	}
	if err := odd.writeTo(make([]float32, 5)); err == nil {
		t.Error("ten values went into five")
	}
}
