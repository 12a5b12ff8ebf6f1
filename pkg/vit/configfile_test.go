package vit

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"gaze/pkg/transform"
	"gaze/pkg/weights"
)

func write(t *testing.T, dir, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// loadWith loads a small timm model with a configuration file beside it.
func loadWith(t *testing.T, change func(*Config), name, text string) (*Model, error) {
	t.Helper()
	dir := t.TempDir()
	c := layoutCase{table: &timmTable, change: change}
	path := c.write(t, c.model(t), dir)
	write(t, dir, name, text)
	return Load(path)
}

func TestConfigFile(t *testing.T) {
	cases := []struct {
		name, text string
		check      func(Config) bool
	}{
		{"plain keys", `{"num_heads": 4, "eps": 1e-3, "patch_size": 4}`, func(c Config) bool { return c.Heads == 4 && c.NormEps == 1e-3 }},
		{"transformers", `{"num_attention_heads": 8, "layer_norm_eps": 1e-5, "hidden_act": "gelu_new", "image_size": 16}`,
			func(c Config) bool { return c.Heads == 8 && c.NormEps == 1e-5 && c.Activation == GELUTanh }},
		{"timm", `{"architecture": "vit_base_patch32_clip_quickgelu_224", "num_classes": 5, "model_args": {"num_heads": 16}, "global_pool": "avg"}`,
			func(c Config) bool {
				return c.Heads == 16 && c.Activation == QuickGELU && c.NormEps == 1e-5 && c.Pool == PoolMean
			}},
		{"exact gelu", `{"act_layer": "gelu", "global_pool": "token"}`, func(c Config) bool { return c.Activation == GELU && c.Heads == 2 }},
		{"quick", `{"activation": "quick_gelu"}`, func(c Config) bool { return c.Activation == QuickGELU }},
		{"rectangle", `{"image_size": [8, 32]}`, func(c Config) bool { return c.Grid() == [2]int{2, 8} }},
		{"timm's size", `{"pretrained_cfg": {"input_size": [3, 32, 8]}}`, func(c Config) bool { return c.Grid() == [2]int{8, 2} }},
		{"a size of fine-tuning", `{"image_size": 384}`, func(c Config) bool { return c.Grid() == [2]int{4, 4} }},
		{"nulls", `{"image_size": null, "num_heads": null, "act_layer": null}`, func(c Config) bool { return c.Grid() == [2]int{4, 4} && c.Heads == 2 }},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			m, err := loadWith(t, nil, "config.json", c.text)
			if err != nil {
				t.Fatal(err)
			}
			if !c.check(m.Config) {
				t.Errorf("%+v", m.Config)
			}
			assumed := !strings.Contains(c.text, "heads\": ") || strings.Contains(c.text, "heads\": null")
			all := strings.Join(m.Warnings, "\n")
			if said := strings.Contains(all, "config.json doesn't say how many heads: took 2 heads"); said != assumed || len(m.Warnings) > 1 || all != "" && !said {
				t.Errorf("warnings %q with a configuration file there", m.Warnings)
			}
		})
	}
}

func TestConfigFileErrors(t *testing.T) {
	for text, want := range map[string]string{
		`{`:                             "not a JSON object",
		`[1]`:                           "not a JSON object",
		`{"hidden_size": 768}`:          "hidden_size 768, the tensors say 128",
		`{"depth": 3}`:                  "the tensors say 2",
		`{"num_channels": 1}`:           "num_channels 1, the tensors say 3",
		`{"in_chans": "3"}`:             `in_chans is "3", where a number`,
		`{"patch_size": 16}`:            "the tensors say [4 4]",
		`{"num_heads": 0}`:              "config.json says num_heads is 0, where a whole number above 0 should be",
		`{"num_heads": 2.5}`:            "num_heads is 2.5",
		`{"heads": true}`:               "heads is true",
		`{"num_attention_heads": "2"}`:  `num_attention_heads is "2", where`,
		`{"hidden_size": "128"}`:        `hidden_size is "128", where a number should be`,
		`{"hidden_act": 3}`:             "hidden_act is 3, where a text should be",
		`{"image_size": [1e99, -4]}`:    "image_size is [1e+99,-4], where a size",
		`{"patch_size": {"height": 4}}`: `patch_size is {"height":4}, where a size`,
		`{"image_size": "` + strings.Repeat("9", 100) + `"}`: "999…, where",
		`{"pretrained_cfg": {"input_size": [3, 32]}}`:        "input_size is [3,32], where [channels",
		`{"num_heads": 3}`:         "3 heads don't divide",
		`{"hidden_act": "relu"}`:   `activation "relu"`,
		`{"global_pool": "map"}`:   `pooling "map"`,
		`{"layer_norm_eps": -0.1}`: "epsilon",
	} {
		m, err := loadWith(t, nil, "config.json", text)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v doesn't say %q (%v)", text, err, want, m)
		}
	}
	odd := func(c *Config) { c.Dim, c.Heads = 40, 2 }
	if _, err := loadWith(t, odd, "config.json", `{"eps": 1e-6}`); err == nil || !strings.Contains(err.Error(), "add num_attention_heads to ") {
		t.Errorf("of a file without heads: %v", err)
	}
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "config.json"), 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := readConfigFile(dir); err == nil {
		t.Error("a folder went for a configuration file")
	}
}

func TestLabels(t *testing.T) {
	for text, want := range map[string][]string{
		`{"id2label": {"0": "cat", "1": "dog", "2": "cow", "3": "hen", "4": "sow"}}`: {"cat", "dog", "cow", "hen", "sow"},
		`{"label_names": ["a", "b", "c", "d", "e"]}`:                                 {"a", "b", "c", "d", "e"},
		`{"label_names": ["a", "b", "c", "d", 5]}`:                                   nil,
		`{"id2label": {"0": "cat", "1": "dog"}}`:                                     nil, // another number of classes
		`{"id2label": {"0": "a", "1": "b", "2": "c", "3": "d", "x": "e"}}`:           nil,
		`{"id2label": {"0": "LABEL_0", "1": "b", "2": "c", "3": "d", "4": "e"}}`:     nil,
	} {
		m, err := loadWith(t, nil, "config.json", text)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(m.Labels, want) {
			t.Errorf("%s: %q, want %q", text, m.Labels, want)
		}
		if d := m.Describe(); !slices.Equal(d.Labels, want) || d.Format != "safetensors" || d.Layout != Timm || d.Pooling != "class" {
			t.Errorf("described as %+v", d)
		}
	}
}

func TestDefaultPipelines(t *testing.T) {
	square := func(size int, change func(*Config)) Config {
		c := benchConfig()
		c.ImageSize = [2]int{size, size}
		if change != nil {
			change(&c)
		}
		return c
	}
	const half, imagenet = " | totensor | normalize(0.5,0.5)", " | totensor | normalize([0.485,0.456,0.406],[0.229,0.224,0.225])"
	cases := []struct {
		layout Layout
		config Config
		want   string
	}{
		{Lukemelas, square(384, nil), "resize(384,384,bilinear)" + half},
		{GoogleNPZ, square(224, nil), "resize(224,224,bilinear)" + half},
		{HFViT, square(224, nil), "resize(224,224,bilinear)" + half},
		{HFDinov2, square(518, nil), "background(255) | resize(256,bicubic) | centercrop(224,floor)" + imagenet},
		{DINOv2, square(518, nil), "resize(256,bicubic) | centercrop(224)" + imagenet},
		{HFDeiT, square(224, nil), "resize(256,256,bicubic) | centercrop(224,floor)" + imagenet},
		{Timm, square(224, nil), "resize(248,bicubic) | centercrop(224)" + half},
		{Timm, square(384, nil), "resize(384,bicubic) | centercrop(384)" + half},
		{Timm, square(224, func(c *Config) { c.DistToken = true }), "resize(248,bicubic) | centercrop(224)" + imagenet},
		{Timm, square(518, func(c *Config) { c.LayerScale = true }), "resize(518,bicubic) | centercrop(518)" + imagenet},
		{Timm, square(224, func(c *Config) { c.ImageSize[1] = 448 }), "resize(248,497,bicubic,cover) | centercrop(224,448)" + half},
		{Timm, square(224, func(c *Config) { c.Channels = 1 }), "grayscale(1) | resize(248,bicubic) | centercrop(224)" + half},
		{HFDinov2, square(518, func(c *Config) { c.Channels = 1 }), "grayscale(1) | resize(256,bicubic) | centercrop(224,floor)" + half},
	}
	for _, c := range cases {
		if got := defaultPipeline(c.layout, c.config); got != c.want {
			t.Errorf("%s: %q, want %q", c.layout, got, c.want)
		}
		if _, err := transform.Parse(c.want); err != nil {
			t.Errorf("%s: %v", c.layout, err)
		}
	}
}

func TestTimmPipeline(t *testing.T) {
	m, err := loadWith(t, nil, "config.json", `{"pretrained_cfg": {"crop_pct": 0.875, "interpolation": "bilinear", "mean": [0.1, 0.2, 0.3], "std": [1, 2, 3]}}`)
	if err != nil {
		t.Fatal(err)
	}
	if want := "resize(18,bilinear) | centercrop(16) | totensor | normalize([0.1,0.2,0.3],[1,2,3])"; m.Pipeline() != want {
		t.Errorf("%q, want %q", m.Pipeline(), want)
	}
}

func TestHFPipeline(t *testing.T) {
	stats := `"image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5]`
	cases := []struct{ text, want string }{
		{`{"size": 224, "resample": 2, "do_resize": true, ` + stats + `}`, "resize(224,224,bilinear) | totensor | normalize(0.5,0.5)"},
		{`{"size": {"height": 16, "width": 32}, "resample": 3, ` + stats + `}`, "resize(16,32,bicubic) | totensor | normalize(0.5,0.5)"},
		{`{"size": {"shortest_edge": 256}, "resample": 3, "do_center_crop": true, "crop_size": {"height": 224, "width": 224}, "image_mean": [0.485, 0.456, 0.406], "image_std": [0.229, 0.224, 0.225]}`,
			"resize(256,bicubic) | centercrop(224,floor) | totensor | normalize([0.485,0.456,0.406],[0.229,0.224,0.225])"},
		{`{"size": 256, "do_center_crop": true, "crop_size": 224, "resample": 1, "do_normalize": false}`, "resize(256,256,lanczos) | centercrop(224,floor) | totensor"},
		{`{"do_resize": false, "do_normalize": false}`, "totensor"},
		{`{"size": 224, ` + stats + `}`, "resize(224,224,bilinear) | totensor | normalize(0.5,0.5)"},
		{`{"size": "big"}`, `size is "big"`},
		{`{"size": {"longest_edge": 4}}`, "longest_edge"},
		{`{"size": 224, "resample": 5, ` + stats + `}`, "resize(224,224,hamming) | totensor | normalize(0.5,0.5)"},
		{`{"size": 224, "resample": 6, ` + stats + `}`, "resample is 6"},
		{`{"size": 224, "do_center_crop": true, "crop_size": [224, 200]}`, "resize(224,224,bilinear) | centercrop(224,200,floor) | totensor | normalize(0.5,0.5)"},
		{`{"size": 224}`, "resize(224,224,bilinear) | totensor | normalize(0.5,0.5)"},
	}
	for _, c := range cases {
		dir := t.TempDir()
		lc := layoutCase{table: &hfViTTable}
		path := lc.write(t, lc.model(t), dir)
		write(t, dir, "preprocessor_config.json", c.text)
		m, err := Load(path)
		if err != nil {
			t.Fatal(err)
		}
		_, err = m.Preprocessing()
		got := ""
		if err != nil {
			if got = err.Error(); !strings.Contains(got, "preprocessor_config.json") {
				t.Errorf("error %q doesn't name the file", got)
			}
		} else {
			got = m.Pipeline()
			if _, err := transform.Parse(got); err != nil {
				t.Error(err)
			}
		}
		if err == nil && got != c.want || !strings.Contains(got, c.want) {
			t.Errorf("%s: %q, want %q", c.text, got, c.want)
		}
	}
	if _, err := loadWith(t, nil, "preprocessor_config.json", "{"); err == nil {
		t.Error("a damaged preprocessor_config.json went through")
	}
}

// checkRead makes sure that a file gave an error or a pipeline that can be run.
func checkRead(t *testing.T, text string, p transform.Pipeline, err error) {
	t.Helper()
	if err != nil {
		return
	}
	if again, err := transform.Parse(p.String()); err != nil || again.String() != p.String() {
		t.Errorf("%s gives %s, which reads as %s, %v", text, p, again, err)
	}
	if c, _, _, _ := (append(transform.Pipeline{transform.ResizeTo{Height: 9, Width: 9}}, p...)).OutputSize(); c != 3 && c != 0 {
		t.Errorf("%s gives %d channels", text, c)
	}
}

// Nothing that a configuration file may say makes loading panic, or gives a
// configuration that can't be run.
func FuzzConfigFile(f *testing.F) {
	f.Add(`{"num_heads": 4, "model_args": {"img_size": [4, 8]}, "pretrained_cfg": {"input_size": [3, 1]}}`)
	f.Add(`{"id2label": {"0": 3}, "hidden_act": 7, "image_size": 1e300, "patch_size": [4, 4]}`)
	f.Add(`{"size": {"height": -1}, "crop_size": [], "image_mean": [0], "image_std": [1e-400]}`)
	shapes := shapesOf{}
	cfg, colours := squareConfig(), squareConfig()
	colours.Channels = 3
	for _, p := range cfg.Parameters() {
		shapes[p.Name] = p.Shape
	}
	f.Fuzz(func(t *testing.T, text string) {
		dir := t.TempDir()
		write(t, dir, "config.json", text)
		conf, err := readConfigFile(dir)
		if err != nil {
			return
		}
		c, _, _, err := inferConfig(&timmTable, shapes, conf)
		if err != nil {
			return
		}
		if err := c.Validate(); err != nil {
			t.Errorf("%s gives %v", text, err)
		}
		if l := conf.labels(c.Classes); l != nil && len(l) != c.Classes {
			t.Errorf("%d labels for %d classes", len(l), c.Classes)
		}
		for _, layout := range []Layout{HFViT, HFDeiT, HFDinov2, Timm} {
			p, err := hfPipeline(conf.values, layout, colours, conf)
			checkRead(t, text, p, err)
		}
		p, _, err := timmPipeline(colours, conf)
		checkRead(t, text, p, err)
	})
}

// The vision tower of a model of two is described in a section of its own, and
// can't be run without: nothing else tells its activation.
func TestConfigSection(t *testing.T) {
	dir := t.TempDir()
	data, err := os.ReadFile(filepath.Join("testdata", "hf_clip", "weights.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	write(t, dir, "model.safetensors", string(data))
	if _, err := Load(dir); err == nil || !strings.Contains(err.Error(), "config.json, with hidden_act") {
		t.Errorf("without a file: %v", err)
	}
	write(t, dir, "config.json", `{"hidden_size": 7, "text_config": {"hidden_act": "gelu", "hidden_size": 9}, "vision_config": {"hidden_act": "quick_gelu", "num_attention_heads": 2, "hidden_size": 16}}`)
	m, err := Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	if m.Config.Activation != QuickGELU || m.Config.Heads != 2 || m.Layout != HFCLIP {
		t.Errorf("%s: %+v", m.Layout, m.Config)
	}
	write(t, dir, "config.json", `{"hidden_act": "gelu", "vision_config": {"hidden_size": 16}}`)
	if _, err := Load(dir); err == nil || !strings.Contains(err.Error(), "hidden_act") {
		t.Errorf("a section without an activation: %v", err)
	}
}

// What a file doesn't say is what its owner's code takes then: transformers the model
// type's defaults (5.23.0), timm the architecture's (1.0.31).
func TestConfigUnsaid(t *testing.T) {
	clip, err := os.ReadFile(filepath.Join("testdata", "hf_siglip", "weights.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		text       string
		activation Activation
		eps        float64
	}{
		{`{"model_type": "siglip", "vision_config": {"num_attention_heads": 2}}`, GELUTanh, 1e-6},
		{`{"vision_config": {"model_type": "siglip_vision_model", "num_attention_heads": 2}}`, GELUTanh, 1e-6},
		{`{"model_type": "siglip_vision_model", "num_attention_heads": 2}`, GELUTanh, 1e-6},
		{`{"model_type": "clip", "vision_config": {"num_attention_heads": 2}}`, QuickGELU, 1e-5},
		{`{"model_type": "clip", "vision_config": {"num_attention_heads": 2, "hidden_act": "gelu", "layer_norm_eps": 1e-4}}`, GELU, 1e-4},
		{`{"model_type": "clip", "vision_config": {"num_attention_heads": 2, "hidden_act": null}}`, QuickGELU, 1e-5},
	} {
		dir := t.TempDir()
		write(t, dir, "model.safetensors", string(clip))
		write(t, dir, "config.json", c.text)
		m, err := Load(dir)
		if err != nil {
			t.Errorf("%s: %v", c.text, err)
			continue
		}
		if m.Config.Activation != c.activation || m.Config.NormEps != c.eps || m.Config.Heads != 2 {
			t.Errorf("%s: %s, %g, %d heads", c.text, m.Config.Activation, m.Config.NormEps, m.Config.Heads)
		}
		m.Close()
	}
	for _, c := range []struct {
		text       string
		dim        int
		heads      int
		activation Activation
		eps        float64
	}{
		{`{"model_type": "vit"}`, 384, 12, GELU, 1e-12},
		{`{"model_type": "dinov2"}`, 384, 12, GELU, 1e-6},
		{`{"model_type": "vit"}`, 1024, 0, GELU, 1e-12}, // transformers couldn't load it
		{`{"model_type": "vit", "num_attention_heads": 6, "hidden_act": "gelu_python_tanh"}`, 384, 6, GELUTanh, 1e-12},
		{`{"model_type": "vit", "hidden_act": "gelu_python"}`, 384, 12, GELU, 1e-12},
		{`{"model_type": "another"}`, 384, 0, GELU, 1e-3},
		{`{"architecture": "vit_base_patch16_224"}`, 768, 0, GELU, 1e-6},
		{`{"architecture": "test_vit"}`, 64, 2, GELU, 1e-6},
		{`{"architecture": "test_vit3", "model_args": {"num_heads": 6}}`, 96, 6, GELU, 1e-6},
		{`{"architecture": "vit_base_patch16_gap_224"}`, 768, 16, GELU, 1e-6},
		{`{"architecture": "vit_so400m_patch16_siglip_gap_384"}`, 1152, 0, GELUTanh, 1e-6},
		{`{"architecture": "vit_so400m_patch14_siglip_384"}`, 1152, 0, GELU, 1e-6},
		{`{"architecture": "vit_giantopt_patch16_siglip_256"}`, 1536, 16, GELUTanh, 1e-6},
		{`{"architecture": "vit_large_patch14_clip_quickgelu_224"}`, 1024, 0, QuickGELU, 1e-5},
	} {
		dir := t.TempDir()
		write(t, dir, "config.json", c.text)
		f, err := readConfigFile(dir)
		if err != nil {
			t.Fatal(err)
		}
		f, err = f.inSection(&hfViTTable)
		if err != nil {
			t.Fatal(err)
		}
		got := Config{Dim: c.dim, NormEps: 1e-3}
		if err := f.apply(&got); err != nil || got.Heads != c.heads || got.Activation != c.activation || got.NormEps != c.eps {
			t.Errorf("%s: %d heads, %s, %g (%v)", c.text, got.Heads, got.Activation, got.NormEps, err)
		}
	}
}

// Files names what Load reads: the weights, and configurations that may be there.
func TestFiles(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "model.safetensors")
	if err := weights.WriteSafetensors(path, named(t, timmModel(t, 3), ""), nil); err != nil {
		t.Fatal(err)
	}
	for _, asked := range []string{path, dir} {
		want := []string{path, filepath.Join(dir, "config.json"), filepath.Join(dir, "processor_config.json"), filepath.Join(dir, "preprocessor_config.json")}
		if got := Files(asked); !slices.Equal(got, want) {
			t.Errorf("%s: %q", asked, got)
		}
	}
}
