package vit

import (
	"fmt"
	"path/filepath"
	"slices"
	"testing"

	"github.com/gomlx/compute"

	"gaze/pkg/weights"
)

// parity is how far a result may be from the reference's, relative to the
// greatest value of the reference's array.
const parity = 1e-5

// TestGolden runs every layout's small models against what the real timm,
// transformers and the like computed from the same file and pictures: logits,
// each block's tokens and each attention map, on each backend.
func TestGolden(t *testing.T) {
	folders, err := filepath.Glob(filepath.Join("testdata", "*", "golden.npz"))
	if err != nil {
		t.Fatal(err)
	}
	if len(folders) < 8 {
		t.Fatalf("only %d golden cases: tools/golden/vit.py makes more", len(folders))
	}
	for _, golden := range folders {
		dir := filepath.Dir(golden)
		for _, b := range testBackends(t) {
			t.Run(filepath.Base(dir)+"/"+b.Name(), func(t *testing.T) {
				m, err := Load(weightsFile(t, dir))
				if err != nil {
					t.Fatal(err)
				}
				defer m.Close()
				compareGolden(t, b, m, golden)
			})
		}
	}
}

func weightsFile(t *testing.T, dir string) string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(dir, "weights.*"))
	found = slices.DeleteFunc(found, func(name string) bool { return filepath.Ext(name) == ".data" }) // an ONNX file's values
	if err != nil || len(found) != 1 {
		t.Fatalf("%s: want one weights file, found %v (%v)", dir, found, err)
	}
	return found[0]
}

func compareGolden(t *testing.T, b compute.Backend, m *Model, golden string) {
	t.Helper()
	f, err := weights.Open(golden)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	images, ok := array(t, f, "images")
	if !ok {
		t.Fatalf("%s has no images", golden)
	}
	r, err := NewRunner(b, m)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	layers := m.Config.AllLayers()
	out, err := r.Run(images.Values, [4]int(images.Shape), Want{Logits: m.Config.Classes > 0, Norm: true, Embeddings: true, Tokens: layers, Attention: layers, StemFeatures: m.Config.Stem != nil})
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]Array{"logits": out.Logits, "norm": out.Norm, "embeddings": out.Embeddings, "features": out.StemFeatures}
	for i := range layers {
		got[fmt.Sprint("tokens_", i)] = out.Tokens[i]
		got[fmt.Sprint("attn_", i)] = out.Attention[i]
	}
	seen := map[string]bool{}
	for _, name := range f.Names() {
		if name == "images" {
			continue
		}
		want, _ := array(t, f, name)
		have, ok := got[name]
		if !ok {
			t.Errorf("the reference has %s, the model doesn't", name)
			continue
		}
		seen[name] = true
		if d := relative(t, have, want); d > parity {
			t.Errorf("%s: off by %.2g of its range", name, d)
		}
	}
	for i := range layers {
		for _, kind := range []string{"tokens_", "attn_"} {
			if !seen[fmt.Sprint(kind, i)] {
				t.Errorf("the reference lacks %s%d", kind, i)
			}
		}
	}
	if m.Config.Classes > 0 && !seen["logits"] {
		t.Error("the reference lacks the logits")
	}
}
