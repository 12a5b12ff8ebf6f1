package vit

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"gaze/pkg/weights"
)

// writeAs writes the model's weights as a file of a layout has them: the
// inverse of reading. Where the layout has two names for a thing, last picks the
// second; every name gets the prefix.
func writeAs(t testing.TB, m *Model, layout *table, last bool, prefix string) []*weights.Tensor {
	t.Helper()
	var list []*weights.Tensor
	for _, p := range m.Config.Parameters() {
		values, shape, err := m.Parameter(p.Name)
		if err != nil {
			t.Fatal(err)
		}
		ways := layout.rowsOf(p.Name)
		if len(ways) == 0 {
			t.Fatalf("layout %s has no name for %s", layout.layout, p.Name)
		}
		rows := ways[0]
		if last {
			rows = ways[len(ways)-1]
		}
		each := len(values) / len(rows)
		dims := slices.Clone(shape)
		dims[0] /= len(rows)
		for i, r := range rows {
			heads := 0
			if strings.Contains(p.Name, "/attn/") {
				heads = m.Config.Heads
			}
			data, dims := unfix(r.fix, values[i*each:(i+1)*each], dims, heads)
			list = append(list, weights.NewTensor(prefix+r.file, dims, data))
		}
	}
	return list
}

// unfix arranges torch's values as the fix expects to find them; heads, if not
// 0, are an axis of their own.
func unfix(f fix, v []float32, shape []int, heads int) ([]float32, []int) {
	switch f {
	case inFirst:
		out := make([]float32, len(v))
		transpose(out, v, shape[0], shape[1])
		if heads == 0 {
			return out, []int{shape[1], shape[0]}
		}
		return out, []int{shape[1], heads, shape[0] / heads}
	case outLast:
		out := make([]float32, len(v))
		transpose(out, v, shape[0], shape[1])
		return out, []int{heads, shape[1] / heads, shape[0]}
	case fromHWIO:
		o, i, h, w := shape[0], shape[1], shape[2], shape[3]
		out := make([]float32, len(v))
		for n := range out { // n counts through [h, w, i, o]
			oo, ii, ww, hh := n%o, n/o%i, n/o/i%w, n/o/i/w
			out[n] = v[((oo*i+ii)*h+hh)*w+ww]
		}
		return out, []int{h, w, i, o}
	}
	return v, shape
}

// layoutCase is a file of a layout with what may be in it.
type layoutCase struct {
	name   string
	table  *table
	last   bool
	prefix string
	change func(*Config)
	extra  []string // tensors that are to be ignored
}

func layoutCases() []layoutCase {
	flax := func(c *Config) { c.Activation = GELUTanh }
	return []layoutCase{
		{name: "lukemelas", table: &lukemelasTable},
		{name: "lukemelas 21k", table: &lukemelasTable, change: func(c *Config) { c.PreLogits, c.Representation = PreLogitsAll, 9 }},
		{name: "timm", table: &timmTable},
		{name: "timm in a wrapper", table: &timmTable, prefix: "module.backbone."},
		{name: "timm distilled", table: &timmTable, change: func(c *Config) { c.DistToken, c.Pool = true, PoolClassDist }},
		{name: "timm registers", table: &timmTable, change: func(c *Config) {
			c.Registers, c.Positions, c.LayerScale = 4, PositionsPatches, true
		}},
		{name: "timm registers with positions", table: &timmTable, change: func(c *Config) { c.Registers, c.Positions = 4, PositionsAll }},
		{name: "timm mean", table: &timmTable, change: func(c *Config) { c.Pool, c.PoolNorm, c.FinalNorm = PoolMean, true, false }},
		{name: "timm clip", table: &timmTable, change: func(c *Config) { c.PreNorm, c.PatchBias, c.NormEps = true, false, 1e-5 }},
		{name: "huggingface", table: &hfViTTable, prefix: "", change: func(c *Config) { c.NormEps = 1e-12 }},
		{name: "huggingface in memory", table: &hfViTTable, last: true, change: func(c *Config) { c.NormEps = 1e-12 }},
		{name: "huggingface deit", table: &hfDeiTTable, last: true, change: func(c *Config) {
			c.NormEps, c.DistToken, c.Pool = 1e-12, true, PoolClassDist
		}},
		{name: "huggingface dinov2", table: &hfDinov2Table, extra: []string{"embeddings.mask_token"}, change: func(c *Config) {
			c.LayerScale, c.Pool = true, PoolClassMean
		}},
		{name: "huggingface dinov2 giant", table: &hfDinov2Table, last: true, change: func(c *Config) {
			c.LayerScale, c.Pool, c.Registers, c.Activation = true, PoolClassMean, 4, SwiGLU
		}},
		{name: "dinov2", table: &dinov2Table, extra: []string{"mask_token"}, change: func(c *Config) { c.LayerScale, c.Classes = true, 0 }},
		{name: "dinov2 giant registers", table: &dinov2Table, last: true, extra: []string{"mask_token"}, change: func(c *Config) {
			c.LayerScale, c.Registers, c.Activation, c.Classes = true, 4, SwiGLU, 0
		}},
		{name: "torchvision", table: &torchvisionTable},
		{name: "torchvision before 0.13", table: &torchvisionTable, last: true, prefix: "module."},
		{name: "torchvision representation", table: &torchvisionTable, change: func(c *Config) { c.PreLogits, c.Representation = PreLogitsToken, 9 }},
		{name: "jeonsworld", table: &jeonsworldTable},
		{name: "jeonsworld in a wrapper", table: &jeonsworldTable, prefix: "model."},
		{name: "google", table: &googleTable, change: flax},
		{name: "google 21k", table: &googleTable, change: func(c *Config) {
			c.Activation, c.PreLogits, c.Representation = GELUTanh, PreLogitsToken, 9
		}},
		{name: "google optimiser state", table: &googleTable, prefix: "opt/target/", change: flax},
		{name: "big vision", table: &bigVisionTable, prefix: "params/", change: flax},
	}
}

// squareConfig has a width that tells its heads and a square grid that can't be
// taken for another with registers, so that the shapes tell all.
func squareConfig() Config {
	c := smallConfig()
	c.ImageSize, c.PatchSize = [2]int{16, 16}, [2]int{4, 4}
	c.Dim, c.Heads = 128, 2
	return c
}

func (c layoutCase) model(t testing.TB) *Model {
	t.Helper()
	cfg := squareConfig()
	if c.change != nil {
		c.change(&cfg)
	}
	return scrambled(t, cfg, 3)
}

func (c layoutCase) write(t testing.TB, m *Model, dir string) string {
	t.Helper()
	list := writeAs(t, m, c.table, c.last, c.prefix)
	for _, name := range c.extra {
		list = append(list, weights.NewTensor(c.prefix+name, []int{2}, []float32{1, 2}))
	}
	path := filepath.Join(dir, "model.safetensors")
	if err := weights.WriteSafetensors(path, list, nil); err != nil {
		t.Fatal(err)
	}
	return path
}

// Every layout's names lead back to the configuration and the values.
func TestLayouts(t *testing.T) {
	for _, c := range layoutCases() {
		t.Run(c.name, func(t *testing.T) {
			want := c.model(t)
			m, err := Load(c.write(t, want, t.TempDir()))
			if err != nil {
				t.Fatal(err)
			}
			defer m.Close()
			if m.Layout != c.table.layout {
				t.Errorf("taken for %s", m.Layout)
			}
			if !m.Config.Equal(want.Config) {
				t.Errorf("configuration\n%+v, want\n%+v", m.Config, want.Config)
			}
			for _, p := range want.Config.Parameters() {
				got, shape, err := m.Parameter(p.Name)
				expected, _, _ := want.Parameter(p.Name)
				if err != nil || !slices.Equal(shape, p.Shape) || !slices.Equal(got, expected) {
					t.Errorf("%s differs (%v)", p.Name, err)
				}
			}
			if len(m.Warnings) != 1 || !strings.Contains(m.Warnings[0], "config.json") {
				t.Errorf("warnings %q don't say what was assumed", m.Warnings)
			}
		})
	}
}

// DINOv2's chunked names: the second number is the block's.
func TestChunkedBlocks(t *testing.T) {
	c := layoutCases()[slices.IndexFunc(layoutCases(), func(c layoutCase) bool { return c.name == "dinov2" })]
	m := c.model(t)
	list := writeAs(t, m, c.table, c.last, "")
	for _, w := range list {
		for i := range m.Config.Depth {
			w.Name = strings.Replace(w.Name, fmt.Sprintf("blocks.%d.", i), fmt.Sprintf("blocks.%d.%d.", i/2, i), 1)
		}
	}
	path := filepath.Join(t.TempDir(), "model.safetensors")
	if err := weights.WriteSafetensors(path, append(list, weights.NewTensor("mask_token", []int{1, 1}, []float32{0})), nil); err != nil {
		t.Fatal(err)
	}
	got, err := Load(path)
	if err != nil {
		t.Fatal(err)
	}
	if got.Layout != DINOv2 || !got.Config.Equal(m.Config) {
		t.Errorf("taken for %s %+v", got.Layout, got.Config)
	}
}

// Files that aren't a Vision Transformer's, or not quite, are refused with the
// names that matter.
func TestLoadErrors(t *testing.T) {
	timm := layoutCases()[2]
	zeros := func(name string, shape ...int) *weights.Tensor {
		return weights.NewTensor(name, shape, make([]float32, product(shape)))
	}
	cases := []struct {
		name   string
		change func([]*weights.Tensor) []*weights.Tensor
		want   []string
	}{
		{"missing", func(l []*weights.Tensor) []*weights.Tensor {
			return slices.DeleteFunc(l, func(w *weights.Tensor) bool { return w.Name == "blocks.1.norm2.bias" })
		}, []string{"1 missing: blocks.1.norm2.bias", "timm"}},
		{"left over", func(l []*weights.Tensor) []*weights.Tensor {
			for i := range 9 {
				l = append(l, zeros(fmt.Sprintf("blocks.0.attn.extra_%d", i), 2))
			}
			return l
		}, []string{"9 left over: blocks.0.attn.extra_0", "and 3 more"}},
		{"a hole in the blocks", func(l []*weights.Tensor) []*weights.Tensor {
			return append(l, zeros("blocks.3.norm1.weight", 128))
		}, []string{"missing: blocks.2.norm1.weight"}},
		{"an absurd block", func(l []*weights.Tensor) []*weights.Tensor {
			return append(l, zeros("blocks.99999999999.norm1.weight", 128))
		}, []string{"left over: blocks.99999999999.norm1.weight"}},
		{"another shape", func(l []*weights.Tensor) []*weights.Tensor {
			return replace(l, zeros("blocks.1.mlp.fc1.bias", 7))
		}, []string{"1 of another shape: blocks.1.mlp.fc1.bias is [7], not [20]"}},
		{"no square", func(l []*weights.Tensor) []*weights.Tensor {
			return replace(l, zeros("pos_embed", 1, 8, 128))
		}, []string{"8 position embeddings", "image_size"}},
		{"flat patch embedding", func(l []*weights.Tensor) []*weights.Tensor {
			return replace(l, zeros("patch_embed.proj.weight", 128, 48))
		}, []string{"[128 48]"}},
		{"another network", func([]*weights.Tensor) []*weights.Tensor {
			return []*weights.Tensor{zeros("conv1.weight", 4, 3, 7, 7), zeros("bn1.bias", 4)}
		}, []string{"aren't those of a Vision Transformer", "2 left over: bn1.bias, conv1.weight"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "model.safetensors")
			if err := weights.WriteSafetensors(path, c.change(writeAs(t, timm.model(t), timm.table, false, "")), nil); err != nil {
				t.Fatal(err)
			}
			m, err := Load(path)
			if err == nil {
				t.Fatalf("loaded as %+v", m.Config)
			}
			for _, part := range append(c.want, path) {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("error %q doesn't say %q", err, part)
				}
			}
		})
	}
	if _, err := Load(filepath.Join(t.TempDir(), "nothing.safetensors")); !os.IsNotExist(unwrapAll(err)) {
		t.Errorf("no file: %v", err)
	}
}

func unwrapAll(err error) error {
	for {
		u, ok := err.(interface{ Unwrap() error })
		if !ok || u.Unwrap() == nil {
			return err
		}
		if os.IsNotExist(err) {
			return err
		}
		err = u.Unwrap()
	}
}

func replace(l []*weights.Tensor, w *weights.Tensor) []*weights.Tensor {
	for i := range l {
		if l[i].Name == w.Name {
			l[i] = w
		}
	}
	return l
}

// A part of a stacked parameter that isn't there is named as the file names its
// other parts.
func TestMissingPart(t *testing.T) {
	for last, want := range map[bool]string{false: "encoder.layer.1.attention.attention.key.bias", true: "layers.1.attention.k_proj.bias"} {
		c := layoutCase{table: &hfViTTable, last: last}
		list := slices.DeleteFunc(writeAs(t, c.model(t), c.table, last, "vit."), func(w *weights.Tensor) bool { return w.Name == "vit."+want })
		path := filepath.Join(t.TempDir(), "model.safetensors")
		if err := weights.WriteSafetensors(path, list, nil); err != nil {
			t.Fatal(err)
		}
		if _, err := Load(path); err == nil || !strings.Contains(err.Error(), "1 missing: "+want) {
			t.Errorf("error %v doesn't say that %s is missing", err, want)
		}
	}
}

// Two names of one thing in one file.
func TestDuplicatePlaces(t *testing.T) {
	c := layoutCase{table: &hfViTTable}
	m := c.model(t)
	list := writeAs(t, m, c.table, false, "")
	list = append(list, weights.NewTensor("layers.0.layernorm_before.bias", []int{128}, make([]float32, 128)))
	path := filepath.Join(t.TempDir(), "model.safetensors")
	if err := weights.WriteSafetensors(path, list, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(path); err == nil || !strings.Contains(err.Error(), "place already taken: layers.0.layernorm_before.bias") {
		t.Errorf("error: %v", err)
	}
}

// A NaN in a file is found and its tensor named, whatever the layout.
func TestNonFinite(t *testing.T) {
	for _, c := range []layoutCase{{table: &timmTable}, {table: &hfViTTable}, {table: &googleTable}} {
		m := c.model(t)
		list := writeAs(t, m, c.table, false, "")
		victim := list[len(list)/2]
		values, err := victim.Float32s()
		if err != nil {
			t.Fatal(err)
		}
		values[len(values)-1] = float32(math.NaN())
		path := filepath.Join(t.TempDir(), "model.safetensors")
		if err := weights.WriteSafetensors(path, list, nil); err != nil {
			t.Fatal(err)
		}
		loaded, err := Load(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, b := range testBackends(t) {
			if _, err := NewRunner(b, loaded); err == nil || !strings.Contains(err.Error(), victim.Name) || !strings.Contains(err.Error(), "NaN") {
				t.Errorf("%s on %s: error %v doesn't name %s", c.table.layout, b.Name(), err, victim.Name)
			}
		}
		if err := loaded.CheckFinite(); err == nil || !strings.Contains(err.Error(), victim.Name) {
			t.Errorf("%s: CheckFinite: %v", c.table.layout, err)
		}
	}
}

// No names make detection panic or lose count of them.
func FuzzDetect(f *testing.F) {
	for _, t := range tables {
		f.Add(t.anchor + "\n" + strings.ReplaceAll(t.rows[len(t.rows)/2].file, "#", "7"))
	}
	f.Add("blocks.0.11.attn.qkv.weight\nblocks.00.norm1.bias\nblocks..\n.patch_embed.proj.weight\n")
	f.Fuzz(func(t *testing.T, text string) {
		names := strings.Split(text, "\n")
		m := detect(names)
		if m.explained+len(m.unknown)+len(m.duplicate) != len(names) {
			t.Errorf("%d explained, %d unknown, %d duplicate of %d", m.explained, len(m.unknown), len(m.duplicate), len(names))
		}
		for ours := range m.found {
			m.fileName(ours)
			m.missingParts(ours)
		}
	})
}
