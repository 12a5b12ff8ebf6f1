package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestHowCellsAreBuilt(t *testing.T) {
	for value, want := range map[string]string{"go": "GAZE_CELLS is go", "fast": "it must be host or go"} {
		t.Setenv("GAZE_CELLS", value)
		if b, err := newBuilder(t.TempDir(), nil); b != nil || err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", value, err)
		}
	}
}

func TestHostFolder(t *testing.T) {
	root, cache := t.TempDir(), t.TempDir()
	t.Setenv("XDG_CACHE_HOME", cache)
	t.Setenv("HOME", cache) // macOS
	folder, err := hostFolder(root)
	if err != nil || folder != filepath.Join(root, ".venv", "gaze", "cells") {
		t.Errorf("%s, %v", folder, err)
	}
	if left, _ := os.ReadDir(folder); len(left) > 0 {
		t.Errorf("it left %v", left)
	}
	other := t.TempDir()
	if err := os.WriteFile(filepath.Join(other, ".venv"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if folder, err := hostFolder(other); err != nil || !strings.HasPrefix(folder, cache) {
		t.Errorf("%s, %v", folder, err)
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
