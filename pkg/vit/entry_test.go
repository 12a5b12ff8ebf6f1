package vit

import (
	"slices"
	"strings"
	"testing"

	"gaze/pkg/weights"
)

// counting is a tensor that holds 0, 1, 2, ….
func counting(name string, shape ...int) *weights.Tensor {
	data := make([]float32, product(shape))
	for i := range data {
		data[i] = float32(i)
	}
	return weights.NewTensor(name, shape, data)
}

// Each rearrangement, on numbers that tell where they came from.
func TestRearrange(t *testing.T) {
	cases := []struct {
		name  string
		parts []part
		shape []int
		want  []float32
	}{
		{"as is", []part{{counting("w", 2, 3), asIs}}, []int{2, 3}, []float32{0, 1, 2, 3, 4, 5}},
		{"flat", []part{{counting("b", 2, 2), flatten}}, []int{4}, []float32{0, 1, 2, 3}},
		{"in first", []part{{counting("w", 3, 2), inFirst}}, []int{2, 3}, []float32{0, 2, 4, 1, 3, 5}},
		{"in first, heads", []part{{counting("w", 2, 1, 2), inFirst}}, []int{2, 2}, []float32{0, 2, 1, 3}},
		{"out last, heads", []part{{counting("w", 2, 1, 3), outLast}}, []int{3, 2}, []float32{0, 3, 1, 4, 2, 5}},
		{"convolution", []part{{counting("w", 1, 2, 1, 2), fromHWIO}}, []int{2, 1, 1, 2}, []float32{0, 2, 1, 3}},
		{"one token", []part{{counting("t", 2), toTokens}}, []int{1, 1, 2}, []float32{0, 1}},
		{"tokens", []part{{counting("t", 2, 1), toTokens}}, []int{1, 2, 1}, []float32{0, 1}},
		{"tokens as they should be", []part{{counting("t", 1, 1, 2), toTokens}}, []int{1, 1, 2}, []float32{0, 1}},
		{"stacked", []part{{counting("q", 1, 2), asIs}, {counting("k", 2, 1), inFirst}}, []int{2, 2}, []float32{0, 1, 0, 1}},
	}
	for _, c := range cases {
		e := &entry{parts: c.parts}
		shape, err := e.shape()
		if err != nil || !slices.Equal(shape, c.shape) {
			t.Errorf("%s: shape %v (%v), want %v", c.name, shape, err, c.shape)
		}
		got, err := e.float32s()
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
	for _, p := range []part{
		{counting("w", 4), inFirst}, {counting("w", 4), outLast}, {counting("w", 2, 2), fromHWIO}, {counting("w", 1, 1, 1, 1), toTokens},
	} {
		if _, err := (&entry{parts: []part{p}}).shape(); err == nil || !strings.Contains(err.Error(), "tensor w has shape") {
			t.Errorf("shape %v, fix %d: %v", p.tensor.Shape, p.fix, err)
		}
	}
	odd := &entry{parts: []part{{counting("q", 2, 2), asIs}, {counting("k", 2, 3), asIs}}}
	if _, err := odd.shape(); err == nil || !strings.Contains(err.Error(), "can't be stacked") {
		t.Errorf("stacking unlike shapes: %v", err)
	}
	if err := odd.writeTo(make([]float32, 5)); err == nil {
		t.Error("ten values went into five")
	}
}
