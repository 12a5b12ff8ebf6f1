package convnet

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
)

// blockShapes are the shapes in one block that tell its stage.
type blockShapes struct{ in, inner, out, kernel int }

// inferPyTorch reads the configuration off the shapes of efficientnet-lite-pytorch. A stage
// ends where the number of channels changes, which it does in every published variant.
func inferPyTorch(shapes map[string][]int) (Config, int, error) {
	var blocks []blockShapes
	for i := 0; ; i++ {
		at := fmt.Sprintf("_blocks.%d.", i)
		if shapes[at+"_depthwise_conv.weight"] == nil {
			break
		}
		b, err := shapesOfBlock(shapes, at+"_depthwise_conv.weight", at+"_project_conv.weight", at+"_expand_conv.weight")
		if err != nil {
			return Config{}, 0, err
		}
		blocks = append(blocks, b)
	}
	var stages [][]blockShapes
	for i, b := range blocks {
		if i == 0 || b.out != blocks[i-1].out {
			stages = append(stages, nil)
		}
		stages[len(stages)-1] = append(stages[len(stages)-1], b)
	}
	return inferLite(shapes, stages, "_conv_stem.weight", "_conv_head.weight", "_fc.weight")
}

// inferTimm reads the configuration off timm's shapes, whose names tell the stages.
func inferTimm(shapes map[string][]int) (Config, int, error) {
	var stages [][]blockShapes
	for i := 0; ; i++ {
		var stage []blockShapes
		for j := 0; ; j++ {
			at := fmt.Sprintf("blocks.%d.%d.", i, j)
			if shapes[at+"conv_dw.weight"] == nil {
				break
			}
			project, expand := at+"conv_pwl.weight", at+"conv_pw.weight"
			if shapes[project] == nil {
				project, expand = expand, ""
			}
			b, err := shapesOfBlock(shapes, at+"conv_dw.weight", project, expand)
			if err != nil {
				return Config{}, 0, err
			}
			stage = append(stage, b)
		}
		if stage == nil {
			break
		}
		stages = append(stages, stage)
	}
	return inferLite(shapes, stages, "conv_stem.weight", "conv_head.weight", "classifier.weight")
}

// shapesOfBlock reads the shapes of a block's convolutions by their names.
func shapesOfBlock(shapes map[string][]int, depthwise, project, expand string) (b blockShapes, err error) {
	dw, out, in := shapes[depthwise], shapes[project], shapes[expand]
	if len(dw) != 4 || dw[1] != 1 || dw[2] != dw[3] {
		return b, fmt.Errorf("tensor %s has shape %v, not [channels, 1, size, size]", depthwise, dw)
	}
	if len(out) != 4 || out[1] != dw[0] || out[2] != 1 || out[3] != 1 {
		return b, fmt.Errorf("tensor %s has shape %v, not [out, %d, 1, 1]", project, out, dw[0])
	}
	b = blockShapes{in: dw[0], inner: dw[0], out: out[0], kernel: dw[2]}
	if in == nil {
		return b, nil
	}
	if len(in) != 4 || in[0] != dw[0] || in[1] < 1 {
		return b, fmt.Errorf("tensor %s has shape %v, not [%d, in, 1, 1]", expand, in, dw[0])
	}
	b.in = in[1]
	return b, nil
}

// inferLite puts the configuration together.
func inferLite(shapes map[string][]int, stages [][]blockShapes, stem, head, fc string) (cfg Config, classes int, err error) {
	for name := range shapes {
		if strings.Contains(name, "se_reduce") || strings.Contains(name, ".se.") {
			return cfg, 0, fmt.Errorf("%s belongs to squeeze and excitation: this is an EfficientNet, not an EfficientNet-Lite, which has none", name)
		}
	}
	first := shapes[stem]
	if len(first) != 4 || len(stages) == 0 {
		return cfg, 0, fmt.Errorf("tensor %s has shape %v, and there are %d stages of blocks", stem, first, len(stages))
	}
	if len(stages) != len(liteStages) {
		return cfg, 0, errors.New("the blocks make " + fmt.Sprint(len(stages)) + " stages, an EfficientNet-Lite has 7: their strides aren't known without a configuration")
	}
	l := &Lite{Stem: first[0], NormEps: tfEps}
	for i, s := range stages {
		b := s[0]
		if b.inner%b.in != 0 {
			return cfg, 0, fmt.Errorf("stage %d expands %d channels to %d, which isn't a multiple", i, b.in, b.inner)
		}
		l.Stages = append(l.Stages, LiteStage{Blocks: len(s), Channels: b.out, Kernel: b.kernel, Stride: liteStages[i].Stride, Expand: b.inner / b.in})
	}
	if s := shapes[head]; len(s) == 4 {
		l.Head = s[0]
	}
	if s := shapes[fc]; len(s) == 2 {
		classes = s[0]
	}
	return Config{Kind: EfficientNetLite, Lite: l}, classes, nil
}

// torchEps is what torch's batch norm adds to the variance by default.
const torchEps = 1e-5

// timm takes over what timm's config.json says: padding, names of classes, preprocessing.
func (f *configFile) timm(m *Model, side int) error {
	name, _ := f.values["architecture"].(string)
	if name != "" && !strings.Contains(name, "efficientnet_lite") {
		return fmt.Errorf("%s says the architecture is %q: it belongs to other weights", f.path, name)
	}
	if name != "" && !strings.HasPrefix(name, "tf_") {
		m.Config.Lite.SymmetricPadding, m.Config.Lite.NormEps = true, torchEps
	}
	if list, ok := f.values["label_names"].([]any); ok && len(list) == m.Classes {
		m.Labels = make([]string, len(list))
		for i := range list {
			if m.Labels[i], ok = list[i].(string); !ok {
				return fmt.Errorf("%s: label_names[%d] is %v, not a text", f.path, i, list[i])
			}
		}
	}
	cfg, ok := f.values["pretrained_cfg"].(map[string]any)
	if !ok {
		return nil
	}
	var err error
	m.pipeline, err = timmPipeline(cfg, side)
	if err != nil {
		return fmt.Errorf("%s: pretrained_cfg: %w", f.path, err)
	}
	return nil
}

// timmPipeline is the preprocessing that timm makes of a pretrained_cfg, with timm's
// defaults for what it doesn't say.
func timmPipeline(cfg map[string]any, side int) (string, error) {
	pct, filter := 0.875, "bicubic"
	if size, ok := cfg["input_size"].([]any); ok {
		if len(size) != 3 || size[1] != size[2] {
			return "", fmt.Errorf("input_size %v: only squares are known", size)
		}
		n, ok := size[1].(float64)
		if !ok || n != math.Trunc(n) || n < 1 || n > 1<<14 {
			return "", fmt.Errorf("input_size %v", size)
		}
		side = int(n)
	}
	if v, ok := cfg["crop_pct"].(float64); ok {
		if !(v > 0) || v > 1 {
			return "", fmt.Errorf("crop_pct %v: it must be above 0 and at most 1", v)
		}
		pct = v
	}
	if v, ok := cfg["interpolation"].(string); ok {
		if !slices.Contains([]string{"bicubic", "bilinear"}, v) {
			return "", fmt.Errorf("interpolation %q: bicubic and bilinear are known", v)
		}
		filter = v
	}
	if v, ok := cfg["crop_mode"].(string); ok && v != "center" {
		return "", fmt.Errorf("crop_mode %q: only center is known", v)
	}
	normal := func(key string, usual [3]float64) (string, error) {
		list, ok := cfg[key].([]any)
		if !ok {
			return fmt.Sprintf("[%g,%g,%g]", usual[0], usual[1], usual[2]), nil
		}
		var parts []string
		for _, v := range list {
			n, ok := v.(float64)
			if !ok {
				return "", fmt.Errorf("%s %v", key, list)
			}
			parts = append(parts, fmt.Sprint(n))
		}
		if len(parts) != 3 {
			return "", fmt.Errorf("%s %v: three numbers were expected", key, list)
		}
		return "[" + strings.Join(parts, ",") + "]", nil
	}
	mean, err := normal("mean", [3]float64{0.485, 0.456, 0.406})
	if err != nil {
		return "", err
	}
	std, err := normal("std", [3]float64{0.229, 0.224, 0.225})
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("resize(%d,%s) | centercrop(%d) | totensor | normalize(%s,%s)", int(float64(side)/pct), filter, side, mean, std), nil
}
