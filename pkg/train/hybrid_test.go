package train

import (
	"context"
	"maps"
	"math"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/gomlx/compute"

	"gaze/pkg/backend"
	"gaze/pkg/convnet"
	"gaze/pkg/vit"
	"gaze/pkg/weights"
)

// hybrid is a small Vision Transformer of two blocks on an EfficientNet-Lite of narrow
// stages, for pictures of 32×32 pixels in 2×2 patches and two classes.
func hybrid(t *testing.T) *vit.Model {
	t.Helper()
	stem := convnet.Config{Kind: convnet.EfficientNetLite, Lite: &convnet.Lite{Stem: 4, NormEps: 1e-3, OutputStride: 8, Stages: []convnet.LiteStage{
		{Blocks: 1, Channels: 4, Kernel: 3, Stride: 1, Expand: 1}, {Blocks: 2, Channels: 6, Kernel: 5, Stride: 2, Expand: 2},
		{Blocks: 1, Channels: 8, Kernel: 3, Stride: 2, Expand: 2}, {Blocks: 1, Channels: 10, Kernel: 3, Stride: 2, Expand: 2},
	}}}
	cfg, err := vit.ParseConfig("vit:dim=16,depth=2,heads=2,patch=16,size=32")
	if err != nil {
		t.Fatal(err)
	}
	cfg.Stem, cfg.Classes = &stem, 2
	m, err := vit.New(cfg, 3)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// hybridBatches are pictures with something in them, the same each time.
func hybridBatches(n int) []Batch {
	r := rand.New(rand.NewPCG(5, 6))
	list := make([]Batch, n)
	for i := range list {
		list[i] = Batch{Labels: []int{0, 1, 1}, Images: make([]float32, 3*3*32*32)}
		for k := range list[i].Images {
			list[i].Images[k] = float32(r.NormFloat64()) + float32(list[i].Labels[k/(3*32*32)])
		}
	}
	return list
}

// valuesOf is a trainer's weights by name.
func valuesOf(t *testing.T, tr *Trainer) map[string][]float32 {
	t.Helper()
	list, err := tr.Weights(false)
	if err != nil {
		t.Fatal(err)
	}
	return valuesByName(t, list)
}

func valuesByName(t *testing.T, list []*weights.Tensor) map[string][]float32 {
	t.Helper()
	out := map[string][]float32{}
	for _, w := range list {
		values, err := w.Float32s()
		if err != nil {
			t.Fatal(err)
		}
		out[w.Name] = slices.Clone(values)
	}
	return out
}

// TestStemFeatures trains the blocks on features of the stem that were computed once, and the
// model with its stem frozen on pictures: both come out the same.
func TestStemFeatures(t *testing.T) {
	m, b := hybrid(t), testBackend(t)
	runner, err := vit.NewRunner(b, m)
	if err != nil {
		t.Fatal(err)
	}
	defer runner.Close()
	opt := Options{Optimizer: NewAdamW(), Schedule: Constant(1e-3), Accumulate: 2, Seed: 7}
	onFeatures, err := OnStemFeatures(m, 0.5, 0.1)
	if err != nil {
		t.Fatal(err)
	}
	small, err := NewTrainer(b, onFeatures, opt)
	if err != nil {
		t.Fatal(err)
	}
	defer small.Close()
	whole, err := ViT(m, 0.5, 0.1)
	if err != nil {
		t.Fatal(err)
	}
	opt.Rules = []Rule{FreezeStem()}
	large, err := NewTrainer(b, whole, opt)
	if err != nil {
		t.Fatal(err)
	}
	defer large.Close()
	for i, pictures := range hybridBatches(6) {
		out, err := runner.Run(pictures.Images, [4]int{3, 3, 32, 32}, vit.Want{StemFeatures: true})
		if err != nil {
			t.Fatal(err)
		}
		got, err := small.Step(Batch{Images: out.StemFeatures.Values, Labels: pictures.Labels})
		if err != nil {
			t.Fatal(err)
		}
		want, err := large.Step(pictures)
		if err != nil {
			t.Fatal(err)
		}
		if !(math.Abs(got.Loss-want.Loss) < 1e-5) || !(math.Abs(got.GradNorm-want.GradNorm) <= 1e-4*(1+want.GradNorm)) {
			t.Errorf("batch %d: %+v on features, %+v with the stem frozen", i, got, want)
		}
	}
	before, a, c := valuesByName(t, whole.Weights), valuesOf(t, small), valuesOf(t, large)
	for name, want := range c {
		if vit.InStem(name) {
			if !slices.Equal(want, before[name]) {
				t.Errorf("%s of the frozen stem changed", name)
			}
			continue
		}
		for k, v := range a[name] {
			if !(math.Abs(float64(v-want[k])) < 1e-4) {
				t.Fatalf("%s[%d] is %v on features, %v with the stem frozen", name, k, v, want[k])
			}
		}
	}
	list, err := small.Weights(false)
	if err != nil {
		t.Fatal(err)
	}
	trained, err := m.WithSome(list)
	if err != nil {
		t.Fatal(err)
	}
	if got, _, err := trained.Parameter("block_1/mlp/fc2/weight"); err != nil || !slices.Equal(got, a["block_1/mlp/fc2/weight"]) {
		t.Errorf("the trained block isn't in the model (%v)", err)
	}
}

// TestHybridGradients trains everything: gradients reach the stem's first convolution, batch
// norms keep their statistics, weight decay or not; checkpoints and XLA give the same.
func TestHybridGradients(t *testing.T) {
	m := hybrid(t)
	list := []compute.Backend{testBackend(t), testBackend(t)}
	if !testing.Short() { // XLA takes long to compile the gradients
		usual, err := backend.Default()
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, usual)
	}
	var first map[string][]float32
	for i, b := range list {
		checkpointing := i == 1
		net, err := ViT(m, 0.2, 0)
		if err != nil {
			t.Fatal(err)
		}
		before := valuesByName(t, net.Weights)
		adam := NewAdamW()
		adam.WeightDecay = 0.1
		tr, err := NewTrainer(b, net, Options{Optimizer: adam, Schedule: Constant(1e-3), Seed: 7, Checkpointing: checkpointing})
		if err != nil {
			t.Fatal(err)
		}
		defer tr.Close()
		for _, batch := range hybridBatches(3) {
			if _, err := tr.Step(batch); err != nil {
				t.Fatal(err)
			}
		}
		after := valuesOf(t, tr)
		for name := range maps.Keys(before) {
			if same := slices.Equal(before[name], after[name]); same != vit.Frozen(name) {
				t.Errorf("%s unchanged: %v", name, same)
			}
		}
		if first == nil {
			first = after
			continue
		}
		for name, want := range first {
			for k, v := range after[name] {
				if !(math.Abs(float64(v-want[k])) < 1e-4) {
					t.Fatalf("%s[%d] is %v on %s with checkpoints %t, %v on the Go backend without", name, k, v, b.Name(), checkpointing, want[k])
				}
			}
		}
	}
}

// TestStemRules: the stem is layer 0, and what the rules freeze.
func TestStemRules(t *testing.T) {
	if got := layerOf("stem/stage_1/block_0/expand/conv/weight", 12); got != 0 {
		t.Errorf("the stem is layer %d", got)
	}
	for _, c := range []struct {
		rule   Rule
		frozen map[string]bool
	}{
		{FreezeStem(), map[string]bool{"stem/stem/conv/weight": true, "patch/weight": false, "block_0/norm1/bias": false, "head/weight": false}},
		{FreezeExceptLast(12, 2), map[string]bool{"stem/root/conv/weight": true, "patch/bias": true, "positions": true, "block_9/norm1/weight": true,
			"block_10/norm1/weight": false, "block_11/mlp/fc2/bias": false, "norm/weight": false, "head/bias": false}},
		{FreezeExceptLast(12, 12), map[string]bool{"positions": true, "block_0/norm1/weight": false}},
	} {
		for name, want := range c.frozen {
			var got Treatment
			if c.rule(name, nil, &got); got.Frozen != want {
				t.Errorf("%s frozen: %t", name, got.Frozen)
			}
		}
	}
	if _, err := OnStemFeatures(openGolden(t).model, 0, 0); err == nil || !strings.Contains(err.Error(), "no stem") {
		t.Errorf("features of a stem that isn't there: %v", err)
	}
}

// TestFineTuneHybrid runs a whole run on pictures, with the settings about freezing, and finds
// a learning rate.
func TestFineTuneHybrid(t *testing.T) {
	run := func(settings string) FineTune {
		f := fineTune(t, settings)
		f.Model = hybrid(t)
		f.Pipeline = pipeline(t, "randomhflip | resize(32,32) | totensor | normalize(0.5,0.5)")
		return f
	}
	for settings, changed := range map[string][2]bool{ // the stem, the first block
		"lr=1e-3; epochs=1; batch=4; layerdecay=0.8":  {true, true},
		"lr=1e-3; epochs=1; batch=4; freeze=stem":     {false, true},
		"lr=1e-3; epochs=1; batch=4; freeze=blocks:1": {false, false},
		"lr=1e-2; epochs=1; batch=4; probe":           {false, false},
	} {
		f := run(settings)
		if _, err := f.Run(context.Background(), testBackend(t)); err != nil {
			t.Fatalf("%s: %v", settings, err)
		}
		best, err := vit.Load(filepath.Join(f.Dir, bestFile))
		if err != nil {
			t.Fatal(err)
		}
		defer best.Close()
		for i, name := range []string{"stem/stem/conv/weight", "block_0/mlp/fc1/weight"} {
			was, _, errA := f.Model.Parameter(name)
			is, _, errB := best.Parameter(name)
			if errA != nil || errB != nil || slices.Equal(was, is) == changed[i] {
				t.Errorf("%s: %s changed should be %t (%v, %v)", settings, name, changed[i], errA, errB)
			}
		}
	}
	for settings, want := range map[string]string{"freeze=stem; epochs=1": "freeze=stem is for hybrids", "freeze=blocks:3; epochs=1": "only 2 blocks"} {
		f := fineTune(t, settings)
		if _, err := f.Run(context.Background(), testBackend(t)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want an error with %q", settings, err, want)
		}
	}
	if _, err := run("epochs=1; batch=4").Sweep(context.Background(), testBackend(t), FinderOptions{From: 1e-5, To: 1e-2, Updates: 4}); err != nil {
		t.Errorf("finding a learning rate: %v", err)
	}
}
