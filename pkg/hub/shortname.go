package hub

import (
	"path/filepath"
	"slices"
	"strings"
)

// genericNames are file names that say nothing about the checkpoint.
var genericNames = []string{"model", "pytorch_model", "weights", "checkpoint", "model.safetensors.index", "pytorch_model.bin.index"}

// ShortName is a checkpoint's name in figures: a catalogue name unchanged; for a path,
// the file name without its ending, or the folder's name if the file name is generic.
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
