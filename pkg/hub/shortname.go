package hub

import (
	"path/filepath"
	"slices"
	"strings"
)

// genericNames are what checkpoints' files are called whatever is in them.
var genericNames = []string{"model", "pytorch_model", "weights", "checkpoint", "model.safetensors.index", "pytorch_model.bin.index"}

// ShortName is how a figure names a checkpoint: a known name as it is, of a
// file the last part without its ending, or its folder's if every checkpoint's
// file is called so.
func ShortName(fileOrName string) string {
	if c, known := Find(fileOrName); known && c.from == nil {
		return c.Name
	}
	if r, ok := parseRepository(fileOrName); ok && strings.Contains(fileOrName, ":") {
		return r.name
	}
	abs, err := filepath.Abs(fileOrName)
	if err != nil {
		abs = fileOrName
	}
	stem := filepath.Base(abs)
	switch strings.ToLower(filepath.Ext(stem)) {
	case ".safetensors", ".pth", ".pt", ".bin", ".npz", ".onnx", ".json":
		stem = strings.TrimSuffix(stem, filepath.Ext(stem))
	}
	if slices.Contains(genericNames, stem) {
		return filepath.Base(filepath.Dir(abs))
	}
	return stem
}
