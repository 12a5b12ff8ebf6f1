package vit

import (
	"fmt"
	"slices"
	"testing"
)

// TestWantAlone asks for each kind of result alone, on every backend: the same
// as when all are asked for.
func TestWantAlone(t *testing.T) {
	m, err := New(smallConfig(), 1)
	if err != nil {
		t.Fatal(err)
	}
	shape := [4]int{2, 3, 12, 12}
	images := pictures(shape)
	values := func(o *Outputs) [][]float32 {
		list := [][]float32{o.Logits.Values, o.PreLogits.Values, o.Norm.Values, o.Embeddings.Values, o.ClassAttention.Values}
		for _, a := range append(slices.Clone(o.Tokens), o.Attention...) {
			list = append(list, a.Values)
		}
		return slices.DeleteFunc(list, func(v []float32) bool { return v == nil })
	}
	alone := []Want{
		{Logits: true}, {PreLogits: true}, {Norm: true}, {Embeddings: true}, {ClassAttention: []int{0}},
		{Tokens: []int{0}}, {Tokens: []int{1}}, {Attention: []int{0}}, {Attention: []int{1}},
	}
	for _, b := range testBackends(t) {
		r, err := NewRunner(b, m)
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		all, err := r.Run(images, shape, Want{true, true, true, true, []int{0, 1}, []int{0, 1}, []int{0}, false})
		if err != nil {
			t.Fatal(err)
		}
		want := values(all)
		for i, w := range alone {
			t.Run(fmt.Sprint(b.Name(), i), func(t *testing.T) {
				got, err := r.Run(images, shape, w)
				if err != nil {
					t.Fatal(err)
				}
				list := values(got)
				if len(list) != 1 {
					t.Fatalf("%d results", len(list))
				}
				one := Array{[]int{len(list[0])}, list[0]}
				if d := relative(t, one, Array{[]int{len(want[i])}, want[i]}); d > parity {
					t.Errorf("%+v: off by %.2g from the result beside others", w, d)
				}
			})
		}
	}
}
