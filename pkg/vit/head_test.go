package vit

import (
	"path/filepath"
	"testing"
)

// TestHeadOfAnyLayout: a checkpoint of any layout can get a new head and be
// saved, with the tensors that it shares unchanged.
func TestHeadOfAnyLayout(t *testing.T) {
	paths, err := filepath.Glob(filepath.Join("testdata", "*", "weights.*"))
	if err != nil || len(paths) < 20 {
		t.Fatalf("%d checkpoints (%v)", len(paths), err)
	}
	for _, path := range paths {
		if filepath.Ext(path) == ".data" { // an ONNX file's values
			continue
		}
		m, err := Load(path)
		if err != nil {
			t.Fatal(err)
		}
		headed, err := m.WithHead(3, nil, 1)
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		saved := filepath.Join(t.TempDir(), "model.safetensors")
		if err := headed.Save(saved); err != nil {
			t.Errorf("%s: %v", path, err)
			continue
		}
		back, err := Load(saved)
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		if !back.Config.Equal(headed.Config) || back.Config.Classes != 3 || back.Config.PreLogits != NoPreLogits {
			t.Errorf("%s: saved %+v, loaded %+v", path, headed.Config, back.Config)
		}
		back.Close()
		m.Close()
	}
}
