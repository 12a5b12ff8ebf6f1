package main

import (
	"slices"
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

// TestSavedNotebooks checks the place where Contents of tools/notebooks/export/contents.py
// keeps outputs.
func TestSavedNotebooks(t *testing.T) {
	want := []string{"/clone/notebooks/1-a.ipynb", "/clone/.venv/jupyter/outputs/1-a-f1c2c9b877ba.ipynb"}
	if got := savedNotebooks("/clone", "/clone/notebooks/1-a.ipynb"); !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
	if got := savedNotebooks("/clone", ""); len(got) != 0 {
		t.Errorf("without a notebook: %q", got)
	}
}
