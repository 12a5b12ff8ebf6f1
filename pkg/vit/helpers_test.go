package vit

import (
	"math"
	"os"
	"slices"
	"sync"
	"testing"

	"github.com/gomlx/compute"

	"gaze/pkg/backend"
	"gaze/pkg/weights"
)

// testBackends is the Go backend and, where the machine has a plugin, XLA.
func testBackends(t testing.TB) []compute.Backend {
	t.Helper()
	list, err := openBackends()
	if err != nil {
		t.Fatal(err)
	}
	if len(list) == 1 {
		t.Log("no XLA plugin found: only the Go backend is tested")
	}
	return list
}

var openBackends = sync.OnceValues(func() ([]compute.Backend, error) {
	pure, err := backend.Open("go:ops_sequential")
	if err != nil {
		return nil, err
	}
	usual, err := backend.Default()
	if err != nil {
		return nil, err
	}
	if usual.Name() == pure.Name() {
		return []compute.Backend{pure}, nil
	}
	return []compute.Backend{pure, usual}, nil
})

// smallConfig is a model small enough for any test: 3 heads, 2 blocks, a grid of
// 3 rows and 2 columns of patches that aren't square.
func smallConfig() Config {
	return Config{
		ImageSize: [2]int{12, 12}, PatchSize: [2]int{4, 6}, Channels: 3,
		Dim: 12, Depth: 2, Heads: 3, MLPDim: 20, Classes: 5,
		ClassToken: true, PatchBias: true, QKVBias: true, FinalNorm: true, NormEps: 1e-6,
	}
}

// pictures is a batch with something in it, the same each time.
func pictures(shape [4]int) []float32 {
	data := make([]float32, product(shape[:]))
	for i := range data {
		data[i] = float32(math.Sin(float64(i)*0.7) * 1.5)
	}
	return data
}

// array reads one array of a .npz or .npy opened as a weights file.
func array(t testing.TB, f *weights.File, name string) (Array, bool) {
	t.Helper()
	w, ok := f.Tensor(name)
	if !ok {
		return Array{}, false
	}
	values, err := w.Float32s()
	if err != nil {
		t.Fatal(err)
	}
	return Array{Shape: w.Shape, Values: values}, true
}

// readNPY reads a .npy file.
func readNPY(t testing.TB, path string) Array {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	w, err := weights.ReadNPY(f)
	if err != nil {
		t.Fatal(err)
	}
	values, err := w.Float32s()
	if err != nil {
		t.Fatal(err)
	}
	return Array{Shape: w.Shape, Values: values}
}

// difference is the greatest absolute difference.
func difference(t testing.TB, got, want Array) float64 {
	t.Helper()
	if !slices.Equal(got.Shape, want.Shape) {
		t.Fatalf("shape %v, want %v", got.Shape, want.Shape)
	}
	worst := 0.0
	for i, v := range got.Values {
		d := math.Abs(float64(v) - float64(want.Values[i]))
		if math.IsNaN(d) {
			return math.Inf(1)
		}
		worst = max(worst, d)
	}
	return worst
}

// relative is the greatest absolute difference over the greatest absolute value wanted.
func relative(t testing.TB, got, want Array) float64 {
	t.Helper()
	scale := 0.0
	for _, v := range want.Values {
		scale = max(scale, math.Abs(float64(v)))
	}
	if d := difference(t, got, want); d != 0 {
		return d / scale
	}
	return 0
}

func product(dims []int) int {
	n := 1
	for _, d := range dims {
		n *= d
	}
	return n
}

// transpose writes the transpose of src [rows, cols] to dst.
func transpose(dst, src []float32, rows, cols int) {
	for i, v := range src {
		dst[i%cols*rows+i/cols] = v
	}
}
