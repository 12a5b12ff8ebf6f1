package train

import (
	"fmt"
	"math"
	"testing"

	"github.com/gomlx/compute"

	"gaze/pkg/backend"
)

// TestCheckpointing trains the same with blocks that are computed again for their
// gradients: on the Go backend to the bit, which adds up in the same order.
func TestCheckpointing(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles many programs")
	}
	cases := []struct {
		backend   string
		precision Precision
		drop      float64
		within    float64
	}{
		{"go", Float32, 0, 0},
		{"go", Float32, 0.4, 0},
		{"go", BFloat16, 0, 0},
		{"default", Float32, 0, 1e-6},
	}
	for _, c := range cases {
		t.Run(fmt.Sprintf("%s %s %g", c.backend, c.precision, c.drop), func(t *testing.T) {
			b := testBackend(t)
			if c.backend == "default" {
				xla, err := backend.Default()
				if err != nil {
					t.Fatal(err)
				}
				if xla.Name() == b.Name() {
					t.Skip("no XLA plugin found")
				}
				b = xla
			}
			plain := someSteps(t, b, Options{Precision: c.precision}, c.drop)
			again := someSteps(t, b, Options{Precision: c.precision, Checkpointing: true}, c.drop)
			for i, want := range plain {
				if got := again[i]; !(math.Abs(got-want) <= c.within*math.Abs(want)) {
					t.Errorf("value %d is %g, without checkpointing %g", i, got, want)
				}
			}
		})
	}
}

// someSteps is the losses and norms of three steps, by plain descent: Adam would
// make steps of full size of rounding errors.
func someSteps(t *testing.T, b compute.Backend, opt Options, drop float64) (values []float64) {
	t.Helper()
	g := openGolden(t)
	net, err := ViT(g.model, drop, 0)
	if err != nil {
		t.Fatal(err)
	}
	opt.Optimizer, opt.Schedule, opt.Seed = SGD{}, Constant(0.05), 3
	tr, err := NewTrainer(b, net, opt)
	if err != nil {
		t.Fatal(err)
	}
	defer tr.Close()
	for step := range 3 {
		images, labels, _ := g.batch(step)
		m, err := tr.Step(Batch{Images: images, Labels: labels})
		if err != nil {
			t.Fatal(err)
		}
		values = append(values, m.Loss, m.GradNorm)
	}
	return values
}
