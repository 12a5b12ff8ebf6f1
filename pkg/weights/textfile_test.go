package weights

import (
	"os"
	"path/filepath"
	"testing"

	"gaze/internal/textfile/textfiletest"
)

// TestIndexAsSaved reads an index in every encoding that editors save.
func TestIndexAsSaved(t *testing.T) {
	index := string(read(t, filepath.Join("sharded_ok", "model.safetensors.index.json")))
	for name, data := range textfiletest.Saved(index) {
		dir := t.TempDir()
		for _, part := range []string{"model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"} {
			if err := os.WriteFile(filepath.Join(dir, part), read(t, filepath.Join("sharded_ok", part)), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if err := os.WriteFile(filepath.Join(dir, "model.safetensors.index.json"), data, 0o644); err != nil {
			t.Fatal(err)
		}
		f, err := Open(dir)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if len(f.Names()) == 0 {
			t.Errorf("%s: no tensors", name)
		}
		f.Close()
	}
}
