package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestUpToDate: the tables that ship are those of the results that ship.
func TestUpToDate(t *testing.T) {
	runs, err := readRuns("../results")
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]func(text []byte) ([]byte, error){
		"../results/README.md": func([]byte) ([]byte, error) { return []byte(index(runs)), nil },
		"../../README.md":      func(text []byte) ([]byte, error) { return replaced(text, section(runs)) },
	} {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		now, err := want(text)
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		if string(now) != string(text) {
			t.Errorf("%s isn't what the results come to: run 'go run ./bench/summary bench/results README.md'", path)
		}
	}
}

const older = `{"machine": {"date": "2026-01-02T03:04:05+00:00", "processor": "Old", "cores": 2, "peak_gflops": 200}, "peers": {}, "rows": [
 {"group": "inference", "name": "one", "unit": "pictures/s", "task": {"model": {"dim": 768, "depth": 12, "size": 224, "patch": 16, "classes": 1000}}, "peers": {
  "gaze": {"seconds": [0.5], "rate": 4, "peak_mib": 100}, "gaze-go": {"seconds": [0.1], "rate": 90, "peak_mib": 1},
  "torch": {"seconds": [1], "rate": 1, "peak_mib": 400}, "onnxruntime": {"seconds": [0.6], "rate": 2, "peak_mib": 200}}},
 {"group": "inference", "name": "two", "unit": "pictures/s", "task": {}, "peers": {
  "gaze": {"seconds": [0.5], "rate": 3}, "torch": {"error": "it can't"}, "onnxruntime": {"seconds": [0.6], "rate": 6}}},
 {"group": "start", "name": "three", "unit": "s", "peers": {"gaze": {"seconds": [3, 1, 2, 9]}, "torch": {"seconds": [5]}}},
 {"group": "notebook", "name": "four", "unit": "s", "peers": {"gaze": {"seconds": [1]}, "ipykernel": {"seconds": [5]}}}]}`

const newer = `{"machine": {"date": "2026-01-01T00:00:00+00:00", "processor": "New", "name": "New (Zen 9), AVX2", "isa": "avx2", "cores": 4}, "peers": {}, "rows": [
 {"group": "caption", "name": "five", "unit": "pieces/s", "date": "2026-02-03T00:00:00+00:00", "peers": {"gaze": {"seconds": [1], "rate": 13}, "hf": {"seconds": [1], "rate": 10}}},
 {"group": "neighbours", "name": "six", "unit": "pictures/s", "peers": {
  "gaze": {"seconds": [1], "rate": 10, "left": 0.5}, "torch": {"seconds": [1], "rate": 9, "left": 0.1}}},
 {"group": "start", "name": "three", "unit": "s", "peers": {"gaze": {"error": "no"}, "torch": {"seconds": [5]}}}]}`

func example(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{"a": older, "b": newer} {
		if err := os.Mkdir(filepath.Join(dir, name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name, "bench.json"), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestTables(t *testing.T) {
	dir := example(t)
	readme := filepath.Join(dir, "top.md")
	if err := os.WriteFile(readme, []byte("before\n"+begin+"stale\n"+end+"after\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second time, nothing changes
		if err := write([]string{dir, readme}); err != nil {
			t.Fatal(err)
		}
	}
	table, err := os.ReadFile(filepath.Join(dir, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	top, err := os.ReadFile(readme)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"| processor | date | caption | neighbours | start | inference |\n",
		"| [New (Zen 9), AVX2, held to AVX2](b/bench.md), 4 cores | 2026-02-03 | 1.30 | 5.56 | – | – |\n| [Old](a/bench.md), 2 cores | 2026-01-02 | – | – | 2.00 | 0.50 to 2.00 |\n",
	} {
		if !strings.Contains(string(table), want) {
			t.Errorf("the table over processors lacks %q:\n%s", want, table)
		}
	}
	for _, want := range []string{
		"before\n" + begin + "\n**New (Zen 9)",
		"| inference, ViT-S/16 and B/16 | 4.00 pictures/s (one) | 0.50 to 2.00 | 4.00 | 0.50 |\n",
		"| inference beside one busy process | 5.00 pictures/s (six) | 5.56 |",
		"| from start to the first answer | 2.50 s (three) | 2.00 | 2.00 | – |\n",
		"Inference reaches 70 % of this processor's peak float32 rate, 200 GFLOP/s",
		"\n" + end + "after\n",
	} {
		if !strings.Contains(string(top), want) {
			t.Errorf("the README lacks %q:\n%s", want, top)
		}
	}
	if strings.Contains(string(top), "stale") {
		t.Error("the README has its old tables")
	}
}

func TestErrors(t *testing.T) {
	dir := example(t)
	bare := filepath.Join(dir, "bare.md")
	if err := os.WriteFile(bare, []byte("no place for tables\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		args []string
		says string
	}{
		{"no arguments", nil, "give the folder"},
		{"no results", []string{t.TempDir(), bare}, "bench.json"},
		{"no README", []string{dir, filepath.Join(dir, "none.md")}, "none.md"},
		{"no place", []string{dir, bare}, "it needs the lines"},
	} {
		if err := write(c.args); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v, want an error with %q", c.name, err, c.says)
		}
	}
	for text, says := range map[string]string{"{": "bench.json", `{"quick": true}`: "quick"} {
		if err := os.WriteFile(filepath.Join(dir, "a", "bench.json"), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		if err := write([]string{dir, bare}); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v", text, err)
		}
	}
}
