package main

import (
	"encoding/json"
	"image/png"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"gaze/pkg/explain"
)

// TestExplain: one method's files, several methods' figure, classes, what isn't asked isn't
// written.
func TestExplain(t *testing.T) {
	in, out := t.TempDir(), t.TempDir()
	cat := photo(t, in, "cat.png")
	run := func(args ...string) {
		t.Helper()
		ok(t, append([]string{"explain", "--model", tiny, "-o", out}, args...)...)
	}
	run("--npy", "--json", cat)
	shape, values := array(t, filepath.Join(out, "cat.npy"))
	if len(shape) != 2 || shape[0]*shape[1] != len(values) || slices.Max(values) <= 0 {
		t.Errorf("a map of shape %v, at most %g", shape, slices.Max(values))
	}
	text, err := os.ReadFile(filepath.Join(out, "cat.json"))
	if err != nil {
		t.Fatal(err)
	}
	var got comparisonJSON
	if err := json.Unmarshal(text, &got); err != nil || len(got.Maps) != 1 || got.Maps[0].Method != explain.UsualMethod ||
		got.Maps[0].Class == nil || !slices.Equal(got.Maps[0].Values, values) || *got.Maps[0].Probability <= 0 {
		t.Errorf("%s, %v", text, err)
	}
	isPicture(t, filepath.Join(out, "cat.png"))

	run("--npy", "--method", "attention,chefer", "--class", "0,1", cat)
	for _, name := range []string{"cat-attention.npy", "cat-chefer-0.npy", "cat-chefer-1.npy"} {
		if _, values := array(t, filepath.Join(out, name)); len(values) != shape[0]*shape[1] {
			t.Errorf("%s: %d values", name, len(values))
		}
	}
	run("--npy", "--method", "chefer", "--class", "0", "--against", "1", cat)
	_, against := array(t, filepath.Join(out, "cat.npy"))
	_, alone := array(t, filepath.Join(out, "cat-chefer-0.npy"))
	if slices.Equal(against, alone) {
		t.Error("--against changes nothing")
	}
	run("--json", "--top", "3", cat)
	if text, err = os.ReadFile(filepath.Join(out, "cat.json")); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &got); err != nil || len(got.Maps) != 3 || *got.Maps[0].Probability < *got.Maps[1].Probability {
		t.Errorf("the likeliest three: %v, %+v", err, got.Maps)
	}
	page := filepath.Join(in, "page.html")
	ok(t, "explain", "--model", tiny, "--top", "2", "--html", page, cat)
	if text, err = os.ReadFile(page); err != nil || !strings.Contains(string(text), "cat.png") || len(text) > 2<<20 {
		t.Errorf("a page of %d bytes, %v", len(text), err)
	}
	run("--svg", "--query", "0,1", cat)
	svg, err := os.ReadFile(filepath.Join(out, "cat.svg"))
	if err != nil || !strings.Contains(string(svg), "Attention") {
		t.Errorf("SVG: %v", err)
	}
}

func isPicture(t *testing.T, path string) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if im, err := png.Decode(f); err != nil || im.Bounds().Dx() < 500 {
		t.Errorf("%s: %v", path, err)
	}
}

// TestExplainMisuse: what can't be done is said before anything runs.
func TestExplainMisuse(t *testing.T) {
	in, out := t.TempDir(), t.TempDir()
	cat := photo(t, in, "cat.png")
	headless := filepath.Join(out, "headless")
	ok(t, "pull", "pets-vit")
	for _, c := range []struct {
		says string
		args []string
	}{
		{"no method \"magic\"", []string{"--method", "magic", cat}},
		{"or all", []string{"--method", "magic", cat}},
		{"named twice", []string{"--method", "chefer,chefer", cat}},
		{"no class 99", []string{"--class", "99", cat}},
		{"have no names", []string{"--class", "Ragdoll", cat}},
		{"given twice", []string{"--class", "1,1", cat}},
		{"against itself", []string{"--class", "1", "--against", "1", cat}},
		{"the same for every class", []string{"--method", "rollout", "--class", "1", cat}},
		{"methods of attention only", []string{"--method", "chefer", "--query", "0,0", cat}},
		{"isn't row,column", []string{"--query", "zero", cat}},
		{"no layer 99", []string{"--method", "attention", "--layer", "99", cat}},
		{"no head 99", []string{"--method", "rollout", "--head", "99", cat}},
		{"layer is one of attention", []string{"--method", "chefer", "--layer", "0", cat}},
		{"samples is one of smoothgrad, rise, rise-tokens", []string{"--samples", "9", cat}},
		{"methods of attention only", []string{"--method", "attention,chefer", "--query", "0,0", cat}},
		{"has no head", []string{"--model", "pets-vit", "--method", "gradcam", cat}},
		{"either classes or a number", []string{"--top", "2", "--class", "1", cat}},
		{"--top and --npy", []string{"--top", "2", "--npy", cat}},
		{"the 99 likeliest", []string{"--top", "99", cat}},
		{"--output isn't given", []string{"-o", "", cat}},
		{"arg", nil},
		{"unknown command", []string{"--list", cat}},
	} {
		args := append([]string{"explain", "--model", tiny, "-o", headless}, c.args...)
		status, _, log := gaze(t, args...)
		if status != 2 || !strings.Contains(log, c.says) {
			t.Errorf("%q: exit status %d, want %q: %s", c.args, status, c.says, log)
		}
	}
	if status, _, log := gaze(t, "explain", "--model", tiny, "-o", headless, "--query", "50,0", cat); status != 1 || !strings.Contains(log, "no patch in row 50") {
		t.Errorf("a query outside: exit status %d: %s", status, log)
	}
	if list := ok(t, "explain", "--list"); !strings.Contains(list, "chefer") || !strings.Contains(list, "COST") {
		t.Errorf("the list: %s", list)
	}
}
