package notebook

import (
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"gaze/pkg/explain"
	"gaze/pkg/plots"
	"gaze/pkg/transform"
	"gaze/pkg/vit"
)

// TestExplain: what is kept between cells is what was computed, and a wrong question ends
// with a reason.
func TestExplain(t *testing.T) {
	t.Setenv("GAZE_CACHE", t.TempDir())
	t.Setenv("GAZE_VIT", smallClassifier(t))
	picture := filepath.Join(t.TempDir(), "cat.png")
	im := transform.NewImage(64, 48, 3)
	for i := range im.Pix {
		im.Pix[i] = uint8(i * 7)
	}
	if err := plots.SavePNG(picture, im); err != nil {
		t.Fatal(err)
	}
	w, err := classifier()
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	q := explain.Question{Methods: "attention, gradcam", Top: 2}
	first, err := explainAll(w, q, []string{picture})
	if err != nil {
		t.Fatal(err)
	}
	again, err := explainAll(w, q, []string{picture})
	if err != nil {
		t.Fatal(err)
	}
	if len(first) != 1 || len(first[0].Entries) != 3 || len(again) != 1 {
		t.Fatalf("%d and %d comparisons, %d maps", len(first), len(again), len(first[0].Entries))
	}
	for i, e := range again[0].Entries {
		if want := first[0].Entries[i]; e.Method.Name != want.Method.Name || !reflect.DeepEqual(e.Map, want.Map) || e.Class != want.Class {
			t.Errorf("map %d isn't kept as it was", i)
		}
	}
	if _, err := again[0].Figure(); err != nil {
		t.Error(err)
	}
	if _, err := explainAll(w, explain.Question{Classes: "unicorn"}, []string{picture}); err == nil || !strings.Contains(err.Error(), "unicorn") {
		t.Errorf("a class that isn't there: %v", err)
	}
	if _, err := explainAll(w, q, []string{picture + "x"}); err == nil || !strings.Contains(err.Error(), "cat.pngx") {
		t.Errorf("no picture: %v", err)
	}
}

// smallClassifier writes a small checkpoint with a head, and returns its folder.
func smallClassifier(t *testing.T) string {
	t.Helper()
	cfg, err := vit.ParseConfig("vit:dim=16,depth=2,heads=2,patch=8,size=32")
	if err != nil {
		t.Fatal(err)
	}
	cfg.Classes = 3
	m, err := vit.New(cfg, 1)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	path := filepath.Join(t.TempDir(), "model.safetensors")
	if err := m.WithPipeline("resize(32,32) | totensor | normalize(0.5,0.5)").Save(path); err != nil {
		t.Fatal(err)
	}
	return path
}
