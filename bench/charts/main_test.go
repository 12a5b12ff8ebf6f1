package main

import (
	"image"
	"image/color"
	_ "image/png"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const example = `{"peers": {"gaze": "Gaze, XLA", "gaze-go": "Gaze, Go", "jax": "JAX jit", "onnxruntime": "ONNX Runtime"}, "rows": [
 {"group": "inference", "name": "B/16 at 224, batch 1", "unit": "pictures/s", "items": 1, "peers": {
  "gaze": {"seconds": [0.1, 0.3, 0.2]}, "jax": {"seconds": [0.4, 0.4, 0.5]}, "onnxruntime": {"error": "isn't there"}}},
 {"group": "attention", "name": "B/16 at 224", "unit": "pictures/s", "items": 1, "peers": {"gaze": {"error": "no"}, "jax": {"seconds": [1]}}},
 {"group": "scaling", "name": "x", "axis": "batch", "x": 1, "peers": {"gaze": {"seconds": [0.1]}, "jax": {"seconds": [0.2]}}},
 {"group": "scaling", "name": "x", "axis": "batch", "x": 4, "peers": {"gaze": {"seconds": [0.4]}, "jax": {"seconds": [3.2]}}}]}`

func TestRun(t *testing.T) {
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "bench.json"), []byte(example), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := run([]string{folder}); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]bool{"inference": true, "scaling-batch": true, "attention": false, "scaling": false} {
		f, err := os.Open(filepath.Join(folder, "bench-"+name+".png"))
		if !want {
			if err == nil {
				t.Errorf("there is a chart of %s, which has no figures to show", name)
			}
			continue
		}
		if err != nil {
			t.Error(err)
			continue
		}
		defer f.Close()
		if _, _, err := image.Decode(f); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestRunErrors(t *testing.T) {
	folder := t.TempDir()
	if err := run(nil); err == nil {
		t.Error("no folder should be an error")
	}
	if err := run([]string{folder}); err == nil {
		t.Error("no file should be an error")
	}
	if err := os.WriteFile(filepath.Join(folder, "bench.json"), []byte("{"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := run([]string{folder}); err == nil || !strings.Contains(err.Error(), "bench.json") {
		t.Errorf("of half a file: %v", err)
	}
}

func TestMedian(t *testing.T) {
	for _, c := range []struct {
		seconds []float64
		want    float64
	}{{nil, 0}, {[]float64{3}, 3}, {[]float64{5, 1, 2}, 2}, {[]float64{4, 1, 2, 8}, 3}} {
		if got := (figure{Seconds: c.seconds}).median(); got != c.want {
			t.Errorf("median of %v: %v, want %v", c.seconds, got, c.want)
		}
	}
}

func TestExponent(t *testing.T) {
	x := []float64{1, 2, 4, 9}
	var y []float64
	for _, v := range x {
		y = append(y, 3*math.Pow(v, 1.7))
	}
	if got := exponent(x, y); math.Abs(got-1.7) > 1e-12 {
		t.Errorf("exponent %v, want 1.7", got)
	}
}

// TestColors checks that a peer of most rows has the same colour in all charts, and that
// no two peers in a chart have the same colour.
func TestColors(t *testing.T) {
	charts := [][]string{places, {"gaze", "jax", "torch"}, {"gaze", "catr", "hf"}, {"jax-gpu", "torch-gpu"}, {"gaze-cold", "ipykernel", "ipykernel-cold"}}
	all := colors(places)
	for _, names := range charts {
		seen := map[color.Color]string{}
		for name, c := range colors(names) {
			if other, ok := seen[c]; ok {
				t.Errorf("%v: %s and %s have the same colour", names, name, other)
			}
			seen[c] = name
			if want, ok := all[strings.TrimSuffix(name, "-gpu")]; ok && c != want {
				t.Errorf("%v: %s has a different colour than in a chart of all peers", names, name)
			}
		}
	}
}
