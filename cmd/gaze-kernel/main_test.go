package main

import (
	"path/filepath"
	"strings"
	"testing"
)

func TestHowCellsAreBuilt(t *testing.T) {
	for value, want := range map[string]string{"go": "GAZE_CELLS is go", "fast": "it must be host or go"} {
		t.Setenv("GAZE_CELLS", value)
		if b, err := newBuilder(t.TempDir()); b != nil || err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", value, err)
		}
	}
}

// TestOutputsOf: the name that tools/notebooks/tests.py expects of JupyterLab's side.
func TestOutputsOf(t *testing.T) {
	want := filepath.FromSlash("/clone/.venv/jupyter/outputs/a b-f2f6e05223bd.ipynb")
	if got := outputsOf("/clone", "/clone/notebooks/a b.ipynb"); got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if got := outputsOf("/clone", ""); got != "" {
		t.Errorf("without a notebook: %s", got)
	}
}
