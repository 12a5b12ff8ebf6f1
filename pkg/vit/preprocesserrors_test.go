package vit

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gaze/pkg/transform"
)

// reading is the pipeline of files beside a model for 32×32 pictures, its error and
// the warnings about it.
func reading(t *testing.T, layout Layout, channels int, files map[string]string) (p transform.Pipeline, warnings []string, err error) {
	t.Helper()
	m, err := preprocessCase{Layout: layout, Channels: channels, Size: [2]int{32, 32}, Files: files}.model(t)
	if err != nil {
		return nil, nil, err
	}
	p, err = m.Preprocessing()
	if (err == nil) != (m.Pipeline() != "") {
		t.Errorf("pipeline %q with the error %v", m.Pipeline(), err)
	}
	return p, m.PipelineWarnings, err
}

// What isn't carried out is an error that names the file and the key and says what
// to do.
func TestProcessorErrors(t *testing.T) {
	for _, c := range []struct{ text, says string }{
		{`{"crop_ptc": 1}`, `the key "crop_ptc" isn't known`},
		{`{"size_divisor": 32}`, "size_divisor is 32, which a ViTImageProcessor doesn't carry out"},
		{`{"do_flip_channel_order": true}`, "do_flip_channel_order is true"},
		{`{"rescale_offset": true}`, "rescale_offset is true"},
		{`{"offset": true}`, "offset is true"},
		{`{"max_size": 100}`, "max_size is 100"},
		{`{"crop_pct": 0.9}`, "crop_pct is 0.9, which a ViTImageProcessor"},
		{`{"use_square_size": true}`, "use_square_size is true, which a ViTImageProcessor"},
		{`{"do_resize": 1}`, "do_resize is 1, where true or false should be"},
		{`{"do_center_crop": "yes"}`, `do_center_crop is "yes"`},
		{`{"do_rescale": "yes"}`, `do_rescale is "yes"`},
		{`{"do_normalize": []}`, "do_normalize is []"},
		{`{"do_convert_rgb": 2}`, "do_convert_rgb is 2"},
		{`{"do_pad": 2}`, "do_pad is 2"},
		{`{"default_to_square": 2, "size": 224}`, "default_to_square is 2"},
		{`{"size": -1}`, "size is -1, where a size should be"},
		{`{"size": 2.5}`, "size is 2.5"},
		{`{"size": 1e300}`, "size is 1e300"},
		{`{"size": [1]}`, "size is [1]"},
		{`{"size": [1, 2, 3]}`, "size is [1,2,3]"},
		{`{"size": true}`, "size is true"},
		{`{"size": {"height": 4, "width": "4"}}`, `size is {"height":4,"width":"4"}`},
		{`{"size": {"height": 4, "width": null}}`, `size is {"height":4,"width":null}`},
		{`{"size": {"height": 9000, "width": 9000}}`, "must lie between 1 and 8192"},
		{`{"size": 30000}`, "must lie between 1 and 8192"},
		{`{"resample": "bicubic"}`, `resample is "bicubic", where one of PIL's numbers`},
		{`{"resample": true}`, "resample is true"},
		{`{"resample": -1}`, "resample is -1"},
		{`{"resample": 2.5}`, "resample is 2.5"},
		{`{"do_center_crop": true, "crop_size": {"shortest_edge": 4}}`, `crop_size is {"shortest_edge":4}, where height and width`},
		{`{"do_center_crop": true, "crop_size": "big"}`, `crop_size is "big"`},
		{`{"do_center_crop": true}`, "crop_size is null"},
		{`{"rescale_factor": 0}`, "rescale_factor is 0, where a number above 0"},
		{`{"rescale_factor": -1}`, "rescale_factor is -1"},
		{`{"rescale_factor": "1/255"}`, `rescale_factor is "1/255"`},
		{`{"rescale_factor": 1e300}`, "must lie between"},
		{`{"image_mean": [0.5, 0.5]}`, "image_mean is [0.5,0.5]"},
		{`{"image_mean": [0.5, 0.5, "x"]}`, `image_mean is [0.5,0.5,"x"]`},
		{`{"image_std": [0.5, 0, 0.5]}`, "no deviation 0"},
		{`{"image_std": [0.5, 1e-60, 0.5]}`, "no deviation 0"},
		{`{"image_std": 1e300}`, "image_std is 1e+300"},
		{`{"image_mean": {}}`, "image_mean is {}"},
		{`{"size": {"shortest_edge": 8}, "do_pad": true}`, "do_pad pads pictures to the largest one of a batch"},
		{`{"do_pad": true, "pad_size": 300}`, "pads pictures of 224×224 to a pad_size of 300"},
		{`{"do_pad": true, "pad_size": "x"}`, `pad_size is "x"`},
		{`{"image_processor_type": "DINOv3ViTImageProcessorFast"}`, `image_processor_type is "DINOv3ViTImageProcessorFast", which Gaze can't carry out (it can: ViTImageProcessor, DeiT`},
		{`{"image_processor_type": 3}`, "image_processor_type is 3"},
		{`{"feature_extractor_type": "DPTFeatureExtractor"}`, `feature_extractor_type is "DPTFeatureExtractor"`},
		{`{"image_processor_type": "ConvNextImageProcessor", "size": 224, "crop_pct": "x"}`, `crop_pct is "x"`},
		{`{"image_processor_type": "ConvNextImageProcessor", "size": 224, "crop_pct": 1000}`, "crop_pct is 1000"},
		{`{"image_processor_type": "ConvNextImageProcessor", "size": 224, "crop_pct": 1e-30}`, "must lie between"},
		{`{"image_processor_type": "ConvNextImageProcessor", "size": {"height": 224, "width": 224}}`, "shortest_edge alone should be"},
	} {
		p, _, err := reading(t, HFViT, 3, map[string]string{"preprocessor_config.json": c.text})
		if err == nil {
			t.Errorf("%s is carried out as %s", c.text, p)
			continue
		}
		for _, says := range []string{c.says, "preprocessor_config.json: ", "(--pipeline, in Go WithPipeline)"} {
			if !strings.Contains(err.Error(), says) {
				t.Errorf("%s: error %q doesn't say %q", c.text, err, says)
			}
		}
	}
}

// Keys of other classes that are off, and those that change no number, are passed
// over.
func TestHarmlessKeys(t *testing.T) {
	const want = "resize(224,224,bilinear) | totensor | normalize(0.5,0.5)"
	for _, known := range processorKeys {
		key := known.key
		for _, value := range []string{"null", "false", `"x"`, `{"a": [1]}`} {
			if off := value == "null" || value == "false"; known.role == obeyed || known.role == foreign && !off {
				continue
			}
			p, warnings, err := reading(t, HFViT, 3, map[string]string{"preprocessor_config.json": `{"` + key + `": ` + value + `}`})
			if err != nil || p.String() != want || len(warnings) > 0 {
				t.Errorf("%s %s: %s, %q, %v", key, value, p, warnings, err)
			}
		}
	}
}

// What timm doesn't carry out, or would pass over, is an error.
func TestPretrainedErrors(t *testing.T) {
	for _, c := range []struct{ cfg, says string }{
		{`"crop_mode": "centre"`, `crop_mode is "centre", where center, squash or border should be`},
		{`"crop_mode": 3`, "crop_mode is 3"},
		{`"crop_pct": "x"`, `crop_pct is "x"`},
		{`"crop_pct": -0.9`, "crop_pct is -0.9"},
		{`"crop_pct": 1e9`, "leaves nothing of a size of 32"},
		{`"crop_pct": 1e-9`, "leaves nothing of a size of 32"},
		{`"crop_pct": 1e-4`, "must lie between 1 and 8192"},
		{`"interpolation": "random"`, `interpolation is "random"`},
		{`"interpolation": 3`, "interpolation is 3"},
		{`"mean": [0.5, 0.5]`, "mean is [0.5,0.5], where a number or a list of 3 should be"},
		{`"mean": "0.5"`, `mean is "0.5"`},
		{`"mean": 0.5, "crop_mode": "border"`, "mean is 0.5, where a list should be for the crop mode border"},
		{`"std": [1, 0, 1]`, "std is [1,0,1], where a number or a list of 3 should be, none of them 0"},
		{`"mean": [2, 0, 0], "crop_mode": "border"`, "a mean of 2 is no colour"},
		{`"input_size": [4, 32, 32]`, "pictures of 4 channels are asked for, the weights take 3"},
		{`"input_size": ["x", 32, 32]`, `input_size is ["x",32,32]`},
		{`"fixed_input_size": "x"`, `fixed_input_size is "x"`},
		{`"crop_ptc": 0.9`, `the key "crop_ptc" of pretrained_cfg isn't known`},
	} {
		p, _, err := reading(t, Timm, 3, map[string]string{"config.json": `{"architecture": "vit_tiny_patch16_224", "pretrained_cfg": {` + c.cfg + `}}`})
		if err == nil {
			t.Errorf("%s is carried out as %s", c.cfg, p)
			continue
		}
		for _, says := range []string{c.says, "config.json: ", "--pipeline"} {
			if !strings.Contains(err.Error(), says) {
				t.Errorf("%s: error %q doesn't say %q", c.cfg, err, says)
			}
		}
	}
	for text, says := range map[string]string{
		`{"architecture": "x", "mean": [0.5], "crop_ptc": 1}`:                                  `the key "crop_ptc"`,
		`{"pretrained_cfg": {"mean": [0.5]}, "model_args": {"in_chans": 1}}`:                   "pictures of 1 channels are asked for, the weights take 3",
		`{"pretrained_cfg": {"mean": [0.5]}, "model_args": {"in_chans": "x"}}`:                 `in_chans of model_args is "x"`,
		`{"pipeline": "resize(224"}`:                                                           "never closed",
		`{"pipeline": "resize(224)", "pretrained_cfg": {"crop_mode": 1}}`:                      "", // the pipeline goes first
		`{"architecture": "x", "mean": [0.5], "num_heads": 3, "global_pool": "avg", "dim": 9}`: "", // keys of the model
	} {
		if _, _, err := reading(t, Timm, 3, map[string]string{"config.json": text}); (err == nil) != (says == "") || err != nil && !strings.Contains(err.Error(), says) {
			t.Errorf("%s: error %v, want one that says %q", text, err, says)
		}
	}
}

// Which of several files counts, and what is said of the others.
func TestPreprocessingSources(t *testing.T) {
	processor := func(size string) string { return `{"image_processor_type": "ViTImageProcessor", "size": ` + size + `}` }
	const rest = ",bilinear) | totensor | normalize(0.5,0.5)"
	for _, c := range []struct {
		name   string
		layout Layout
		files  map[string]string
		want   string
		warns  string // part of the only warning; none if empty
	}{
		{"none", HFViT, nil, "resize(32,32" + rest, ""},
		{"a processor", HFViT, map[string]string{"preprocessor_config.json": processor("9")}, "resize(9,9" + rest, ""},
		{"a processor beside other weights", Lukemelas, map[string]string{"preprocessor_config.json": processor("9")}, "resize(9,9" + rest, ""},
		{"a processor beside timm's weights", Timm, map[string]string{"preprocessor_config.json": processor("9")}, "resize(9,9" + rest, ""},
		{"nested", HFViT, map[string]string{"processor_config.json": `{"image_processor": ` + processor("9") + `}`}, "resize(9,9" + rest, ""},
		{"nested and alike", HFViT, map[string]string{"processor_config.json": `{"image_processor": ` + processor("9") + `}`, "preprocessor_config.json": processor("[9, 9]")}, "resize(9,9" + rest, ""},
		{"nested and another", HFViT, map[string]string{"processor_config.json": `{"image_processor": ` + processor("9") + `}`, "preprocessor_config.json": processor("8")},
			"resize(9,9" + rest, "preprocessor_config.json isn't used: processor_config.json says"},
		{"nested and a wrong one", HFViT, map[string]string{"processor_config.json": `{"image_processor": ` + processor("9") + `}`, "preprocessor_config.json": processor("-8")},
			"resize(9,9" + rest, "preprocessor_config.json isn't used"},
		{"nested null", HFViT, map[string]string{"processor_config.json": `{"image_processor": null}`, "preprocessor_config.json": processor("8")}, "resize(8,8" + rest, ""},
		{"timm's own", Timm, map[string]string{"config.json": `{"architecture": "x", "pretrained_cfg": {"crop_mode": "squash", "crop_pct": 1, "mean": [0.5], "std": [0.5]}}`, "preprocessor_config.json": processor("8")},
			"resize(32,32,bicubic) | totensor | normalize(0.5,0.5)", "preprocessor_config.json isn't used: config.json says"},
		{"timm's that says nothing", Timm, map[string]string{"config.json": `{"architecture": "x", "pretrained_cfg": {}}`, "preprocessor_config.json": processor("8")}, "resize(8,8" + rest, ""},
		{"the model's class", Lukemelas, map[string]string{"config.json": `{"model_type": "deit"}`, "preprocessor_config.json": `{"size": 9, "crop_size": 8}`},
			"resize(9,9,bicubic) | centercrop(8,floor) | totensor | normalize(0.5,0.5)", ""},
		{"the model's class by name", Lukemelas, map[string]string{"config.json": `{"image_processor_type": "DeiTFeatureExtractor"}`, "preprocessor_config.json": `{"size": 9, "crop_size": 8}`},
			"resize(9,9,bicubic) | centercrop(8,floor) | totensor | normalize(0.5,0.5)", ""},
		{"Gaze's own", HFViT, map[string]string{"config.json": `{"pipeline": "resize(7,7) | totensor"}`, "preprocessor_config.json": processor("8")},
			"resize(7,7,bilinear) | totensor", "preprocessor_config.json isn't used"},
	} {
		p, warnings, err := reading(t, c.layout, 3, c.files)
		if err != nil || p.String() != c.want {
			t.Errorf("%s: %s, %v; want %s", c.name, p, err, c.want)
		}
		if len(warnings) > 1 || (len(warnings) == 1) != (c.warns != "") || len(warnings) == 1 && !strings.Contains(warnings[0], c.warns) {
			t.Errorf("%s: warnings %q, want %q", c.name, warnings, c.warns)
		}
	}
	for text, says := range map[string]string{
		`{"size": 9}`: "image_processor_type is missing, and the weights aren't transformers' own",
		`{"size": 9, "image_processor_type": null, "feature_extractor_type": null}`: "image_processor_type is missing",
	} {
		if _, _, err := reading(t, Lukemelas, 3, map[string]string{"preprocessor_config.json": text}); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: error %v, want one that says %q", text, err, says)
		}
	}
	for _, name := range []string{"processor_config.json", "preprocessor_config.json"} { // damaged ones are errors of loading
		for _, text := range []string{`{`, `[1]`, ``} {
			if _, _, err := reading(t, HFViT, 3, map[string]string{name: text}); err == nil || !strings.Contains(err.Error(), name) {
				t.Errorf("%s %q: %v", name, text, err)
			}
		}
	}
	if _, _, err := reading(t, HFViT, 3, map[string]string{"processor_config.json": `{"image_processor": 3}`}); err == nil || !strings.Contains(err.Error(), "image_processor is 3") {
		t.Errorf("a nested number: %v", err)
	}
	if _, _, err := reading(t, HFViT, 4, map[string]string{"preprocessor_config.json": processor("8")}); err == nil || !strings.Contains(err.Error(), "the model takes 4") {
		t.Errorf("four channels: %v", err)
	}
}

// A model for grey pictures says that means for colours are averaged.
func TestGreyWarning(t *testing.T) {
	p, warnings, err := reading(t, Timm, 1, map[string]string{"config.json": `{"pretrained_cfg": {"input_size": [1, 32, 32], "crop_pct": 1, "mean": [0.25, 0.5, 0.75], "std": [0.5]}}`})
	if want := "grayscale(1) | resize(32,bicubic) | centercrop(32) | totensor | normalize(0.5,0.5)"; err != nil || p.String() != want {
		t.Errorf("%s, %v; want %s", p, err, want)
	}
	if len(warnings) != 1 || !strings.Contains(warnings[0], "the mean of 3 channels is averaged") {
		t.Errorf("warnings %q", warnings)
	}
}

// A model whose files can't be carried out is of use with a pipeline of the user's
// own, but isn't saved without one.
func TestPipelineOfOnesOwn(t *testing.T) {
	m, err := loadWith(t, nil, "preprocessor_config.json", `{"image_processor_type": "ViTImageProcessor", "size_divisor": 32}`)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	if d := m.Describe(); d.Pipeline != "" || !strings.Contains(d.NoPipeline, "size_divisor is 32") {
		t.Errorf("described as %q, %q", d.Pipeline, d.NoPipeline)
	}
	path := filepath.Join(t.TempDir(), "model.safetensors")
	if err := m.CheckSave(); err == nil || !strings.Contains(err.Error(), "size_divisor") {
		t.Errorf("CheckSave: %v", err)
	}
	if err := m.Save(path); err == nil {
		t.Error("saved without a pipeline")
	}
	if _, err := os.Stat(path); err == nil {
		t.Error("half a model was written")
	}
	own := m.WithPipeline("resize(16,16) | totensor")
	if p, err := own.Preprocessing(); err != nil || p.String() != "resize(16,16,bilinear) | totensor" {
		t.Errorf("%s, %v", p, err)
	}
	if err := own.Save(path); err != nil {
		t.Error(err)
	}
}

// Nothing that a preprocessing file may say makes reading it panic, or gives a
// pipeline that can't be run.
func FuzzPreprocessing(f *testing.F) {
	f.Add(`{"size": {"shortest_edge": 36, "longest_edge": 40}, "resample": 5, "crop_size": [28, 21], "rescale_factor": 0.5, "image_mean": 0.5}`)
	f.Add(`{"image_processor_type": "ConvNextImageProcessorFast", "size": 224, "crop_pct": 0.875, "do_rescale": false, "do_pad": true}`)
	f.Add(`{"architecture": "x", "input_size": [3, 32, 48], "crop_pct": 0.9, "crop_mode": "border", "mean": [0.5], "std": [0.5, 1, 2]}`)
	f.Add(`{"pretrained_cfg": {"input_size": [1, 8, 8], "std": [1e-300]}, "model_args": {"img_size": [8, 9], "dynamic_img_size": true}, "pipeline": "totensor"}`)
	picture := noise(20, 15, 3)
	f.Fuzz(func(t *testing.T, text string) {
		if strings.Contains(text, "e+") || len(text) > 1<<10 {
			t.Skip()
		}
		dir := t.TempDir()
		for _, name := range []string{"config.json", "preprocessor_config.json"} {
			write(t, dir, name, text)
			conf, err := readConfigFile(dir)
			if err != nil {
				continue
			}
			for _, layout := range []Layout{HFViT, Timm} {
				m := &Model{Layout: layout, Config: Config{Channels: 3, ImageSize: [2]int{32, 32}, PatchSize: [2]int{8, 8}}}
				if m.findPipeline(conf, dir) != nil {
					continue
				}
				p, err := m.Preprocessing()
				if err != nil {
					continue
				}
				if _, h, w, fixed := p.OutputSize(); fixed && h*w > 1<<16 || strings.Contains(p.String(), "resize(") && len(text) > 300 {
					continue // takes long
				}
				if tensor, err := p.Tensor(picture); err == nil && len(tensor.Data) != tensor.Shape[0]*tensor.Shape[1]*tensor.Shape[2] {
					t.Errorf("%s gives %s, which makes %d numbers of shape %v", text, p, len(tensor.Data), tensor.Shape)
				}
			}
		}
	})
}
