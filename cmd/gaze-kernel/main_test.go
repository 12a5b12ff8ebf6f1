package main

import (
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
