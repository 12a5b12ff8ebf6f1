package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestModelOfRun: for a run without a model, or with a damaged one, the error says what
// to do.
func TestModelOfRun(t *testing.T) {
	for _, c := range []struct {
		manifest, model string
		says, not       string
	}{
		{`{"status":"failed","reason":"the loss is NaN"}`, "", "the loss is NaN", "--resume"},
		{`{"status":"stopped"}`, "", "--resume", ""},
		{`{"status":"done"}`, "nonsense", "train it again", "download"},
	} {
		run := t.TempDir()
		if err := os.WriteFile(filepath.Join(run, "run.json"), []byte(c.manifest), 0o600); err != nil {
			t.Fatal(err)
		}
		if c.model != "" {
			if err := os.MkdirAll(filepath.Join(run, "best"), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(run, "best", "model.safetensors"), []byte(c.model), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		status, _, log := gaze(t, "model", run)
		if status != 1 || !strings.Contains(log, c.says) || c.not != "" && strings.Contains(log, c.not) {
			t.Errorf("%s: exit status %d, %s", c.manifest, status, log)
		}
	}
}
