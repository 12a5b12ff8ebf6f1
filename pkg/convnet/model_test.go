package convnet

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/gomlx/compute"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"gaze/pkg/nn"
	"gaze/pkg/transform"
	"gaze/pkg/weights"
)

// tinyConfig is a network small enough for any test, of three stages and stride 8.
func tinyConfig() Config {
	return Config{Kind: EfficientNetLite, Lite: &Lite{
		Stem: 4, Head: 10, NormEps: 1e-3,
		Stages: []LiteStage{{1, 4, 3, 1, 1}, {2, 6, 3, 2, 2}, {1, 8, 5, 2, 3}},
	}}
}

func tiny(t testing.TB, classes int) *Model {
	t.Helper()
	m, err := New(tinyConfig(), classes, 7)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// TestVariants compares the variants' sizes with the published ones.
func TestVariants(t *testing.T) {
	// Parameters that are learned, as Google's and timm's tables have them, in millions.
	for variant, millions := range []float64{4.65, 5.42, 6.09, 8.20, 13.01} {
		m, err := New(EfficientNetLiteOf(variant), 1000, 1)
		if err != nil {
			t.Fatal(err)
		}
		learned := 0
		for _, p := range m.Parameters() {
			if !Frozen(p.Name) {
				learned += p.Len()
			}
		}
		if got := float64(learned) / 1e6; got < millions-0.006 || got > millions+0.006 {
			t.Errorf("variant %d has %.3f million parameters, want %.2f", variant, got, millions)
		}
		if m.Name != fmt.Sprintf("EfficientNet-Lite%d", variant) || m.Config.Stride() != 32 || m.Config.Channels() != 1280 {
			t.Errorf("variant %d: %s, stride %d, %d channels", variant, m.Name, m.Config.Stride(), m.Config.Channels())
		}
	}
	c := EfficientNetLiteOf(0).WithoutHead().WithOutputStride(16)
	if c.Channels() != 320 || c.Grid(224, 193) != [2]int{14, 13} || c.Check() != nil {
		t.Errorf("%d channels, grid %v, %v", c.Channels(), c.Grid(224, 193), c.Check())
	}
	if EfficientNetLiteOf(0).Lite.Head != 1280 {
		t.Error("deriving a configuration changed the original")
	}
}

func TestCheck(t *testing.T) {
	changed := func(change func(l *Lite)) Config {
		c := tinyConfig()
		change(c.Lite)
		return c
	}
	for _, c := range []struct {
		config Config
		says   string
	}{
		{Config{Kind: "vgg"}, `unknown kind of network "vgg"`},
		{Config{Kind: EfficientNetLite}, "doesn't describe one"},
		{EfficientNetLiteOf(5), "0 channels at its start"},
		{changed(func(l *Lite) { l.Stages = nil }), "0 stages"},
		{changed(func(l *Lite) { l.Stages[1].Blocks = 0 }), "stage 1 has 0 blocks"},
		{changed(func(l *Lite) { l.Stages[1].Channels = 1 << 30 }), "at most"},
		{changed(func(l *Lite) { l.Stages[1].Kernel = 4 }), "kernels of 4×4"},
		{changed(func(l *Lite) { l.Stages[1].Stride = 3 }), "stride 3"},
		{changed(func(l *Lite) { l.Stages[1].Expand = 0 }), "expands 0 times"},
		{changed(func(l *Lite) { l.NormEps = 0 }), "above 0"},
		{changed(func(l *Lite) { l.OutputStride = 3 }), "output stride 3"},
		{changed(func(l *Lite) { l.OutputStride = 16 }), "output stride 16"},
	} {
		if err := c.config.Check(); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%v doesn't say %q", err, c.says)
		}
	}
}

// TestSave: what Save writes, Load reads again, in half precision too.
func TestSave(t *testing.T) {
	m := tiny(t, 3)
	m.Labels = []string{"a", "b", "c"}
	m = m.WithPipeline("resize(20,bicubic) | centercrop(16) | totensor | normalize(0.5,0.25)")
	for _, half := range []bool{false, true} {
		path := filepath.Join(t.TempDir(), "m.safetensors")
		if err := m.Save(path, half); err != nil {
			t.Fatal(err)
		}
		back, err := Load(path)
		if err != nil {
			t.Fatal(err)
		}
		if back.Config.Architecture() != m.Config.Architecture() || back.Classes != 3 || !slices.Equal(back.Labels, m.Labels) || back.Pipeline() != m.Pipeline() || back.Layout != LayoutGaze {
			t.Errorf("read back: %+v", back)
		}
		want, _, _ := m.Parameter("head/conv/weight")
		got, _, err := back.Parameter("head/conv/weight")
		if err != nil {
			t.Fatal(err)
		}
		for i := range want {
			if d := got[i] - want[i]; d > 2e-3 || d < -2e-3 || !half && d != 0 {
				t.Fatalf("half=%v: value %d is %g, was %g", half, i, got[i], want[i])
			}
		}
		if err := back.Close(); err != nil {
			t.Error(err)
		}
	}
}

// TestLoadRefuses: files that aren't whole, or aren't a network's.
func TestLoadRefuses(t *testing.T) {
	list, err := tiny(t, 0).Tensors()
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(saved{Config: tinyConfig()})
	if err != nil {
		t.Fatal(err)
	}
	own := map[string]string{metadataKey: string(text)}
	extra := weights.NewTensor("extra", []int{1}, []float32{1})
	for _, c := range []struct {
		name     string
		list     []*weights.Tensor
		metadata map[string]string
		says     string
	}{
		{"missing", list[:len(list)-1], own, "1 missing: head/bn/var"},
		{"left over", append(slices.Clone(list), extra), own, "1 left over: extra"},
		{"no configuration", list, nil, "which says what the network is"},
		{"another file", []*weights.Tensor{extra}, nil, "no EfficientNet-Lite"},
		{"damaged configuration", list, map[string]string{metadataKey: "{"}, metadataKey},
		{"impossible configuration", list, map[string]string{metadataKey: `{"config":{"kind":"efficientnet-lite"}}`}, "doesn't describe one"},
		{"a pipeline without a tensor", list, map[string]string{metadataKey: strings.Replace(string(text), `"pipeline":""`, `"pipeline":"hflip"`, 1)}, "end in a tensor"},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "m.safetensors")
			if err := weights.WriteSafetensors(path, c.list, c.metadata); err != nil {
				t.Fatal(err)
			}
			if m, err := Load(path); err == nil || !strings.Contains(err.Error(), c.says) || !strings.Contains(err.Error(), path) {
				t.Errorf("%v doesn't say %q (%v)", err, c.says, m)
			}
		})
	}
}

// TestTimmConfig: what timm's file beside the weights says is done, or refused.
func TestTimmConfig(t *testing.T) {
	m := loadFolder(t, "timm_symmetric")
	if !m.Config.Lite.SymmetricPadding || m.Config.Lite.NormEps != torchEps {
		t.Errorf("padding and epsilon of efficientnet_lite0: %+v", m.Config.Lite)
	}
	if want := "resize(40,bilinear) | centercrop(32) | totensor | normalize([0.5,0.5,0.5],[0.5,0.5,0.5])"; m.Pipeline() != want {
		t.Errorf("pipeline %s, want %s", m.Pipeline(), want)
	}
	if m := loadFolder(t, "timm_tf"); m.Config.Lite.SymmetricPadding || m.Config.Lite.NormEps != tfEps {
		t.Errorf("padding and epsilon of tf_efficientnet_lite0: %+v", m.Config.Lite)
	}
	for config, says := range map[string]string{
		`{"architecture": "resnet50"}`:                     "resnet50",
		`{"pretrained_cfg": {"crop_pct": 2}}`:              "crop_pct",
		`{"pretrained_cfg": {"interpolation": "nearest"}}`: "nearest",
		`{"pretrained_cfg": {"crop_mode": "squash"}}`:      "squash",
		`{"pretrained_cfg": {"input_size": [3, 2, 4]}}`:    "input_size",
		`{"pretrained_cfg": {"mean": [1]}}`:                "mean",
		`[`:                                                "not a JSON object",
	} {
		dir := t.TempDir()
		data, err := os.ReadFile("testdata/timm_tf/weights.safetensors")
		if err != nil {
			t.Fatal(err)
		}
		for name, text := range map[string][]byte{"weights.safetensors": data, "config.json": []byte(config)} {
			if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := Load(filepath.Join(dir, "weights.safetensors")); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v doesn't say %q", config, err, says)
		}
	}
}

func TestDerive(t *testing.T) {
	m := tiny(t, 3)
	without, err := m.Derive(m.Config.WithoutHead())
	if err != nil {
		t.Fatal(err)
	}
	if without.Classes != 0 || without.Config.Channels() != 8 {
		t.Errorf("%d classes, %d channels", without.Classes, without.Config.Channels())
	}
	if _, err := without.Derive(m.Config); err == nil || !strings.Contains(err.Error(), "head/conv/weight") {
		t.Errorf("a head from nowhere: %v", err)
	}
	other, err := m.WithClassifier(2, []string{"cat", "dog"}, 1)
	if err != nil {
		t.Fatal(err)
	}
	if _, shape, err := other.Parameter("classifier/weight"); err != nil || !slices.Equal(shape, []int{2, 10}) {
		t.Errorf("classifier %v, %v", shape, err)
	}
	if _, err := m.WithClassifier(2, []string{"cat"}, 1); err == nil {
		t.Error("two classes with one name")
	}
	if _, shape, err := m.Parameter("classifier/weight"); err != nil || !slices.Equal(shape, []int{3, 10}) {
		t.Errorf("the original's classifier: %v, %v", shape, err)
	}
}

// TestRunnerBatches: how many pictures are run at a time changes nothing, and every row is
// its own picture's.
func TestRunnerBatches(t *testing.T) {
	b := testBackends(t)[0]
	m := tiny(t, 3)
	r, err := NewRunner(b, m, WithBatch(2))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	images := waves(5*3*11*14, 0.37)
	all, err := r.Run(context.Background(), images, [4]int{5, 3, 11, 14}, Want{Map: true, Pooled: true, Logits: true})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(all.Map.Shape, []int{5, 2, 2, 10}) || !slices.Equal(all.Pooled.Shape, []int{5, 10}) || !slices.Equal(all.Logits.Shape, []int{5, 3}) {
		t.Fatalf("shapes %v, %v, %v", all.Map.Shape, all.Pooled.Shape, all.Logits.Shape)
	}
	var pictures []*transform.Tensor
	for i := range 5 {
		pictures = append(pictures, &transform.Tensor{Shape: [3]int{3, 11, 14}, Data: images[i*3*11*14:][:3*11*14]})
		one, err := r.RunTensors(context.Background(), pictures[i:], Want{Logits: true})
		if err != nil {
			t.Fatal(err)
		}
		compare(t, fmt.Sprintf("picture %d", i), one.Logits, Array{[]int{1, 3}, all.Logits.Values[i*3:][:3]})
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := r.RunTensors(ctx, pictures, Want{Map: true}); !errors.Is(err, context.Canceled) {
		t.Errorf("a context that is done: %v", err)
	}
}

func TestRunnerRefuses(t *testing.T) {
	b := testBackends(t)[0]
	if _, err := NewRunner(nil, tiny(t, 0)); err == nil {
		t.Error("no backend")
	}
	if _, err := NewRunner(b, tiny(t, 0), WithBatch(0)); err == nil {
		t.Error("a batch of none")
	}
	r, err := NewRunner(b, tiny(t, 0))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		values int
		shape  [4]int
		want   Want
		says   string
	}{
		{12, [4]int{1, 3, 2, 2}, Want{}, "nothing is wanted"},
		{12, [4]int{1, 3, 2, 2}, Want{Logits: true}, "no classifier"},
		{11, [4]int{1, 3, 2, 2}, Want{Map: true}, "11 values"},
		{4, [4]int{1, 1, 2, 2}, Want{Map: true}, "1 channels"},
		{0, [4]int{0, 3, 2, 2}, Want{Map: true}, "shape"},
	} {
		if _, err := r.Run(context.Background(), make([]float32, c.values), c.shape, c.want); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%v doesn't say %q", err, c.says)
		}
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
	if _, err := r.Run(context.Background(), make([]float32, 12), [4]int{1, 3, 2, 2}, Want{Map: true}); err == nil || !strings.Contains(err.Error(), "closed") {
		t.Errorf("closed: %v", err)
	}
}

// TestGradients: a gradient flows to every parameter but the norms' statistics, and
// predicts how a step changes the features.
func TestGradients(t *testing.T) {
	m := tiny(t, 0)
	list, err := m.Tensors()
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range testBackends(t) {
		t.Run(b.Name(), func(t *testing.T) {
			if testing.Short() && b.Name() != goBackend {
				t.Skip("XLA compiles the gradients for seconds")
			}
			loss := gradientsOf(t, b, m, list)
			var values [][]float32
			for _, p := range list {
				v, err := p.Float32s()
				if err != nil {
					t.Fatal(err)
				}
				values = append(values, slices.Clone(v))
			}
			before, gradients := loss(values)
			const step = 1e-4
			square := 0.0
			for i, p := range list {
				size := 0.0
				for j, v := range gradients[i] {
					size += float64(v) * float64(v)
					values[i][j] -= step * v
				}
				square += size
				if Frozen(p.Name) != (size == 0) {
					t.Errorf("the gradient of %s has the size %g", p.Name, size)
				}
			}
			after, _ := loss(values)
			if got, want := before-after, step*square; got < 0.95*want || got > 1.05*want {
				t.Errorf("a step changes %g by %g, its gradient says %g", before, got, want)
			}
		})
	}
}

// gradientsOf is the mean square of a model's features, and its gradient, as a function of
// the parameters' values.
func gradientsOf(t *testing.T, b compute.Backend, m *Model, list []*weights.Tensor) func(values [][]float32) (float64, [][]float32) {
	store := model.NewStore()
	for _, p := range list {
		store.VariableWithValue("/"+p.Name, tensors.FromFlatDataAndDimensions(make([]float32, p.Len()), p.Shape...))
	}
	e, err := model.NewExec(b, store, func(scope *model.Scope, images *Node) []*Node {
		y := m.Config.Features(nn.NewVariables(scope, images, 0, nn.Training{}), images)
		total := ReduceAllMean(Mul(y, y))
		var vars []*Node
		for _, p := range list {
			vars = append(vars, store.GetVariable("/"+p.Name).NodeValue(images))
		}
		return append([]*Node{total}, Gradient(total, vars...)...)
	})
	if err != nil {
		t.Fatal(err)
	}
	return func(values [][]float32) (float64, [][]float32) {
		for i, p := range list {
			if err := store.GetVariable("/" + p.Name).SetValue(tensors.FromFlatDataAndDimensions(values[i], p.Shape...)); err != nil {
				t.Fatal(err)
			}
		}
		out, err := e.Call(tensors.FromFlatDataAndDimensions(waves(2*3*16*15, 0.61), 2, 3, 16, 15))
		if err != nil {
			t.Fatal(err)
		}
		var gradients [][]float32
		for _, g := range out[1:] {
			gradients = append(gradients, tensors.MustCopyFlatData[float32](g))
		}
		return float64(tensors.MustCopyFlatData[float32](out[0])[0]), gradients
	}
}

// FuzzConfig: no text of a configuration makes Load or what it calls panic.
func FuzzConfig(f *testing.F) {
	text, err := json.Marshal(saved{tinyConfig(), 3, nil, litePipeline(16)})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(string(text))
	f.Add(`{"config":{"kind":"efficientnet-lite","lite":{"stages":[{}]}}}`)
	f.Fuzz(func(t *testing.T, text string) {
		var s saved
		if json.Unmarshal([]byte(text), &s) != nil || s.Config.Check() != nil {
			return
		}
		s.Config.Parameters()
		if s.Config.Stride() < 1 || s.Config.Channels() < 1 || s.Config.Architecture() == "" {
			t.Errorf("%s passes as valid", text)
		}
	})
}
