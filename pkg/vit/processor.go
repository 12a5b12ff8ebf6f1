package vit

import (
	"errors"
	"fmt"
	"math"

	"gaze/pkg/transform"
)

// processor is a preprocessor file of transformers, completed by the defaults of its class.
// A null in the file replaces the default, as in transformers.
type processor struct {
	class  *processorClass
	values map[string]any
}

// hfPipeline is the pipeline of a preprocessor_config.json for a model, the same as that of
// transformers' PIL image processors.
func hfPipeline(file map[string]any, layout Layout, c Config, conf *configFile) (transform.Pipeline, error) {
	class, err := classOf(file, layout, c, conf)
	if err != nil {
		return nil, err
	}
	if err := class.checkKeys(file); err != nil {
		return nil, err
	}
	p := processor{class, class.values()}
	for key, v := range file {
		p.values[key] = v
	}
	steps, err := p.steps(c.Channels)
	if err != nil {
		return nil, err
	}
	return checkedPipeline(steps)
}

// checkedPipeline parses the pipeline's text again, which checks the bounds of its sizes.
func checkedPipeline(p transform.Pipeline) (transform.Pipeline, error) {
	read, err := transform.Parse(p.String())
	if err != nil {
		return nil, fmt.Errorf("it can't be carried out: %w", err)
	}
	return read, nil
}

// steps are in the order of transformers: resize, crop, rescale, normalise, pad.
func (p processor) steps(channels int) (transform.Pipeline, error) {
	var steps transform.Pipeline
	rgb, err := p.flag("do_convert_rgb")
	switch {
	case err != nil:
		return nil, err
	case channels == 1 && rgb:
		return nil, errors.New("do_convert_rgb makes three channels, the model takes one")
	case channels == 1:
		steps = append(steps, transform.Grayscale{Channels: 1})
	case channels != 3:
		return nil, fmt.Errorf("pictures have three channels, the model takes %d", channels)
	}
	for _, part := range []struct {
		key string
		add func() (transform.Pipeline, error)
	}{
		{"do_resize", p.resize},
		{"do_center_crop", p.crop},
		{"do_rescale", p.rescale},
		{"do_normalize", func() (transform.Pipeline, error) { return p.normalize(channels) }},
	} {
		on, err := p.flag(part.key)
		if err != nil {
			return nil, err
		}
		if !on {
			if part.key == "do_rescale" {
				steps = append(steps, transform.ToTensor{Scale: 1})
			}
			continue
		}
		add, err := part.add()
		if err != nil {
			return nil, err
		}
		steps = append(steps, add...)
	}
	return steps, p.checkPad(steps)
}

// flag is a switch; null is off.
func (p processor) flag(key string) (bool, error) {
	switch v := p.values[key].(type) {
	case nil:
		return false, nil
	case bool:
		return v, nil
	default:
		return false, fmt.Errorf("%s is %s, where true or false should be", key, shortJSON(v))
	}
}

func (p processor) resize() (transform.Pipeline, error) {
	filter, err := pilFilter(p.values["resample"])
	if err != nil {
		return nil, err
	}
	size, err := p.size("size")
	if square, _ := p.flag("use_square_size"); square {
		size, err = map[string]int{"height": 224, "width": 224}, nil
	}
	if err != nil {
		return nil, err
	}
	short, long := size["shortest_edge"], size["longest_edge"]
	switch {
	case p.class.name == "ConvNext":
		return p.resizeConvNext(size, filter)
	case short > 0 && long > 0:
		return transform.Pipeline{transform.ResizeEdges{Shortest: short, Longest: long, Filter: filter}}, nil
	case short > 0:
		return transform.Pipeline{transform.ResizeShort{Size: short, Filter: filter}}, nil
	case size["height"] > 0 && size["width"] > 0:
		return transform.Pipeline{transform.ResizeTo{Height: size["height"], Width: size["width"], Filter: filter}}, nil
	}
	return nil, fmt.Errorf("size is %s, which isn't carried out: height and width, or shortest_edge, should be there", shortJSON(p.values["size"]))
}

// resizeConvNext crops sizes below 384 and distorts larger ones.
func (p processor) resizeConvNext(size map[string]int, filter transform.Filter) (transform.Pipeline, error) {
	edge := size["shortest_edge"]
	if edge == 0 || size["longest_edge"] > 0 {
		return nil, fmt.Errorf("size is %s, where shortest_edge alone should be for a %s", shortJSON(p.values["size"]), p.class.fullName())
	}
	if edge >= 384 {
		return transform.Pipeline{transform.ResizeTo{Height: edge, Width: edge, Filter: filter}}, nil
	}
	pct, ok := p.values["crop_pct"].(float64)
	if !ok || !(pct > 0) || float64(edge)/pct < 1 {
		return nil, fmt.Errorf("crop_pct is %s, where a part of the size should be", shortJSON(p.values["crop_pct"]))
	}
	return transform.Pipeline{
		transform.ResizeShort{Size: int(min(float64(edge)/pct, math.MaxInt32)), Filter: filter},
		transform.CenterCropFloor{Height: edge, Width: edge},
	}, nil
}

func (p processor) crop() (transform.Pipeline, error) {
	size, err := p.size("crop_size")
	if err != nil {
		return nil, err
	}
	if size["height"] == 0 || size["width"] == 0 {
		return nil, fmt.Errorf("crop_size is %s, where height and width should be", shortJSON(p.values["crop_size"]))
	}
	return transform.Pipeline{transform.CenterCropFloor{Height: size["height"], Width: size["width"]}}, nil
}

func (p processor) rescale() (transform.Pipeline, error) {
	factor, ok := p.values["rescale_factor"].(float64)
	if !ok || !(factor > 0) {
		return nil, fmt.Errorf("rescale_factor is %s, where a number above 0 should be", shortJSON(p.values["rescale_factor"]))
	}
	return transform.Pipeline{transform.ToTensor{Scale: factor}}, nil
}

func (p processor) normalize(channels int) (transform.Pipeline, error) {
	var n transform.Normalize
	for key, to := range map[string]*[]float32{"image_mean": &n.Mean, "image_std": &n.Std} {
		v, ok := statistics(p.values[key], key == "image_std")
		if list, isList := p.values[key].([]any); !ok || isList && len(list) != channels {
			return nil, fmt.Errorf("image_mean is %s and image_std is %s, where a number or a list of %d should be, and no deviation 0",
				shortJSON(p.values["image_mean"]), shortJSON(p.values["image_std"]), channels)
		}
		*to = float32s(v)
	}
	return transform.Pipeline{n}, nil
}

// checkPad refuses padding that would have an effect. In transformers it comes last and
// depends on the batch.
func (p processor) checkPad(steps transform.Pipeline) error {
	on, err := p.flag("do_pad")
	if err != nil || !on {
		return err
	}
	_, height, width, fixed := steps.OutputSize()
	if !fixed {
		return errors.New("do_pad pads pictures to the largest one of a batch, or to pad_size, which isn't carried out")
	}
	if p.values["pad_size"] == nil {
		return nil
	}
	size, err := p.size("pad_size")
	if err == nil && (size["height"] != height || size["width"] != width) {
		err = fmt.Errorf("do_pad pads pictures of %d×%d to a pad_size of %s, which isn't carried out", height, width, shortJSON(p.values["pad_size"]))
	}
	return err
}

// sizeKeys are the sets of keys that a size may have.
var sizeKeys = [][]string{
	{"height", "width"}, {"shortest_edge"}, {"shortest_edge", "longest_edge"}, {"longest_edge"}, {"max_height", "max_width"}, {"min_pixels", "max_pixels"},
}

// size reads a size in any form: a number, [height, width] or an object. Keys that are null
// are left out.
func (p processor) size(key string) (map[string]int, error) {
	wrong := fmt.Errorf("%s is %s, where a size should be: a number, [height, width], or an object like {\"shortest_edge\": 224}", key, shortJSON(p.values[key]))
	switch v := p.values[key].(type) {
	case float64:
		n, ok := asSize(v)
		if !ok || n == 0 {
			return nil, wrong
		}
		square := key != "size"
		if !square {
			var err error
			if square, err = p.flag("default_to_square"); err != nil {
				return nil, err
			}
		}
		if square {
			return map[string]int{"height": n, "width": n}, nil
		}
		return map[string]int{"shortest_edge": n}, nil
	case []any:
		if pair, ok := asPair(v); ok && pair[0] > 0 && pair[1] > 0 {
			return map[string]int{"height": pair[0], "width": pair[1]}, nil
		}
	case map[string]any:
		if out, ok := sizeObject(v); ok {
			return out, nil
		}
	}
	return nil, wrong
}

func sizeObject(v map[string]any) (map[string]int, bool) {
	known := false
	for _, keys := range sizeKeys {
		all := len(keys) == len(v)
		for _, key := range keys {
			_, ok := v[key]
			all = all && ok
		}
		known = known || all
	}
	out := map[string]int{}
	for key, side := range v {
		if side == nil {
			continue
		}
		n, ok := asSize(side)
		if !ok || n == 0 {
			return nil, false
		}
		out[key] = n
	}
	return out, known
}

// pilFilter is PIL's filter of a number.
func pilFilter(v any) (transform.Filter, error) {
	filters := []transform.Filter{transform.Nearest, transform.Lanczos, transform.Bilinear, transform.Bicubic, transform.Box, transform.Hamming}
	if n, ok := asSize(v); ok && n < len(filters) {
		return filters[n], nil
	}
	return 0, fmt.Errorf("resample is %s, where one of PIL's numbers should be: 0 nearest, 1 lanczos, 2 bilinear, 3 bicubic, 4 box, 5 hamming", shortJSON(v))
}

// statistics are means or deviations, a number or a list of numbers. A list of equal
// numbers becomes one number for all channels.
func statistics(v any, deviations bool) ([]float64, bool) {
	list, ok := v.([]any)
	if n, single := v.(float64); single {
		list, ok = []any{n}, true
	}
	out := make([]float64, len(list))
	same := true
	for i, e := range list {
		n, isNumber := e.(float64)
		if !isNumber || math.IsInf(float64(float32(n)), 0) || deviations && float32(n) == 0 {
			return nil, false
		}
		out[i] = n
		same = same && n == out[0]
	}
	if same && len(out) > 0 {
		out = out[:1]
	}
	return out, ok && len(out) > 0
}

func float32s(v []float64) []float32 {
	out := make([]float32, len(v))
	for i, n := range v {
		out[i] = float32(n)
	}
	return out
}
