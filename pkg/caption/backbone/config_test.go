package backbone

import (
	"strings"
	"testing"

	"gaze/pkg/vit"
)

func TestValidate(t *testing.T) {
	for _, layers := range []int{18, 34, 50, 101} {
		if err := ResNetOf(layers, layers >= 50).Validate(); err != nil {
			t.Errorf("ResNet-%d: %v", layers, err)
		}
	}
	changed := func(change func(c *Config)) Config {
		c := ResNetOf(101, true)
		change(&c)
		return c
	}
	for _, c := range []struct {
		config Config
		says   string
	}{
		{ResNetOf(20, false), "ResNet"},
		{ResNetOf(18, true), "can't be dilated"},
		{changed(func(c *Config) { c.Width = 0 }), "width 0"},
		{changed(func(c *Config) { c.Kind = "swin" }), "swin"},
		{changed(func(c *Config) { c.Width = maxWidth + 1 }), "beyond any model's"},
		{changed(func(c *Config) { c.Depths[2] = maxLayers + 1 }), "beyond any model's"},
		{Config{Kind: Patch}, "patch size 0"},
		{Config{Kind: Patch, PatchSize: maxSide + 1, Stages: []Stage{{8, 1}}}, "beyond any model's"},
		{Config{Kind: Patch, PatchSize: 4, Stages: []Stage{{0, 1}}}, "0 channels"},
		{Config{Kind: Patch, PatchSize: 4, Stages: []Stage{{8, maxLayers + 1}}}, "beyond any model's"},
		{Config{Kind: Patch, PatchSize: 4, Stages: []Stage{{maxWidth + 1, 1}}}, "beyond any model's"},
		{Config{Kind: Patch, PatchSize: 4, Stages: make([]Stage, maxStages+1)}, "9 stages"},
	} {
		if err := c.config.Validate(); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%v doesn't say %q", err, c.says)
		}
	}
}

// smallViT is a Vision Transformer of 2×3 patches of 8 pixels behind a class token and two
// registers.
func smallViT(t *testing.T) *vit.Model {
	t.Helper()
	v, err := vit.New(vit.Config{
		ImageSize: [2]int{16, 24}, PatchSize: [2]int{8, 8}, Channels: 3, Dim: 12, Depth: 2, Heads: 3, MLPDim: 20,
		ClassToken: true, Registers: 2, NormEps: 1e-6, QKVBias: true, PatchBias: true, FinalNorm: true, Classes: 5,
	}, 9)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestViTRefuses(t *testing.T) {
	good, err := ViTOf(smallViT(t))
	if err != nil {
		t.Fatalf("a Vision Transformer with a head: %v", err)
	}
	bad := func(change func(c *vit.Config, b *Config)) error {
		cfg, b := *good.ViT, good
		b.ViT = &cfg
		change(&cfg, &b)
		return b.Validate()
	}
	for name, err := range map[string]error{
		"no configuration": bad(func(_ *vit.Config, b *Config) { b.ViT = nil }),
		"a head":           bad(func(c *vit.Config, _ *Config) { c.Classes = 4 }),
		"oblong patches":   bad(func(c *vit.Config, _ *Config) { c.PatchSize[1] = 4 }),
		"too many blocks":  bad(func(c *vit.Config, _ *Config) { c.Depth = 1 << 30 }),
		"no heads":         bad(func(c *vit.Config, _ *Config) { c.Heads = 0 }),
		"broken patches":   bad(func(c *vit.Config, _ *Config) { c.ImageSize[0] = 20 }),
		"one mean":         bad(func(_ *vit.Config, b *Config) { b.Mean, b.Std = []float32{1}, nil }),
		"a deviation of 0": bad(func(_ *vit.Config, b *Config) { b.Mean, b.Std = []float32{1}, []float32{0} }),
	} {
		if err == nil {
			t.Errorf("%s: valid", name)
		}
	}
}
