package vit

import (
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"gaze/pkg/convnet"
	"gaze/pkg/nn"
	"gaze/pkg/weights"
)

// smallLite is an EfficientNet-Lite of seven narrow stages with cells of 16 pixels.
func smallLite() *convnet.Config {
	c := convnet.EfficientNetLiteOf(0).WithoutHead().WithOutputStride(16)
	lite := *c.Lite
	lite.Stem, lite.Stages = 4, slices.Clone(lite.Stages)
	for i := range lite.Stages {
		s := &lite.Stages[i]
		s.Blocks, s.Channels = min(s.Blocks, 2), 4+2*i
		if i > 0 {
			s.Expand = 2
		}
	}
	c.Lite = &lite
	return &c
}

// smallResNet is the root and two stages, with cells of 8 pixels.
func smallResNet() *convnet.Config {
	return &convnet.Config{Kind: convnet.ResNetV2, ResNet: &convnet.ResNet{Width: 32, Stages: []convnet.ResNetStage{{Blocks: 1, Channels: 128}, {Blocks: 1, Channels: 128}}}}
}

// hybridConfig is smallConfig on a stem, with a grid of 3 rows and 2 columns.
func hybridConfig(stem *convnet.Config) Config {
	c := smallConfig()
	c.Stem = stem
	c.PatchSize = [2]int{stem.Stride(), stem.Stride()}
	c.ImageSize = [2]int{3 * c.PatchSize[0], 2 * c.PatchSize[1]}
	return c
}

// TestForwardFeatures runs a hybrid whole, and its stem and the rest one after the other.
func TestForwardFeatures(t *testing.T) {
	for _, stem := range []*convnet.Config{smallLite(), smallResNet()} {
		cfg := hybridConfig(stem)
		cfg.PatchSize[1] *= 2 // patches of one cell by two
		cfg.ImageSize[1] *= 2
		m := scrambled(t, cfg, 3)
		shape := [4]int{2, 3, cfg.ImageSize[0], cfg.ImageSize[1]}
		for _, b := range testBackends(t) {
			t.Run(stem.Kind+"/"+b.Name(), func(t *testing.T) {
				r, err := NewRunner(b, m)
				if err != nil {
					t.Fatal(err)
				}
				defer r.Close()
				whole, err := r.Run(pictures(shape), shape, Want{Logits: true, StemFeatures: true, ClassAttention: []int{-1}})
				if err != nil {
					t.Fatal(err)
				}
				each := cfg.FeatureShape()
				if want := []int{2, 3, 4, stem.Channels()}; !slices.Equal(whole.StemFeatures.Shape, want) || !slices.Equal(want[1:], each[:]) {
					t.Fatalf("features of shape %v, expected %v, want %v", whole.StemFeatures.Shape, each, want)
				}
				if got := whole.ClassAttention.Shape; got[3] != 6 || whole.Grid != [2]int{3, 2} {
					t.Errorf("attention of shape %v over a grid of %v, want one of 3×2 patches", got, whole.Grid)
				}
				got := runOnFeatures(t, r, m, whole.StemFeatures)
				if d := relative(t, got, whole.Logits); !(d <= parity) {
					t.Errorf("logits off by %.2g of their range", d)
				}
			})
		}
	}
}

// runOnFeatures computes logits from the stem's features.
func runOnFeatures(t *testing.T, r *Runner, m *Model, features Array) Array {
	t.Helper()
	var list nn.ParamList
	for _, p := range m.Config.Parameters() {
		if !InStem(p.Name) {
			list = append(list, p)
		}
	}
	uploaded, err := m.params.Upload(r.backend, list, nil)
	if err != nil {
		t.Fatal(err)
	}
	store, programs := model.NewStore(), nn.NewPrograms(r.backend, 1)
	uploaded.AddTo(store)
	defer func() {
		programs.Close()
		if err := uploaded.Free(); err != nil {
			t.Error(err)
		}
	}()
	input, err := nn.Input(r.backend, features.Values, features.Shape...)
	if err != nil {
		t.Fatal(err)
	}
	defer nn.Free(input)
	out, err := nn.Run(programs, store, "logits", func(scope *model.Scope, x *graph.Node) *graph.Node {
		return ForwardFeatures(scope, m.Config, x, nn.Training{}).Logits
	}, input)
	if err != nil {
		t.Fatal(err)
	}
	defer nn.Free(out...)
	values, err := tensors.CopyFlatData[float32](out[0])
	if err != nil {
		t.Fatal(err)
	}
	return Array{Shape: out[0].Shape().Dimensions, Values: values}
}

// TestHybridSaved saves hybrids, whole and in float16, and reads them back.
func TestHybridSaved(t *testing.T) {
	for _, stem := range []*convnet.Config{smallLite(), smallResNet()} {
		m := scrambled(t, hybridConfig(stem), 3).WithPipeline("resize(48,32) | totensor | normalize(0.5,0.5)")
		path := filepath.Join(t.TempDir(), "model.safetensors")
		if err := m.Save(path); err != nil {
			t.Fatal(err)
		}
		back, err := Load(path)
		if err != nil {
			t.Fatal(err)
		}
		defer back.Close()
		sameModel(t, back, m)
		if len(back.Warnings) > 0 {
			t.Errorf("warnings %q", back.Warnings)
		}
		was, errA := m.Digest()
		is, errB := back.Digest()
		if was != is || errA != nil || errB != nil {
			t.Errorf("digests %s and %s (%v, %v)", was, is, errA, errB)
		}
		if name := back.Describe().Stem; name == "" || !strings.HasPrefix(back.Name, name+"+ViT-") {
			t.Errorf("%s has a stem called %q", back.Name, name)
		}
		half := filepath.Join(t.TempDir(), "model.safetensors")
		if err := m.SaveHalf(half); err != nil {
			t.Fatal(err)
		}
		checkHalf(t, half, m)
	}
}

// checkHalf compares a file in float16 with the model that was saved.
func checkHalf(t *testing.T, path string, m *Model) {
	t.Helper()
	back, err := Load(path)
	if err != nil {
		t.Fatal(err)
	}
	defer back.Close()
	for _, p := range m.Config.Parameters() {
		was, _, errA := m.Parameter(p.Name)
		is, _, errB := back.Parameter(p.Name)
		if errA != nil || errB != nil {
			t.Fatal(errA, errB)
		}
		dtype := back.params[p.Name].Parts[0].Tensor.DType
		if want := map[bool]weights.DType{false: weights.Float16, true: weights.Float32}[Frozen(p.Name)]; dtype != want {
			t.Errorf("%s is %s, want %s", p.Name, dtype, want)
		}
		for i, v := range was {
			if off := math.Abs(float64(v - is[i])); off > math.Abs(float64(v))/2048+1e-7 {
				t.Fatalf("%s: %g became %g", p.Name, v, is[i])
			}
		}
	}
}

// TestHybridErrors: stems that can't be under a model, and files that belong to another one.
func TestHybridErrors(t *testing.T) {
	for _, c := range []struct {
		change func(c *Config)
		want   string
	}{
		{func(c *Config) { c.PatchSize = [2]int{8, 16} }, "multiple"},
		{func(c *Config) { c.Channels = 1 }, "3 channels"},
		{func(c *Config) { c.ImageSize = [2]int{40, 32} }, "can't be cut into patches of 16"},
		{func(c *Config) { c.Stem = &convnet.Config{Kind: "vgg"} }, "vgg"},
		{func(c *Config) { c.Stem = &convnet.Config{Kind: convnet.ResNetV2} }, "resnetv2"},
		{func(c *Config) { c.Stem = &convnet.Config{Kind: convnet.ResNetV2, ResNet: &convnet.ResNet{Width: 48}} }, "48 channels"},
	} {
		cfg := hybridConfig(smallLite())
		c.change(&cfg)
		if _, err := New(cfg, 1); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v, want an error with %q", err, c.want)
		}
	}
	m := scrambled(t, hybridConfig(smallLite()), 3)
	names := map[string]func(list []*weights.Tensor) []*weights.Tensor{
		"describes a stem that these weights don't have: convnet: stage_0/block_0/depthwise/bn/mean is missing": func(l []*weights.Tensor) []*weights.Tensor {
			return slices.DeleteFunc(l, func(w *weights.Tensor) bool { return w.Name == "patch_embed.backbone.blocks.0.0.bn1.running_mean" })
		},
		"1 left over: patch_embed.backbone.blocks.0.0.se.conv_reduce.weight": func(l []*weights.Tensor) []*weights.Tensor {
			return append(l, weights.NewTensor("patch_embed.backbone.blocks.0.0.se.conv_reduce.weight", []int{1}, []float32{1}))
		},
		"describes a stem, of which there are no tensors": func(l []*weights.Tensor) []*weights.Tensor {
			return slices.DeleteFunc(l, func(w *weights.Tensor) bool { return strings.Contains(w.Name, ".backbone.") })
		},
	}
	for want, change := range names {
		path := filepath.Join(t.TempDir(), "model.safetensors")
		if err := m.Save(path); err != nil {
			t.Fatal(err)
		}
		if err := weights.WriteSafetensors(path, change(timmTensors(t, m)), nil); err != nil {
			t.Fatal(err)
		}
		if _, err := Load(path); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want an error with %q", err, want)
		}
	}
	if _, err := smallRunner(t).Run(pictures([4]int{1, 3, 12, 12}), [4]int{1, 3, 12, 12}, Want{StemFeatures: true}); err == nil || !strings.Contains(err.Error(), "no stem") {
		t.Errorf("features of a stem that isn't there: %v", err)
	}
}

// timmTensors is the model's tensors under timm's names.
func timmTensors(t *testing.T, m *Model) []*weights.Tensor {
	t.Helper()
	var list []*weights.Tensor
	for _, p := range m.Config.Parameters() {
		values, shape, err := m.Parameter(p.Name)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, weights.NewTensor(m.Config.timmName(p.Name), shape, values))
	}
	return list
}

func smallRunner(t *testing.T) *Runner {
	t.Helper()
	r, err := NewRunner(goBackend(t), scrambled(t, smallConfig(), 1))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	})
	return r
}

// TestHybridUntold reads hybrids without a config.json: the shapes tell a ResNet, and of an
// EfficientNet what was assumed is said.
func TestHybridUntold(t *testing.T) {
	for _, c := range []struct {
		stem     *convnet.Config
		warnings []string
	}{
		{smallResNet(), []string{"there is no config.json"}},
		{smallLite(), []string{"took strides, padding and epsilon of the published EfficientNet-Lite, and an output stride of 32", "there is no config.json"}},
	} {
		cfg := hybridConfig(c.stem)
		cfg.Dim, cfg.Heads = 64, 1
		cfg.ImageSize = [2]int{2 * cfg.PatchSize[0], 2 * cfg.PatchSize[1]}
		m := scrambled(t, cfg, 3)
		path := filepath.Join(t.TempDir(), "model.safetensors")
		if err := weights.WriteSafetensors(path, timmTensors(t, m), nil); err != nil {
			t.Fatal(err)
		}
		back, err := Load(path)
		if err != nil {
			t.Fatal(err)
		}
		defer back.Close()
		if len(back.Warnings) != len(c.warnings) {
			t.Fatalf("warnings %q, want %q", back.Warnings, c.warnings)
		}
		for i, w := range c.warnings {
			if !strings.Contains(back.Warnings[i], w) {
				t.Errorf("warning %q, want %q", back.Warnings[i], w)
			}
		}
		if c.stem.Kind == convnet.EfficientNetLite {
			back.Config.Stem.Lite.OutputStride = 16
			back.Config.PatchSize, back.Config.ImageSize = cfg.PatchSize, cfg.ImageSize
		}
		if !back.Config.Equal(cfg) {
			t.Errorf("read as %s, was %s", back.Config, cfg)
		}
	}
}

// TestHybridPipeline: a new model's pictures are normalised as its network's published weights
// need it.
func TestHybridPipeline(t *testing.T) {
	for _, c := range []struct {
		stem *convnet.Config
		want string
	}{{smallLite(), "resize(48,32,bilinear) | totensor | normalize(0.49803922,0.50196078)"}, {smallResNet(), "resize(24,16,bilinear) | totensor | normalize(0.5,0.5)"}} {
		m, err := New(hybridConfig(c.stem), 1)
		if err != nil || m.Pipeline() != c.want {
			t.Errorf("%s: %q, want %q (%v)", c.stem.Kind, m.Pipeline(), c.want, err)
		}
	}
}

// TestEqual compares configurations by what their stems are, not by where.
func TestEqual(t *testing.T) {
	a, b, other := hybridConfig(smallLite()), hybridConfig(smallLite()), hybridConfig(smallLite())
	other.Stem.Lite.OutputStride = 32
	none := hybridConfig(smallLite())
	none.Stem = nil
	if !a.Equal(b) || a.String() != b.String() {
		t.Error("equal configurations differ")
	}
	for _, c := range []Config{other, none} {
		if a.Equal(c) || c.Equal(a) || a.String() == c.String() {
			t.Errorf("%s equals %s", a, c)
		}
	}
	if text := none.String(); strings.Contains(text, "Stem") {
		t.Errorf("a configuration without a stem, as kept before there were any, is %s", text)
	}
}

// TestWithStem puts other weights under a hybrid.
func TestWithStem(t *testing.T) {
	m := scrambled(t, hybridConfig(smallLite()), 3)
	other := scrambled(t, hybridConfig(smallLite()), 4)
	var list []*weights.Tensor
	for _, p := range m.Config.Stem.Parameters() {
		values, shape, err := other.Parameter(stemScope + p.Name)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, weights.NewTensor(p.Name, shape, values))
	}
	got, err := m.WithStem(list)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range m.Config.Parameters() {
		from := m
		if InStem(p.Name) {
			from = other
		}
		want, _, _ := from.Parameter(p.Name)
		have, _, err := got.Parameter(p.Name)
		if err != nil || !slices.Equal(have, want) {
			t.Errorf("%s isn't as expected (%v)", p.Name, err)
		}
	}
	if _, err := m.WithStem(list[1:]); err == nil || !strings.Contains(err.Error(), "stem/conv/weight is missing") {
		t.Errorf("a stem without its first convolution: %v", err)
	}
	if _, err := scrambled(t, smallConfig(), 1).WithStem(nil); err == nil || !strings.Contains(err.Error(), "no stem") {
		t.Errorf("a model without a stem: %v", err)
	}
}
