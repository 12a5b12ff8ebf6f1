package train

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gaze/pkg/vit"
)

// TestModelOfARun: a run stands for its best model; whatever else is named stays as it is.
func TestModelOfARun(t *testing.T) {
	write := func(path, text string) {
		t.Helper()
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	cfg, err := vit.ParseConfig("vit:dim=16,depth=1,heads=2,patch=8,size=32")
	if err != nil {
		t.Fatal(err)
	}
	m, err := vit.New(cfg, 1)
	if err != nil {
		t.Fatal(err)
	}
	root := t.TempDir()
	run, best := filepath.Join(root, "run"), filepath.Join(root, "run", "best", "model.safetensors")
	write(filepath.Join(run, "run.json"), "{}")
	write(best, "")
	if err := m.Save(best); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{run: best, best: best, filepath.Join(root, "none"): filepath.Join(root, "none"), root: root} {
		if got, err := ModelFile(path); err != nil || got != want {
			t.Errorf("%s: %s, %v", path, got, err)
		}
	}
	for _, path := range []string{run, best} {
		got, err := LoadModel(path)
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		if got.Path != best {
			t.Errorf("%s opens %s", path, got.Path)
		}
		got.Close()
	}
	write(best, "nonsense")
	if _, err := LoadModel(run); err == nil || !strings.Contains(err.Error(), "train it again") || strings.Contains(err.Error(), "download") {
		t.Errorf("a damaged model: %v", err)
	}
	if err := os.Remove(best); err != nil {
		t.Fatal(err)
	}
	for manifest, says := range map[string]string{`{"status":"failed","reason":"the loss is NaN"}`: "the loss is NaN", `{"status":"running"}`: "--resume"} {
		write(filepath.Join(run, "run.json"), manifest)
		if _, err := LoadModel(run); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v", manifest, err)
		}
	}
}
