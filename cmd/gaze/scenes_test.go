package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gaze/pkg/caption/score"
)

// A set is written, and gaze score can read its captions.
func TestScenes(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "set")
	draw := []string{"scenes", "--size", "24", "--train", "6", "--val", "3", "--test", "2", "--heldout", "4", "--seed", "9", "--masks"}
	ok(t, append(draw, "-o", dir)...)
	refs := filepath.Join(dir, "heldout.json")
	r, err := score.ReadReferences(refs)
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Images) != 4 || r.Images[0] != "11" || len(r.Captions["11"]) != 5 {
		t.Errorf("pictures %v, captions %v", r.Images, r.Captions["11"])
	}
	var said []map[string]any
	for i, id := range r.Images {
		said = append(said, map[string]any{"image_id": 11 + i, "caption": r.Captions[id][0]})
	}
	text, err := json.Marshal(said)
	if err != nil {
		t.Fatal(err)
	}
	hyps := filepath.Join(dir, "hyps.json")
	if err := os.WriteFile(hyps, text, 0o600); err != nil {
		t.Fatal(err)
	}
	if out := ok(t, "score", "--refs", refs, "--hyps", hyps); !strings.Contains(out, "BLEU-4") || !strings.Contains(out, "1.0000") {
		t.Errorf("references against themselves score\n%s", out)
	}
	if status, _, log := gaze(t, append(draw, "-o", dir)...); status != 1 || !strings.Contains(log, "not empty") {
		t.Errorf("over another set: exit status %d, %s", status, log)
	}
}

func TestScenesUsage(t *testing.T) {
	out := filepath.Join(t.TempDir(), "set")
	for _, tt := range []struct {
		args []string
		says string
	}{
		{[]string{}, "output"},
		{[]string{"-o", out, "--train", "-1"}, "--train"},
		{[]string{"-o", out, "--size", "5"}, "--size 5"},
		{[]string{"-o", out, "--format", "bmp"}, "bmp"},
		{[]string{"-o", out, "--train", "0", "--val", "0", "--test", "0", "--heldout", "0"}, "at least one"},
	} {
		if status, _, log := gaze(t, append([]string{"scenes"}, tt.args...)...); status != 2 || !strings.Contains(log, tt.says) {
			t.Errorf("%q: exit status %d, %s", tt.args, status, log)
		}
		if _, err := os.Stat(out); err == nil {
			t.Fatalf("%q left something behind", tt.args)
		}
	}
}
