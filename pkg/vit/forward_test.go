package vit

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"gaze/pkg/nn"
	"gaze/pkg/weights"
)

// variants is one model for each way in which a configuration can differ.
func variants() map[string]func(*Config) {
	return map[string]func(*Config){
		"plain":          func(*Config) {},
		"headless":       func(c *Config) { c.Classes = 0 },
		"distilled":      func(c *Config) { c.DistToken, c.Pool = true, PoolClassDist },
		"registers":      func(c *Config) { c.Registers = 4 },
		"registers all":  func(c *Config) { c.Registers, c.Positions = 2, PositionsAll },
		"no embed class": func(c *Config) { c.Registers, c.Positions = 2, PositionsPatches },
		"mean":           func(c *Config) { c.Pool, c.PoolNorm, c.FinalNorm = PoolMean, true, false },
		"no class":       func(c *Config) { c.Pool, c.ClassToken = PoolMean, false },
		"class and mean": func(c *Config) { c.Pool, c.LayerScale, c.Registers = PoolClassMean, true, 1 },
		"swiglu":         func(c *Config) { c.Activation = SwiGLU },
		"tanh gelu":      func(c *Config) { c.Activation = GELUTanh },
		"clip":           func(c *Config) { c.Activation, c.PreNorm, c.PatchBias, c.NormEps = QuickGELU, true, false, 1e-5 },
		"no qkv bias":    func(c *Config) { c.QKVBias = false },
		"pre-logits":     func(c *Config) { c.PreLogits, c.Representation = PreLogitsToken, 7 },
		"lukemelas 21k":  func(c *Config) { c.PreLogits, c.Representation = PreLogitsAll, 7 },
	}
}

// scrambled is a model whose every parameter is random and of a size that
// matters, norms and biases too.
func scrambled(t testing.TB, cfg Config, seed uint64) *Model {
	t.Helper()
	m, err := New(cfg, seed)
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(seed, 1))
	for _, p := range cfg.Parameters() {
		data := make([]float32, p.Len())
		for i := range data {
			data[i] = float32(r.NormFloat64()) * 0.4
			if strings.HasSuffix(p.Name, "/bn/var") {
				data[i] = 0.5 + data[i]*data[i]
			}
		}
		m.params[p.Name] = nn.Own(weights.NewTensor(p.Name, p.Shape, data))
	}
	return m
}

func TestForwardVariants(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles many models")
	}
	for name, change := range variants() {
		cfg := smallConfig()
		change(&cfg)
		m := scrambled(t, cfg, 7)
		ref := reference{t, m, cfg}
		shape := [4]int{2, 3, cfg.ImageSize[0], cfg.ImageSize[1]}
		images := pictures(shape)
		each := len(images) / 2
		want := []map[string][]float64{ref.run(images[:each]), ref.run(images[each:])}
		for _, b := range testBackends(t) {
			t.Run(name+"/"+b.Name(), func(t *testing.T) {
				r, err := NewRunner(b, m)
				if err != nil {
					t.Fatal(err)
				}
				defer r.Close()
				layers := cfg.AllLayers()
				out, err := r.Run(images, shape, Want{Logits: cfg.Classes > 0, PreLogits: true, Norm: true, Embeddings: true, Tokens: layers, Attention: layers})
				if err != nil {
					t.Fatal(err)
				}
				got := map[string]Array{"logits": out.Logits, "features": out.PreLogits, "norm": out.Norm, "embeddings": out.Embeddings}
				for i := range layers {
					got[fmt.Sprint("tokens_", i)], got[fmt.Sprint("attn_", i)] = out.Tokens[i], out.Attention[i]
				}
				for picture, values := range want {
					for key, w := range values {
						n := len(w)
						compare64(t, key, got[key].Values[picture*n:(picture+1)*n], w)
					}
				}
			})
		}
	}
}

// compare64 checks against float64 results, relative to their range.
func compare64(t *testing.T, name string, got []float32, want []float64) {
	t.Helper()
	worst, scale := 0.0, 0.0
	for i, w := range want {
		worst, scale = max(worst, math.Abs(float64(got[i])-w)), max(scale, math.Abs(w))
	}
	if !(worst <= parity*scale) {
		t.Errorf("%s: off by %.2g of its range", name, worst/scale)
	}
}

// Two passes in one graph share their weights, and a picture of another size
// than the configuration's is refused.
func TestForwardPanics(t *testing.T) {
	cfg := smallConfig()
	m := scrambled(t, cfg, 1)
	r, err := NewRunner(testBackends(t)[0], m)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	n, err := r.net([4]int{1, 3, 12, 12})
	if err != nil {
		t.Fatal(err)
	}
	n.config.ImageSize = [2]int{16, 12} // not what the pictures will be
	if _, err := r.Run(pictures([4]int{1, 3, 12, 12}), [4]int{1, 3, 12, 12}, Want{Logits: true}); err == nil {
		t.Error("a picture of the wrong size went through")
	}
}
