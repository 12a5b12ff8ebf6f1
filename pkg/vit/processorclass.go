package vit

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
)

// processorClass is an image processor class of transformers, with its defaults.
type processorClass struct {
	name       string   // "ViT" of ViTImageProcessor, ViTImageProcessorFast and ViTFeatureExtractor
	defaults   string   // JSON
	keys       []string // keys that only this class has and carries out
	modelTypes []string // model_type of config.json for which AutoImageProcessor takes the class
}

const (
	halves   = `"image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5]`
	clipMean = `"image_mean": [0.48145466, 0.4578275, 0.40821073], "image_std": [0.26862954, 0.26130258, 0.27577711]`
	usually  = `"do_resize": true, "do_rescale": true, "do_normalize": true, "rescale_factor": 0.00392156862745098`
)

// processorClasses are the supported classes of transformers 5.23, with the defaults of
// their PIL backends.
var processorClasses = []processorClass{
	{name: "ViT", defaults: `{"resample": 2, ` + halves + `, "size": {"height": 224, "width": 224}, "default_to_square": true, ` + usually + `}`,
		modelTypes: []string{"clipseg", "dinat", "ijepa", "mgp-str", "swiftformer", "swin", "swinv2", "trocr", "vit", "vit_mae", "vit_msn"}},
	{name: "DeiT", defaults: `{"resample": 3, ` + halves + `, "size": {"height": 256, "width": 256}, "default_to_square": true,
		"do_center_crop": true, "crop_size": {"height": 224, "width": 224}, ` + usually + `}`,
		modelTypes: []string{"deit"}},
	{name: "Bit", defaults: `{"resample": 3, ` + clipMean + `, "size": {"shortest_edge": 224}, "default_to_square": false,
		"do_center_crop": true, "crop_size": {"height": 224, "width": 224}, "do_convert_rgb": true, ` + usually + `}`,
		modelTypes: []string{"bit", "dinov2", "focalnet", "hiera", "pixio"}},
	{name: "Beit", defaults: `{"resample": 3, ` + halves + `, "size": {"height": 224, "width": 224}, "default_to_square": true,
		"do_center_crop": false, "crop_size": {"height": 224, "width": 224}, "do_reduce_labels": false, ` + usually + `}`,
		modelTypes: []string{"beit", "data2vec-vision"}},
	{name: "CLIP", defaults: `{"resample": 3, ` + clipMean + `, "size": {"shortest_edge": 224}, "default_to_square": false,
		"do_center_crop": true, "crop_size": {"height": 224, "width": 224}, "do_convert_rgb": true, ` + usually + `}`,
		keys:       []string{"use_square_size"},
		modelTypes: []string{"aimv2", "aimv2_vision_model", "altclip", "clip", "florence2", "git", "groupvit", "kosmos-2", "metaclip_2", "mlcd", "vipllava", "xclip"}},
	{name: "Siglip", defaults: `{"resample": 3, ` + halves + `, "size": {"height": 224, "width": 224}, "default_to_square": false, "do_convert_rgb": true, ` + usually + `}`,
		modelTypes: []string{"colpali", "gemma3n", "paligemma", "siglip"}},
	{name: "ConvNext", defaults: `{"resample": 3, ` + halves + `, "size": {"shortest_edge": 384}, "default_to_square": false, "crop_pct": 0.875, ` + usually + `}`,
		keys:       []string{"crop_pct"},
		modelTypes: []string{"convnext", "convnextv2", "cvt", "regnet", "resnet"}},
}

// values are the class's defaults.
func (c *processorClass) values() map[string]any {
	var v map[string]any
	if err := json.Unmarshal([]byte(c.defaults), &v); err != nil {
		panic(err) // the text above
	}
	return v
}

// fullName is the class as transformers writes it.
func (c *processorClass) fullName() string { return c.name + "ImageProcessor" }

// classNames lists the classes for an error.
var classNames = sync.OnceValue(func() string {
	var names []string
	for i := range processorClasses {
		names = append(names, processorClasses[i].fullName())
	}
	return strings.Join(names, ", ")
})

// classOf is the class of a file: the one that it names, otherwise the one that
// AutoImageProcessor takes for the model's config.json, otherwise the layout's.
func classOf(values map[string]any, layout Layout, c Config, conf *configFile) (*processorClass, error) {
	for _, key := range []string{"image_processor_type", "feature_extractor_type"} {
		switch name := values[key].(type) {
		case nil:
		case string:
			return namedClass(key, name)
		default:
			return nil, fmt.Errorf("%s is %s, where the name of a class should be", key, shortJSON(name))
		}
	}
	if name := conf.text("image_processor_type"); name != "" {
		return namedClass("image_processor_type of config.json", name)
	}
	if kind := conf.text("model_type"); kind != "" {
		for i := range processorClasses {
			if slices.Contains(processorClasses[i].modelTypes, kind) {
				return &processorClasses[i], nil
			}
		}
	}
	if name := layoutClass(layout, c); name != "" {
		return namedClass("", name)
	}
	return nil, fmt.Errorf("image_processor_type is missing, and the weights aren't transformers' own, so nothing tells whose defaults it means: add it (one of %s)", classNames())
}

// layoutClass is the class of a layout of transformers; empty for other layouts.
func layoutClass(layout Layout, c Config) string {
	switch layout {
	case HFViT:
		return "ViT"
	case HFDeiT:
		return "DeiT"
	case HFDinov2:
		return "Bit"
	case HFCLIP:
		if c.PreNorm {
			return "CLIP"
		}
		return "Siglip"
	}
	return ""
}

// namedClass finds a class by any of its names: the present one, those of the fast and the
// PIL variant, and the one from when they were feature extractors.
func namedClass(key, name string) (*processorClass, error) {
	short := strings.TrimSuffix(strings.TrimSuffix(name, "Fast"), "Pil")
	short = strings.TrimSuffix(strings.TrimSuffix(short, "ImageProcessor"), "FeatureExtractor")
	for i := range processorClasses {
		if processorClasses[i].name == short {
			return &processorClasses[i], nil
		}
	}
	return nil, fmt.Errorf("%s is %q, which Gaze can't carry out (it can: %s)", key, name, classNames())
}
