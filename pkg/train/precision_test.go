package train

import (
	"encoding/json"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"

	"gaze/internal/realdata"
	"gaze/pkg/backend"
)

// curves is what thirty steps gave, of torch in testdata/train_bf16.json.
type curves struct{ Losses, Norms []float64 }

// thirty trains thirty steps of the golden batches.
func (g *golden) thirty(t *testing.T, b compute.Backend, opt Options) (c curves, tr *Trainer) {
	t.Helper()
	net, err := ViT(g.model, 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	if tr, err = NewTrainer(b, net, opt); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { tr.Close() })
	for step := range g.Batches {
		images, labels, _ := g.batch(step)
		m, err := tr.Step(Batch{Images: images, Labels: labels})
		if err != nil {
			t.Fatal(err)
		}
		c.Losses, c.Norms = append(c.Losses, m.Loss), append(c.Norms, m.GradNorm)
	}
	return c, tr
}

// apart is how far two curves are from each other, relative to the second: the
// root of the mean square.
func apart(got, want []float64) float64 {
	sum := 0.0
	for i, w := range want {
		sum += (got[i] - w) * (got[i] - w) / (w * w)
	}
	return math.Sqrt(sum / float64(len(want)))
}

// TestBFloat16Golden trains as torch does under autocast: no farther from it than
// torch is from itself where roundings fall in other places.
func TestBFloat16Golden(t *testing.T) {
	t.Run("go", func(t *testing.T) { compareBFloat16(t, testBackend(t), "adamw", "sgd") })
	t.Run("default", func(t *testing.T) {
		b, err := backend.Default()
		switch {
		case err != nil:
			t.Fatal(err)
		case b.Name() == testBackend(t).Name():
			t.Skip("no XLA plugin found: the Go backend was tested")
		case !b.Capabilities().DTypes[dtypes.BFloat16]:
			t.Skipf("%s has no bfloat16", b.Description())
		}
		names := []string{"sgd"} // XLA compiles each for seconds
		if realdata.Asked(t, "GAZE_TEST_ALL") {
			names = append(names, "adamw")
		}
		compareBFloat16(t, b, names...)
	})
}

// compareBFloat16 compares training with torch's.
func compareBFloat16(t *testing.T, b compute.Backend, names ...string) {
	text, err := os.ReadFile(filepath.Join("testdata", "train_bf16.json"))
	if err != nil {
		t.Fatal(err)
	}
	var cases map[string]struct {
		Float32, BFloat16 curves
		Apart, First      map[string]float64
	}
	if err := json.Unmarshal(text, &cases); err != nil {
		t.Fatal(err)
	}
	optimizers := map[string]Options{
		"adamw": {Optimizer: Adam{Beta1: 0.9, Beta2: 0.999, Eps: 1e-8, WeightDecay: 0.05, Decoupled: true}, Schedule: Constant(1e-3)},
		"sgd":   {Optimizer: SGD{Momentum: 0.9}, Schedule: Constant(0.02)},
	}
	g := openGolden(t)
	for _, name := range names {
		c, ok := cases[name]
		if !ok {
			t.Fatalf("no golden case %s", name)
		}
		opt := optimizers[name]
		opt.Precision = BFloat16
		got, tr := g.thirty(t, b, opt)
		for _, p := range []struct {
			what            string
			got, full, half []float64
		}{{"losses", got.Losses, c.Float32.Losses, c.BFloat16.Losses}, {"norms", got.Norms, c.Float32.Norms, c.BFloat16.Norms}} {
			off, first := apart(p.got, p.half), math.Abs(p.got[0]/p.half[0]-1)
			t.Logf("%s: %s are %.1e from torch's (the first %.1e), it from itself %.1e (%.1e), from float32 %.1e", name, p.what, off, first, c.Apart[p.what], c.First[p.what], apart(p.half, p.full))
			if !(off <= c.Apart[p.what] && first <= c.First[p.what]) {
				t.Errorf("%s: %s are farther from torch's than roundings explain", name, p.what)
			}
			if math.Abs(p.got[0]/p.full[0]-1) < 1e-5 {
				t.Errorf("%s: %s begin as float32's: nothing is rounded", name, p.what)
			}
		}
		for _, p := range tr.params {
			if p.weight.DType() != dtypes.Float32 || p.slots[0].DType() != dtypes.Float32 {
				t.Errorf("%s: weight %s is kept as %s", name, p.name, p.weight.DType())
			}
		}
	}
}

// TestBFloat16Logits classifies in float32 whatever a step computes in.
func TestBFloat16Logits(t *testing.T) {
	g := openGolden(t)
	net, err := ViT(g.model, 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	var all [2][]float32
	for i, precision := range []Precision{Float32, BFloat16} {
		opt := usual()
		opt.Precision = precision
		tr, err := NewTrainer(testBackend(t), net, opt)
		if err != nil {
			t.Fatal(err)
		}
		defer tr.Close()
		if all[i], err = tr.Outputs(Batch{Images: g.images}, false); err != nil {
			t.Fatal(err)
		}
	}
	if !slices.Equal(all[0], all[1]) {
		t.Errorf("logits %v, in float32 %v", all[1], all[0])
	}
}

// without is a backend that lacks a type of numbers.
type without struct {
	compute.Backend
	dtype dtypes.DType
}

func (b without) Capabilities() compute.Capabilities {
	c := b.Backend.Capabilities()
	c.DTypes = maps.Clone(c.DTypes)
	delete(c.DTypes, b.dtype)
	return c
}

func TestPrecisionRefusals(t *testing.T) {
	net, err := ViT(openGolden(t).model, 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		precision Precision
		backend   compute.Backend
		says      string
	}{
		{BFloat16, without{testBackend(t), dtypes.BFloat16}, "has no bfloat16: train in float32"},
		{7, testBackend(t), "there is no Precision(7)"},
	} {
		opt := usual()
		opt.Precision = c.precision
		if tr, err := NewTrainer(c.backend, net, opt); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: trainer %v, error %v", c.precision, tr != nil, err)
		}
	}
	if tr, err := NewTrainer(without{testBackend(t), dtypes.BFloat16}, net, usual()); err != nil {
		t.Errorf("float32 on a backend without bfloat16: %v", err)
	} else {
		tr.Close()
	}
}
