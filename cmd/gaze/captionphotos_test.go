package main

import (
	"os"
	"strings"
	"testing"

	"gaze/pkg/hub"
)

// TestPullCaptionPhotos: the photographs that ship are listed with their licences, and
// written without the network.
func TestPullCaptionPhotos(t *testing.T) {
	t.Setenv("GAZE_CACHE", t.TempDir())
	status, out, log := gaze(t, "pull", hub.CaptionPhotosName)
	paths := strings.Fields(out)
	if status != 0 || len(paths) != 5 || !strings.Contains(log, "CC BY-SA 2.0") {
		t.Fatalf("exit %d, %q, %s", status, paths, log)
	}
	for _, p := range paths {
		if _, err := os.Stat(p); err != nil {
			t.Error(err)
		}
	}
	if said := ok(t, "models", hub.CaptionPhotosName); !strings.Contains(said, "CC BY 2.0") || !strings.Contains(said, "CREDITS.txt") {
		t.Errorf("listed as %s", said)
	}
}
