package vit

import (
	"math"
	"strings"
	"testing"
)

func TestArchitecture(t *testing.T) {
	cases := []struct {
		dim, depth, registers int
		patch                 [2]int
		dist                  bool
		want                  string
	}{
		{192, 12, 0, [2]int{16, 16}, true, "ViT-Ti/16 distilled"},
		{384, 12, 4, [2]int{14, 14}, false, "ViT-S/14 with 4 registers"},
		{768, 12, 1, [2]int{16, 16}, false, "ViT-B/16 with 1 register"},
		{1024, 24, 0, [2]int{16, 16}, false, "ViT-L/16"},
		{1280, 32, 0, [2]int{14, 14}, false, "ViT-H/14"},
		{1536, 40, 0, [2]int{14, 14}, false, "ViT-g/14"},
		{128, 4, 0, [2]int{8, 4}, false, "ViT-128x4/8x4"},
	}
	for _, c := range cases {
		cfg := Config{Dim: c.dim, Depth: c.depth, Registers: c.registers, PatchSize: c.patch, DistToken: c.dist}
		if got := cfg.Architecture(); got != c.want {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
}

// ViT-B/16 with 37 classes at 384 has the parameters that timm counts.
func TestParameterCount(t *testing.T) {
	cfg := benchConfig()
	cfg.ImageSize, cfg.Classes = [2]int{384, 384}, 37
	if got := cfg.ParameterCount(); got != 86118949 {
		t.Errorf("%d parameters, want 86118949", got)
	}
	if got := cfg.Tokens(); got != 577 {
		t.Errorf("%d tokens, want 577", got)
	}
}

func TestHeadsOf(t *testing.T) {
	for dim, want := range map[int]int{192: 3, 384: 6, 768: 12, 1024: 16, 1152: 16, 1280: 16, 1408: 16, 1536: 24, 512: 8} {
		if got, err := headsOf(dim); err != nil || got != want {
			t.Errorf("width %d: %d heads (%v), want %d", dim, got, err, want)
		}
	}
	if _, err := headsOf(100); err == nil || !strings.Contains(err.Error(), "config.json") {
		t.Errorf("width 100: %v", err)
	}
}

func TestValidate(t *testing.T) {
	cases := map[string]func(*Config){
		"height 13":       func(c *Config) { c.ImageSize[0] = 13 },
		"use 6 or 12":     func(c *Config) { c.ImageSize[1] = 7 },
		"width 0":         func(c *Config) { c.ImageSize[1] = 0 },
		"patch width":     func(c *Config) { c.PatchSize[1] = 0 },
		"Depth":           func(c *Config) { c.Depth = 0 },
		"heads don't":     func(c *Config) { c.Heads = 5 },
		"negative":        func(c *Config) { c.Classes = -1 },
		"epsilon":         func(c *Config) { c.NormEps = math.NaN() },
		"a class token":   func(c *Config) { c.ClassToken = false },
		"distillation to": func(c *Config) { c.Pool = PoolClassDist },
		"of width 0":      func(c *Config) { c.PreLogits = PreLogitsAll },
	}
	for want, change := range cases {
		cfg := smallConfig()
		change(&cfg)
		if err := cfg.Validate(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v doesn't say %q", err, want)
		}
		if _, err := New(cfg, 1); err == nil {
			t.Errorf("New took a configuration with %s", want)
		}
	}
	if err := smallConfig().Validate(); err != nil {
		t.Error(err)
	}
}

func TestNames(t *testing.T) {
	for _, c := range []struct{ got, want string }{
		{SwiGLU.String(), "swiglu"}, {PoolClassMean.String(), "class+mean"}, {PositionsAll.String(), "all"},
		{PreLogitsAll.String(), "before the norm"}, {Activation(99).String(), "unknown(99)"},
	} {
		if c.got != c.want {
			t.Errorf("%q, want %q", c.got, c.want)
		}
	}
}

// The same seed gives the same weights, another seed others; norms start at one.
func TestNew(t *testing.T) {
	value := func(seed uint64, name string) []float32 {
		m, err := New(smallConfig(), seed)
		if err != nil {
			t.Fatal(err)
		}
		v, _, err := m.Parameter(name)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	a, b, c := value(1, "head/weight"), value(1, "head/weight"), value(2, "head/weight")
	if a[0] != b[0] || a[0] == c[0] {
		t.Errorf("seeds: %g, %g, %g", a[0], b[0], c[0])
	}
	for _, v := range a {
		if math.Abs(float64(v)) > 0.04 {
			t.Errorf("%g is beyond two deviations", v)
		}
	}
	if v := value(1, "block_0/norm1/weight"); v[0] != 1 {
		t.Errorf("a norm starts at %g", v[0])
	}
	if v := value(1, "head/bias"); v[0] != 0 {
		t.Errorf("a bias starts at %g", v[0])
	}
}

// One head is a head.
func TestCounted(t *testing.T) {
	for n, want := range map[int]string{0: "0 heads", 1: "1 head", 2: "2 heads", 12: "12 heads"} {
		if got := counted(n, "head"); got != want {
			t.Errorf("%d: %q", n, got)
		}
	}
	if text := assumed(Timm, Config{Heads: 1, NormEps: 1e-6, Dim: 64}); !strings.Contains(text, "took 1 head and") {
		t.Errorf("the warning says %q", text)
	}
}
