package vit

import (
	"slices"
	"strings"
	"testing"
)

// TestPermuted: what is from the block upwards is in another order, each parameter keeps
// its values, copies are a cascade, and the model itself doesn't change.
func TestPermuted(t *testing.T) {
	cfg, err := ParseConfig("vit:dim=16,depth=2,heads=2,patch=4,size=8")
	if err != nil {
		t.Fatal(err)
	}
	cfg.Classes = 5
	m, err := New(cfg, 1)
	if err != nil {
		t.Fatal(err)
	}
	lower, err := m.Permuted(-1, 7)
	if err != nil {
		t.Fatal(err)
	}
	for from := -1; from <= cfg.Depth; from++ {
		p, err := m.Permuted(from, 7)
		if err != nil {
			t.Fatal(err)
		}
		for _, param := range cfg.Parameters() {
			before, _, _ := m.Parameter(param.Name)
			after, _, err := p.Parameter(param.Name)
			if err != nil {
				t.Fatal(err)
			}
			all, _, _ := lower.Parameter(param.Name)
			if permuted := cfg.blockOf(param.Name) >= from; permuted && !slices.Equal(after, all) || !permuted && !slices.Equal(after, before) {
				t.Errorf("from %d: %s isn't what the cascade has", from, param.Name)
			}
			if slices.Min(before) < slices.Max(before) && slices.Equal(all, before) {
				t.Errorf("%s is in the old order", param.Name)
			}
			if a, b := slices.Sorted(slices.Values(before)), slices.Sorted(slices.Values(after)); !slices.Equal(a, b) {
				t.Errorf("from %d: %s has other values", from, param.Name)
			}
		}
	}
	for name, want := range map[string]int{"patch/weight": -1, "positions": -1, "pre_norm/weight": -1, "block_1/norm1/bias": 1, "norm/weight": 2, "head/bias": 2} {
		if got := cfg.blockOf(name); got != want {
			t.Errorf("%s belongs to %d", name, got)
		}
	}
	for _, from := range []int{-2, 3} {
		if _, err := m.Permuted(from, 7); err == nil || !strings.Contains(err.Error(), "there is no block") {
			t.Errorf("from %d: %v", from, err)
		}
	}
}
