package caption

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/gomlx/compute"
	"github.com/gomlx/gomlx/core/tensors"

	"gaze/pkg/backend"
	"gaze/pkg/nn"
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

// stream is tools/golden/caption_model.py's: values in [-1, 1) that depend on
// nothing but a name and a position.
func stream(name string, count int) []float32 {
	h := uint64(0xCBF29CE484222325)
	for _, b := range []byte(name) {
		h = (h ^ uint64(b)) * 0x100000001B3
	}
	out := make([]float32, count)
	for i := range out {
		z := h + uint64(i+1)*0x9E3779B97F4A7C15
		z = (z ^ z>>30) * 0xBF58476D1CE4E5B9
		z = (z ^ z>>27) * 0x94D049BB133111EB
		z ^= z >> 31
		out[i] = float32(z>>40)/(1<<23) - 1
	}
	return out
}

// drawn is the values of a parameter, by the name that CATR gives it.
func drawn(name string, shape []int) []float32 {
	u := stream(name, product(shape))
	scale, shift := float32(1), float32(0)
	switch {
	case len(shape) == 1 && strings.HasSuffix(name, "running_var"):
		scale, shift = 0.3, 1
	case len(shape) == 1 && strings.HasSuffix(name, ".weight"):
		scale, shift = 0.3, 1
		if strings.Contains(name, ".bn2.") || strings.Contains(name, ".bn3.") {
			scale, shift = 0.15, 0.5
		}
	case len(shape) == 1:
		scale = 0.1
	case strings.Contains(name, "embeddings"):
	default:
		gain := 3.0
		if len(shape) == 4 {
			gain = 6
		}
		if strings.Contains(name, "in_proj") {
			gain = 8
		}
		scale = float32(math.Sqrt(gain / float64(product(shape[1:]))))
	}
	for i, v := range u {
		u[i] = shift + float32(scale*v)
	}
	return u
}

// drawnModel is a model whose weights are drawn as the golden cases' are.
func drawnModel(t testing.TB, cfg Config) *Model {
	t.Helper()
	m, err := New(cfg, 1)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range cfg.Parameters() {
		theirs := catrName(p.Name)
		shape := p.Shape
		if theirs == "input_proj.weight" {
			shape = append(slices.Clone(shape), 1, 1) // a 1×1 convolution there
		}
		m.params[p.Name] = nn.Own(weights.NewTensor(p.Name, p.Shape, drawn(theirs, shape)))
	}
	return m
}

// readConfig reads a golden case's configuration.
func readConfig(t testing.TB, name string) Config {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	var c Config
	if err := json.Unmarshal(text, &c); err != nil {
		t.Fatal(err)
	}
	return c
}

// golden is the arrays of a golden case.
type golden struct {
	t    testing.TB
	file *weights.File
}

func openGolden(t testing.TB, name string) golden {
	t.Helper()
	f, err := weights.Open(filepath.Join("testdata", name+".npz"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return golden{t, f}
}

func (g golden) floats(name string) ([]float32, []int) {
	g.t.Helper()
	w, ok := g.file.Tensor(name)
	if !ok {
		g.t.Fatalf("the golden case has no %s", name)
	}
	values, err := w.Float32s()
	if err != nil {
		g.t.Fatal(err)
	}
	return values, w.Shape
}

func (g golden) ints(name string) ([]int, []int) {
	g.t.Helper()
	w, ok := g.file.Tensor(name)
	if !ok {
		g.t.Fatalf("the golden case has no %s", name)
	}
	values, err := w.Int64s()
	if err != nil {
		g.t.Fatal(err)
	}
	out := make([]int, len(values))
	for i, v := range values {
		out[i] = int(v)
	}
	return out, w.Shape
}

// relative is the greatest difference over the greatest absolute value wanted.
func relative(t testing.TB, got, want []float32) float64 {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%d values, want %d", len(got), len(want))
	}
	worst, scale := 0.0, 0.0
	for i, v := range want {
		d := math.Abs(float64(v) - float64(got[i]))
		if math.IsNaN(d) {
			return math.Inf(1)
		}
		worst, scale = max(worst, d), max(scale, math.Abs(float64(v)))
	}
	if worst == 0 {
		return 0
	}
	return worst / scale
}

func flat(t testing.TB, x *tensors.Tensor) []float32 {
	t.Helper()
	values, err := tensors.CopyFlatData[float32](x)
	if err != nil {
		t.Fatal(err)
	}
	return values
}

func product(shape []int) int {
	n := 1
	for _, d := range shape {
		n *= d
	}
	return n
}
