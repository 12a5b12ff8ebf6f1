package vit

import (
	"path/filepath"
	"testing"
)

// TestDigest: the same for a model and its saved copy in another layout, another
// for another value.
func TestDigest(t *testing.T) {
	m, err := Load(filepath.Join("testdata", "hf_vit", "weights.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	path := filepath.Join(t.TempDir(), "model.safetensors")
	if err := m.Save(path); err != nil {
		t.Fatal(err)
	}
	saved, err := Load(path)
	if err != nil {
		t.Fatal(err)
	}
	defer saved.Close()
	if saved.Layout == m.Layout {
		t.Fatalf("both are %s: nothing is compared", m.Layout)
	}
	other, err := m.WithHead(m.Config.Classes, nil, 1)
	if err != nil {
		t.Fatal(err)
	}
	var sums [3]string
	for i, m := range []*Model{m, saved, other} {
		if sums[i], err = m.Digest(); err != nil || len(sums[i]) != 64 {
			t.Fatal(sums[i], err)
		}
	}
	if sums[0] != sums[1] || sums[0] == sums[2] {
		t.Errorf("digests %v", sums)
	}
}
