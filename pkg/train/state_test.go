package train

import (
	"bytes"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"gaze/pkg/vit"
	"gaze/pkg/weights"
)

// saved takes a state through a file.
func saved(t *testing.T, tr *Trainer) []*weights.Tensor {
	t.Helper()
	state, err := tr.State()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "state.safetensors")
	if err := weights.WriteSafetensors(path, state, nil); err != nil {
		t.Fatal(err)
	}
	f, err := weights.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	var back []*weights.Tensor
	for _, name := range f.Names() {
		tensor, _ := f.Tensor(name)
		back = append(back, tensor)
	}
	return back
}

// sameBits compares two states to the bit.
func sameBits(t *testing.T, got, want []*weights.Tensor) {
	t.Helper()
	byName := map[string]*weights.Tensor{}
	for _, w := range want {
		byName[w.Name] = w
	}
	if len(got) != len(want) {
		t.Errorf("a state of %d tensors, not %d", len(got), len(want))
	}
	for _, g := range got {
		if w := byName[g.Name]; w == nil || !bytes.Equal(g.Bytes(), w.Bytes()) {
			t.Errorf("%s differs", g.Name)
		}
	}
}

// TestResume stops after any number of steps, in the middle of an accumulation
// too, and goes on in a new trainer to the same bits, losses and all; also in a
// trainer that has gone elsewhere in the meantime.
func TestResume(t *testing.T) {
	g, b := openGolden(t), testBackend(t)
	const steps = 16
	for _, name := range []string{"everything", "sgd_momentum", "adam", "ema_warmup"} {
		straight := g.trainer(t, b, name)
		var losses []float64
		for step := range steps {
			losses = append(losses, g.step(t, straight, name, step).Loss)
		}
		want := saved(t, straight)
		for _, stop := range []int{0, 1, 4, 5, 14} {
			t.Run(fmt.Sprintf("%s after %d", name, stop), func(t *testing.T) {
				first := g.trainer(t, b, name)
				for step := range stop {
					g.step(t, first, name, step)
				}
				state := saved(t, first)
				second := g.trainer(t, b, name)
				for step := range 8 { // so that there is something to overwrite
					g.step(t, second, name, step)
				}
				if err := second.Restore(state); err != nil {
					t.Fatal(err)
				}
				sameBits(t, saved(t, second), state)
				for step := stop; step < steps; step++ {
					if m := g.step(t, second, name, step); m.Loss != losses[step] {
						t.Fatalf("step %d: loss %v, without a stop %v", step, m.Loss, losses[step])
					}
				}
				sameBits(t, saved(t, second), want)
			})
		}
	}
}

// TestResumeDrawsOn goes on with stochastic depth where it stopped, and draws
// otherwise for another seed; in bfloat16, with blocks that are computed again.
func TestResumeDrawsOn(t *testing.T) {
	g, b := openGolden(t), testBackend(t)
	net, err := ViT(g.model, 0.5, 0)
	if err != nil {
		t.Fatal(err)
	}
	run := func(seed uint64, stop int) []*weights.Tensor {
		opt := Options{Optimizer: NewAdam(), Schedule: Constant(1e-3), Seed: seed, Precision: BFloat16, Checkpointing: true}
		tr, err := NewTrainer(b, net, opt)
		if err != nil {
			t.Fatal(err)
		}
		for step := range 6 {
			if step == stop {
				state := saved(t, tr)
				tr.Close()
				if tr, err = NewTrainer(b, net, opt); err != nil {
					t.Fatal(err)
				}
				if err := tr.Restore(state); err != nil {
					t.Fatal(err)
				}
			}
			images, labels, _ := g.batch(step)
			if _, err := tr.Step(Batch{Images: images, Labels: labels}); err != nil {
				t.Fatal(err)
			}
		}
		defer tr.Close()
		return saved(t, tr)
	}
	want := run(3, -1)
	sameBits(t, run(3, 4), want)
	other := run(4, -1)
	if !slices.ContainsFunc(other, func(o *weights.Tensor) bool {
		return slices.ContainsFunc(want, func(w *weights.Tensor) bool {
			return o.Name == w.Name && o.Name != counters && !bytes.Equal(o.Bytes(), w.Bytes())
		})
	}) {
		t.Error("another seed gave the same weights")
	}
}

// TestResumeFrozen takes frozen weights from the state, and their average with
// them.
func TestResumeFrozen(t *testing.T) {
	g, b := openGolden(t), testBackend(t)
	opt := usual()
	opt.Rules, opt.Average = []Rule{FreezeBackbone()}, &Average{Decay: 0.5}
	images, labels, _ := g.batch(0)
	start := func(m *vit.Model) *Trainer {
		net, err := ViT(m, 0, 0)
		if err != nil {
			t.Fatal(err)
		}
		tr, err := NewTrainer(b, net, opt)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { tr.Close() })
		return tr
	}
	first := start(g.model)
	if _, err := first.Step(Batch{Images: images, Labels: labels}); err != nil {
		t.Fatal(err)
	}
	other, err := vit.New(g.model.Config, 9)
	if err != nil {
		t.Fatal(err)
	}
	second := start(other)
	if err := second.Restore(saved(t, first)); err != nil {
		t.Fatal(err)
	}
	for _, averaged := range []bool{false, true} {
		want, errA := first.Outputs(Batch{Images: images}, averaged)
		got, errB := second.Outputs(Batch{Images: images}, averaged)
		if errA != nil || errB != nil || !slices.Equal(got, want) {
			t.Errorf("averaged %v: logits %v (%v), before %v (%v)", averaged, got, errB, want, errA)
		}
	}
}

// TestRestoreRefuses changes nothing when a state doesn't fit.
func TestRestoreRefuses(t *testing.T) {
	g, b := openGolden(t), testBackend(t)
	tr := g.trainer(t, b, "accumulate")
	for step := range 3 {
		g.step(t, tr, "accumulate", step)
	}
	good := saved(t, tr)
	without := func(name string) []*weights.Tensor {
		return slices.DeleteFunc(slices.Clone(good), func(w *weights.Tensor) bool { return w.Name == name })
	}
	with := func(w *weights.Tensor) []*weights.Tensor { return append(without(w.Name), w) }
	adam := g.trainer(t, b, "adam")
	cases := map[string][]*weights.Tensor{
		"has no counters":                         without(counters),
		"tensors, these options make":             without("model/head/bias"),
		"has no model/head/bias":                  append(without("model/head/bias"), weights.NewTensor("model/tail", []int{1}, []float32{0})),
		"is float32 [1], not float32 [5]":         with(weights.NewTensor("model/head/bias", []int{1}, []float32{0})),
		"is int64 [5], not float32 [5]":           with(weights.NewInt64s("model/head/bias", make([]int64, 5))),
		"counters are [1 2]":                      with(weights.NewInt64s(counters, []int64{1, 2})),
		"counters are [1 2 -3]":                   with(weights.NewInt64s(counters, []int64{1, 2, -3})),
		"counters are [1 2 4]":                    with(weights.NewInt64s(counters, []int64{1, 2, 4})),
		"has elements of type float32, not int64": with(weights.NewTensor(counters, []int{3}, make([]float32, 3))),
		"tensors, these options":                  saved(t, adam),
	}
	for want, state := range cases {
		if err := tr.Restore(state); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want an error with %q, got %v", want, err)
		}
	}
	sameBits(t, saved(t, tr), good)
}
