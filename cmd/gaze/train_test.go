package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const (
	trainScratch  = "vit:dim=16,depth=1,heads=2,patch=16,size=32"
	trainPipeline = "randomhflip | resize(32,32) | totensor | normalize(0.5,0.5)"
)

// petSet draws a small set of two breeds.
func petSet(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "pets")
	ok(t, "pets", "-o", dir, "--size", "32", "--breeds", "2", "--train", "8", "--val", "4", "--test", "4")
	return dir
}

// TestTrain trains from scratch, looks at what is left, and classifies with it.
func TestTrain(t *testing.T) {
	dir, set := filepath.Join(t.TempDir(), "run"), petSet(t)
	out := ok(t, "train", "--data", set, "--model", trainScratch, "--pipeline", trainPipeline, "--set", "lr=1e-3; epochs=2; batch=6", "-o", dir)
	if !strings.Contains(out, "model.safetensors") || !strings.Contains(out, "of 8 validation pictures") {
		t.Errorf("train printed %q", out)
	}
	for _, name := range []string{"run.json", "metrics.jsonl", "checkpoints/last.safetensors", "best/model.safetensors", "best/config.json"} {
		if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
			t.Error(err)
		}
	}
	if out := ok(t, "model", dir); !strings.Contains(out, "resize(32,32,bilinear) | totensor") || strings.Contains(out, "randomhflip") {
		t.Errorf("model says %s", out)
	}
	csv := filepath.Join(t.TempDir(), "p.csv")
	ok(t, "classify", "--model", dir, "-o", csv, filepath.Join(set, "val"))
	ok(t, "classify", "--model", filepath.Join(dir, "best", "model.safetensors"), "-o", csv+"2", filepath.Join(set, "val"))
	a, err := os.ReadFile(csv)
	if err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(csv + "2")
	if err != nil {
		t.Fatal(err)
	}
	if string(a) != string(b) || strings.Count(string(a), "\n") != 9 {
		t.Errorf("classified\n%s\nand\n%s", a, b)
	}
	if status, _, log := gaze(t, "train", "--data", set, "--model", trainScratch, "--pipeline", trainPipeline, "-o", dir); status != 1 || !strings.Contains(log, "holds a run already") {
		t.Errorf("into a run: exit status %d, %s", status, log)
	}
}
