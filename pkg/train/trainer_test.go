package train

import (
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"gaze/pkg/vit"
	"gaze/pkg/weights"
)

// usual is options that nothing is wrong with.
func usual() Options { return Options{Optimizer: NewAdamW(), Schedule: Constant(1e-3)} }

// TestLogits are what the model's own runner gives for the same weights, and the
// average's what it gives for those.
func TestLogits(t *testing.T) {
	g, b := openGolden(t), testBackend(t)
	net, err := ViT(g.model, 0.3, 0)
	if err != nil {
		t.Fatal(err)
	}
	opt := usual()
	opt.Average = &Average{Decay: 0.5}
	opt.Rules = []Rule{FreezeBackbone()}
	tr, err := NewTrainer(b, net, opt)
	if err != nil {
		t.Fatal(err)
	}
	defer tr.Close()
	images, labels, _ := g.batch(0)
	for range 3 {
		if _, err := tr.Step(Batch{Images: images, Labels: labels}); err != nil {
			t.Fatal(err)
		}
	}
	for _, averaged := range []bool{false, true} {
		list, err := tr.Weights(averaged)
		if err != nil {
			t.Fatal(err)
		}
		m, err := g.model.WithParameters(list)
		if err != nil {
			t.Fatal(err)
		}
		r, err := vit.NewRunner(b, m)
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		want, err := r.Run(images, [4]int{len(labels), 3, 12, 12}, vit.Want{Logits: true})
		if err != nil {
			t.Fatal(err)
		}
		got, err := tr.Outputs(Batch{Images: images}, averaged)
		if err != nil || !slices.Equal(got, want.Logits.Values) {
			t.Errorf("averaged %v: logits %v (%v), the runner gives %v", averaged, got, err, want.Logits.Values)
		}
	}
}

// TestFrozen leaves frozen weights as they were, to the bit, and keeps no state
// for them; what it started from is unchanged as well.
func TestFrozen(t *testing.T) {
	g := openGolden(t)
	tr := g.trainer(t, testBackend(t), "probe")
	before := map[string][]float32{}
	for _, w := range tr.net.Weights {
		values, err := w.Float32s()
		if err != nil {
			t.Fatal(err)
		}
		before[w.Name] = slices.Clone(values)
	}
	for step := range 3 {
		g.step(t, tr, "probe", step)
	}
	state, err := tr.State()
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range state {
		name, isWeight := strings.CutPrefix(s.Name, weightScope+"/")
		if !isWeight {
			if s.Name != counters && !strings.HasSuffix(s.Name, "/head/weight") && !strings.HasSuffix(s.Name, "/head/bias") {
				t.Errorf("there is state %s", s.Name)
			}
			continue
		}
		values, err := s.Float32s()
		if err != nil {
			t.Fatal(err)
		}
		if same := slices.Equal(values, before[name]); same == strings.HasPrefix(name, "head/") {
			t.Errorf("%s unchanged: %v", name, same)
		}
	}
	for _, w := range tr.net.Weights {
		if values, _ := w.Float32s(); !slices.Equal(values, before[w.Name]) {
			t.Errorf("the network's own %s changed", w.Name)
		}
	}
}

// TestProbe trains the head on features that were computed once, to what a
// frozen backbone on pictures gives.
func TestProbe(t *testing.T) {
	g, b := openGolden(t), testBackend(t)
	r, err := vit.NewRunner(b, g.model)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	out, err := r.Run(g.images, [4]int{len(g.Labels), 3, 12, 12}, vit.Want{PreLogits: true})
	if err != nil {
		t.Fatal(err)
	}
	net, err := Probe(g.model, 0)
	if err != nil {
		t.Fatal(err)
	}
	opt := g.Cases["probe"].options(g.model.Config.Depth)
	opt.Rules = nil
	probe, err := NewTrainer(b, net, opt)
	if err != nil {
		t.Fatal(err)
	}
	defer probe.Close()
	frozen := g.trainer(t, b, "probe")
	for step := range 10 {
		want := g.step(t, frozen, "probe", step)
		var features []float32
		for _, i := range g.Batches[step] {
			features = append(features, out.PreLogits.Values[i*16:(i+1)*16]...)
		}
		_, labels, _ := g.batch(step)
		m, err := probe.Step(Batch{Images: features, Labels: labels})
		if err != nil || math.Abs(m.Loss-want.Loss) > 1e-5 || m.Correct != want.Correct {
			t.Fatalf("step %d: %+v (%v), with the backbone %+v", step, m, err, want)
		}
	}
	cfg := g.model.Config
	cfg.Classes = 0
	headless, err := vit.New(cfg, 1)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Probe(headless, 0); err == nil {
		t.Error("a probe without a head")
	}
}

// TestNotFinite stops with the reason.
func TestNotFinite(t *testing.T) {
	g, b := openGolden(t), testBackend(t)
	images, labels, _ := g.batch(0)
	opt := usual()
	opt.Optimizer, opt.Schedule = SGD{}, Constant(1e25)
	for _, accumulate := range []int{1, 2} {
		opt.Accumulate = accumulate
		net, err := ViT(g.model, 0, 0)
		if err != nil {
			t.Fatal(err)
		}
		tr, err := NewTrainer(b, net, opt)
		if err != nil {
			t.Fatal(err)
		}
		defer tr.Close()
		for range 6 {
			if _, err = tr.Step(Batch{Images: images, Labels: labels}); err != nil {
				break
			}
		}
		var broken *NotFiniteError
		if !errors.As(err, &broken) || !strings.Contains(err.Error(), "learning rate") || broken.Batch != len(labels) {
			t.Errorf("accumulating %d: %v", accumulate, err)
		}
	}
	tr := g.trainer(t, b, "adam")
	images[7] = float32(math.NaN())
	var broken *NotFiniteError
	if _, err := tr.Step(Batch{Images: images, Labels: labels}); !errors.As(err, &broken) || !strings.Contains(err.Error(), "NaN") {
		t.Errorf("a picture with a NaN: %v", err)
	}
}

// TestRefusals names what is wrong before anything is trained.
func TestRefusals(t *testing.T) {
	g, b := openGolden(t), testBackend(t)
	nan := math.NaN()
	options := map[string]func(o *Options){
		"no optimiser":         func(o *Options) { o.Optimizer = nil },
		"no schedule":          func(o *Options) { o.Schedule = nil },
		"clipped":              func(o *Options) { o.ClipNorm = nan },
		"-1 batches":           func(o *Options) { o.Accumulate = -1 },
		"average of decay":     func(o *Options) { o.Average = &Average{Decay: 1} },
		"betas":                func(o *Options) { o.Optimizer = Adam{Beta1: 1, Beta2: 0.9, Eps: 1} },
		"epsilon":              func(o *Options) { o.Optimizer = Adam{} },
		"nesterov":             func(o *Options) { o.Optimizer = SGD{Nesterov: true} },
		"momentum -1":          func(o *Options) { o.Optimizer = SGD{Momentum: -1} },
		"every weight":         func(o *Options) { o.Rules = []Rule{Freeze(func(string) bool { return true })} },
		"scale its learning":   func(o *Options) { o.Rules = []Rule{LayerDecay(2, nan)} },
		"learning rate of NaN": func(o *Options) { o.Schedule = Constant(nan) },
	}
	for want, change := range options {
		opt := usual()
		change(&opt)
		net, err := ViT(g.model, 0, 0)
		if err != nil {
			t.Fatal(err)
		}
		tr, err := NewTrainer(b, net, opt)
		if err == nil { // a schedule shows only when it is asked
			images, labels, _ := g.batch(0)
			_, err = tr.Step(Batch{Images: images, Labels: labels})
			tr.Close()
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want an error with %q, got %v", want, err)
		}
	}
	networks := map[string]func(n *Network){
		"no network":                          func(n *Network) { n.Loss = Loss{} },
		"of shape":                            func(n *Network) { n.Input[1] = 0 },
		"probability":                         func(n *Network) { n.Drop = []float64{1} },
		"two weights are called patch/weight": func(n *Network) { n.Weights = append(n.Weights, n.Weights[0]) },
		"holds +Inf":                          func(n *Network) { n.Weights[0] = weights.NewTensor("x", []int{1}, []float32{float32(math.Inf(1))}) },
		"not floats":                          func(n *Network) { n.Weights[0] = weights.NewInt64s("x", []int64{1}) },
	}
	for want, change := range networks {
		net, err := ViT(g.model, 0, 0)
		if err != nil {
			t.Fatal(err)
		}
		change(net)
		if _, err := NewTrainer(b, net, usual()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want an error with %q, got %v", want, err)
		}
	}
	if _, err := NewTrainer(nil, nil, usual()); err == nil {
		t.Error("trained on no backend")
	}
}

// TestBadBatches are errors that leave the trainer as it was.
func TestBadBatches(t *testing.T) {
	g := openGolden(t)
	tr := g.trainer(t, testBackend(t), "adam")
	images, labels, soft := g.batch(0)
	want := saved(t, tr)
	for name, f := range map[string]func() error{
		"label 5":      func() error { _, err := tr.Step(Batch{Images: images, Labels: []int{0, 1, 2, 3, 5}}); return err },
		"label -1":     func() error { _, err := tr.Step(Batch{Images: images, Labels: []int{0, 1, 2, 3, -1}}); return err },
		"aren't":       func() error { _, err := tr.Step(Batch{Images: images[1:], Labels: labels}); return err },
		"0 values":     func() error { _, err := tr.Step(Batch{}); return err },
		"target":       func() error { _, err := tr.Step(Batch{Images: images, Targets: soft[1:]}); return err },
		"values aren'": func() error { _, err := tr.Outputs(Batch{Images: images[1:]}, false); return err },
		"no average":   func() error { _, err := tr.Outputs(Batch{Images: images}, true); return err },
		"is kept":      func() error { _, err := tr.Weights(true); return err },
	} {
		if err := f(); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("want an error with %q, got %v", name, err)
		}
	}
	sameBits(t, saved(t, tr), want)
	if m, err := tr.Flush(); err != nil || m.Updated {
		t.Errorf("a flush of nothing: %+v, %v", m, err)
	}
	if tr.Updates() != 0 {
		t.Errorf("%d updates", tr.Updates())
	}
}

// TestClosed is an error, not a crash.
func TestClosed(t *testing.T) {
	g := openGolden(t)
	tr := g.trainer(t, testBackend(t), "ema")
	images, labels, _ := g.batch(0)
	tr.Close()
	_, stepErr := tr.Step(Batch{Images: images, Labels: labels})
	_, flushErr := tr.Flush()
	_, stateErr := tr.State()
	_, weightsErr := tr.Weights(false)
	_, logitsErr := tr.Outputs(Batch{Images: images}, false)
	for _, err := range []error{stepErr, flushErr, stateErr, weightsErr, logitsErr, tr.Restore(nil), tr.Close()} {
		if err != nil && !strings.Contains(err.Error(), "closed") {
			t.Errorf("after closing: %v", err)
		}
	}
	if stepErr == nil || stateErr == nil || logitsErr == nil || flushErr == nil || weightsErr == nil {
		t.Error("a closed trainer works")
	}
}

// TestBrokenGraph is an error of the step, after which the trainer says that its
// state is lost instead of going on with half of it.
func TestBrokenGraph(t *testing.T) {
	g := openGolden(t)
	net, err := ViT(g.model, 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	net.Input = [3]int{3, 6, 24} // as many values, of another shape
	tr, err := NewTrainer(testBackend(t), net, usual())
	if err != nil {
		t.Fatal(err)
	}
	defer tr.Close()
	images, labels, _ := g.batch(0)
	for range 2 {
		if _, err := tr.Step(Batch{Images: images, Labels: labels}); err == nil || !strings.Contains(err.Error(), "images have shape") {
			t.Errorf("pictures of another shape: %v", err)
		}
	}
}

// TestViT refuses what can't be trained.
func TestViT(t *testing.T) {
	cfg := openGolden(t).model.Config
	cfg.Classes = 0
	headless, err := vit.New(cfg, 1)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ViT(headless, 0, 0); err == nil || !strings.Contains(err.Error(), "classes") {
		t.Errorf("without a head: %v", err)
	}
	for _, rate := range []float64{-0.1, 1, math.NaN()} {
		if _, err := ViT(openGolden(t).model, rate, 0); err == nil {
			t.Errorf("stochastic depth of %g", rate)
		}
	}
	net, err := ViT(openGolden(t).model, 0.4, 0)
	if err != nil || !slices.Equal(net.Drop, []float64{0, 0, 0.4, 0.4}) {
		t.Errorf("stochastic depth of 0.4 is %v (%v)", net.Drop, err)
	}
}

// TestDropPathMask keeps as often as asked and scales so that the mean stays 1.
func TestDropPathMask(t *testing.T) {
	rates := []float64{0, 0.25, 0.9}
	const batch = 20000
	mask := dropPathMask(rates, batch, 1, 2)
	if !slices.Equal(mask, dropPathMask(rates, batch, 1, 2)) || slices.Equal(mask, dropPathMask(rates, batch, 1, 3)) {
		t.Error("the draw isn't decided by seed and number")
	}
	for i, rate := range rates {
		mean, kept := 0.0, 0
		for _, f := range mask[i*batch : (i+1)*batch] {
			if f != 0 {
				kept++
				if math.Abs(float64(f)*(1-rate)-1) > 1e-6 {
					t.Fatalf("rate %g: a factor of %g", rate, f)
				}
			}
			mean += float64(f) / batch
		}
		// Five standard deviations of the fraction that is kept.
		if sigma := math.Sqrt(rate * (1 - rate) / batch); math.Abs(float64(kept)/batch-(1-rate)) > 5*sigma {
			t.Errorf("rate %g: %d of %d kept", rate, kept, batch)
		}
		if math.Abs(mean-1) > 5*math.Sqrt(rate/(1-rate)/batch)+1e-6 {
			t.Errorf("rate %g: mean factor %g", rate, mean)
		}
	}
}

// TestLayers numbers a Vision Transformer's parameters from the embeddings to
// the head.
func TestLayers(t *testing.T) {
	for name, want := range map[string]int{
		"patch/weight": 0, "class_token": 0, "dist_token": 0, "registers": 0, "positions": 0, "pre_norm/bias": 0,
		"block_0/attn/qkv/weight": 1, "block_11/norm2/bias": 12, "norm/weight": 12, "pool_norm/weight": 13,
		"pre_logits/weight": 13, "head/bias": 13, "head_dist/weight": 13, "block_x/weight": 13,
	} {
		if got := layerOf(name, 12); got != want {
			t.Errorf("%s is of layer %d, not %d", name, got, want)
		}
	}
}
