package vit

import (
	"fmt"
	"maps"
	"math"
	"slices"

	"gaze/pkg/transform"
)

// pretrainedKeys are the keys of timm's pretrained_cfg.
var pretrainedKeys = keyTable{
	{"input_size", obeyed, "`[channels, height, width]` of what the model gets; missing: the model's own. `in_chans` and `img_size` of `model_args` go before it, `img_size` unless the model is one for any size (`dynamic_img_size`)"},
	{"fixed_input_size", obeyed, "see `input_size`"},
	{"crop_mode", obeyed, "`center`, `squash` or `border`; another one is an error"},
	{"crop_pct", obeyed, "pictures are brought to size/crop_pct, rounded down, then cropped to size; missing: 0.875"},
	{"interpolation", obeyed, "`bicubic` (also where missing), `bilinear`, `nearest`, `lanczos`, `box`, `hamming`; `random` is an error"},
	{"mean", obeyed, "missing: ImageNet's; of a model for grey pictures, the mean of the channels', with a warning"},
	{"std", obeyed, "the same; not 0"},

	{"test_input_size", harmless, "a size for higher accuracy that timm takes only when asked to (`use_test_size`); give a `--pipeline` to use it"},
	{"test_crop_pct", harmless, "the same"},
	{"min_input_size", harmless, "a bound for sizes that are asked for"},
	{"num_classes", harmless, "about the head"},
	{"classifier", harmless, "the same"},
	{"label_offset", harmless, "the same"},
	{"label_names", harmless, "names of the classes"},
	{"label_descriptions", harmless, "the same"},
	{"labels", harmless, "the same, in older files"},
	{"pool_size", harmless, "about the network"},
	{"test_pool_size", harmless, "the same"},
	{"first_conv", harmless, "the same"},
	{"num_features", harmless, "the same"},
	{"architecture", harmless, "the same"},
	{"url", harmless, "where the weights came from"},
	{"file", harmless, "the same"},
	{"state_dict", harmless, "the same"},
	{"hf_hub_id", harmless, "the same"},
	{"hf_hub_filename", harmless, "the same"},
	{"hf_hub", harmless, "the same, in older files"},
	{"source", harmless, "the same"},
	{"tag", harmless, "the same"},
	{"custom_load", harmless, "how timm reads them"},
	{"license", harmless, "about the checkpoint"},
	{"description", harmless, "the same"},
	{"origin_url", harmless, "the same"},
	{"paper_name", harmless, "the same"},
	{"paper_ids", harmless, "the same"},
	{"notes", harmless, "the same"},
}

// saysPreprocessing says whether the file has a pretrained_cfg with a key that changes
// pixels.
func (f *configFile) saysPreprocessing() bool {
	if !f.present() {
		return false
	}
	for _, known := range pretrainedKeys {
		if known.role == obeyed && f.timm[known.key] != nil {
			return true
		}
	}
	return f.nested && len(f.timm) > 0
}

// timmPipeline is what timm's create_transform makes of the model's pretrained_cfg by way of
// resolve_model_data_config.
func timmPipeline(c Config, f *configFile) (p transform.Pipeline, warnings []string, err error) {
	cfg := f.timm
	if err := f.checkPretrainedKeys(); err != nil {
		return nil, nil, err
	}
	size, err := timmInputSize(c, f)
	if err != nil {
		return nil, nil, err
	}
	filter, err := timmFilter(cfg["interpolation"])
	if err != nil {
		return nil, nil, err
	}
	pct, ok := cfg["crop_pct"].(float64)
	if cfg["crop_pct"] == nil || ok && pct == 0 {
		pct, ok = 0.875, true
	}
	if !ok || pct < 0 {
		return nil, nil, fmt.Errorf("crop_pct is %s, where a number above 0 should be", shortJSON(cfg["crop_pct"]))
	}
	mode, ok := cfg["crop_mode"].(string)
	if !ok && cfg["crop_mode"] != nil {
		return nil, nil, fmt.Errorf("crop_mode is %s, where center, squash or border should be", shortJSON(cfg["crop_mode"]))
	}
	mean, std, warnings, err := timmStatistics(c, cfg)
	if err != nil {
		return nil, nil, err
	}
	steps, err := timmCrop(size, pct, mode, filter, mean)
	if err != nil {
		return nil, nil, err
	}
	if c.Channels == 1 {
		p = append(p, transform.Grayscale{Channels: 1})
	}
	p, err = checkedPipeline(append(append(p, steps...), transform.ToTensor{}, transform.Normalize{Mean: float32s(mean), Std: float32s(std)}))
	return p, warnings, err
}

// checkPretrainedKeys refuses unknown keys. If the file is one object for model and
// preprocessing, the model's keys are allowed.
func (f *configFile) checkPretrainedKeys() error {
	for _, key := range slices.Sorted(maps.Keys(f.timm)) {
		if _, ok := pretrainedKeys.role(key); !ok && (f.nested || !isModelKey(key)) {
			return fmt.Errorf("the key %q of pretrained_cfg isn't known, so that it can't be carried out", key)
		}
	}
	return nil
}

// isModelKey says whether a key of a config.json describes the model.
func isModelKey(key string) bool {
	for _, kind := range kinds {
		if slices.Contains(kind.keys, key) {
			return true
		}
	}
	return slices.Contains([]string{"model_args", "in_chans", "id2label", "label2id", "pretrained_cfg"}, key)
}

// timmInputSize is the height and width of the model's input.
func timmInputSize(c Config, f *configFile) ([2]int, error) {
	args, _ := f.values["model_args"].(map[string]any)
	size, channels := c.ImageSize, c.Channels
	if list, ok := f.timm["input_size"].([]any); ok && isInputSize(list) {
		size, _ = asPair(list[1:])
		if channels, ok = asSize(list[0]); !ok {
			return size, fmt.Errorf("input_size is %s, where [channels, height, width] should be", shortJSON(list))
		}
	}
	if v := args["in_chans"]; v != nil {
		var ok bool
		if channels, ok = asSize(v); !ok {
			return size, fmt.Errorf("in_chans of model_args is %s, where a whole number should be", shortJSON(v))
		}
	}
	if channels != c.Channels {
		return size, fmt.Errorf("pictures of %d channels are asked for, the weights take %d", channels, c.Channels)
	}
	if channels != 1 && channels != 3 {
		return size, fmt.Errorf("pictures have three channels, the model takes %d", channels)
	}
	if v := f.timm["fixed_input_size"]; v != nil && v != true && v != false {
		return size, fmt.Errorf("fixed_input_size is %s, where true or false should be", shortJSON(v))
	}
	anySize := args["dynamic_img_size"] == true || args["strict_img_size"] == false
	if own, ok := asPair(args["img_size"]); ok && !anySize {
		size = own
	}
	return size, nil
}

// timmFilter is the filter of an interpolation's name.
func timmFilter(v any) (transform.Filter, error) {
	name, ok := v.(string)
	if v == nil || ok && name == "" {
		return transform.Bicubic, nil
	}
	for _, f := range []transform.Filter{transform.Bicubic, transform.Bilinear, transform.Nearest, transform.Lanczos, transform.Box, transform.Hamming} {
		if f.String() == name {
			return f, nil
		}
	}
	return 0, fmt.Errorf("interpolation is %s, where bicubic, bilinear, nearest, lanczos, box or hamming should be", shortJSON(v))
}

// timmStatistics are the mean and deviation of the normalisation. For grey pictures, timm's
// scripts take the mean over the colours.
func timmStatistics(c Config, cfg map[string]any) (mean, std []float64, warnings []string, err error) {
	for _, part := range []struct {
		key   string
		usual []any
		to    *[]float64
	}{
		{"mean", []any{0.485, 0.456, 0.406}, &mean}, {"std", []any{0.229, 0.224, 0.225}, &std},
	} {
		list, ok := cfg[part.key].([]any)
		if cfg[part.key] == nil || ok && len(list) == 0 {
			list, ok = part.usual, true
		}
		if c.Channels == 1 && len(list) > 1 {
			var sum float64
			for _, v := range list {
				number, isNumber := v.(float64)
				sum, ok = sum+number, ok && isNumber
			}
			warnings = append(warnings, fmt.Sprintf("the %s of %d channels is averaged for a model of grey pictures, as timm does", part.key, len(list)))
			list = []any{sum / float64(len(list))}
		}
		values, numbers := statistics(list, part.key == "std")
		if !ok || !numbers || len(list) != 1 && len(list) != c.Channels {
			return nil, nil, nil, fmt.Errorf("%s is %s, where a list of %d numbers should be%s", part.key, shortJSON(cfg[part.key]), c.Channels,
				map[string]string{"std": ", none of them 0"}[part.key])
		}
		*part.to = values
	}
	return mean, std, warnings, nil
}

// timmCrop is timm's evaluation transform up to the tensor: pictures are resized to
// size/pct, rounded down, then cropped to size. Mode center keeps the aspect ratio and
// covers that size, squash doesn't keep it, border keeps it and pads with the mean colour.
func timmCrop(size [2]int, pct float64, mode string, filter transform.Filter, mean []float64) (transform.Pipeline, error) {
	var scaled [2]int
	for i, n := range size {
		v := math.Floor(float64(n) / pct)
		if !(v >= 1 && v < 1<<24) {
			return nil, fmt.Errorf("crop_pct is %g, which leaves nothing of a size of %d", pct, n)
		}
		scaled[i] = int(v)
	}
	crop := transform.CenterCrop{Height: size[0], Width: size[1]}
	switch mode {
	case "", "center":
		if scaled[0] == scaled[1] {
			return transform.Pipeline{transform.ResizeShort{Size: scaled[0], Filter: filter}, crop}, nil
		}
		return transform.Pipeline{transform.ResizeKeepRatio{Height: scaled[0], Width: scaled[1], Filter: filter}, crop}, nil
	case "squash":
		resize := transform.ResizeTo{Height: scaled[0], Width: scaled[1], Filter: filter}
		if scaled == size {
			return transform.Pipeline{resize}, nil
		}
		return transform.Pipeline{resize, crop}, nil
	case "border":
		fill, err := fillOf(mean)
		resize := transform.ResizeKeepRatio{Height: scaled[0], Width: scaled[1], Contain: true, Filter: filter}
		return transform.Pipeline{resize, transform.CenterCropFill{Height: size[0], Width: size[1], Fill: fill}}, err
	}
	return nil, fmt.Errorf("crop_mode is %q, where center, squash or border should be", mode)
}

// fillOf is the mean as a colour.
func fillOf(mean []float64) (transform.Fill, error) {
	var fill transform.Fill
	for _, v := range mean {
		level := math.RoundToEven(255 * v)
		if level < 0 || level > 255 {
			return nil, fmt.Errorf("a mean of %g is no colour for the crop mode border", v)
		}
		fill = append(fill, uint8(level))
	}
	return fill, nil
}
