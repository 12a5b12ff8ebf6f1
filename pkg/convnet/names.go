package convnet

import (
	"fmt"
	"regexp"
	"strings"

	"gaze/pkg/nn"
)

// This file is what timm and Google call the parameters of networks under a hybrid Vision
// Transformer.

// Name is where a tensor of a checkpoint belongs: the parameter that it is, and how its
// values lie. An empty Parameter is a tensor that features don't need.
type Name struct {
	Parameter string
	Order     nn.Order
}

const (
	index      = `(0|[1-9]\d{0,3})`
	ofNorm     = `(weight|bias)`
	ofBatch    = `(weight|bias|running_mean|running_var)`
	numBatches = "num_batches_tracked"
)

var (
	timmRoot    = regexp.MustCompile(`^(?:stem\.)?(conv\.weight|norm\.` + ofNorm + `)$`)
	timmResNet  = regexp.MustCompile(`^stages\.` + index + `\.blocks\.` + index + `\.(conv[123]\.weight|norm[123]\.` + ofNorm + `|downsample\.conv\.weight|downsample\.norm\.` + ofNorm + `)$`)
	timmEnds    = regexp.MustCompile(`^(conv_stem|bn1|conv_head|bn2)\.` + ofBatch + `$`)
	timmBlock   = regexp.MustCompile(`^blocks\.` + index + `\.` + index + `\.(conv_pw|conv_dw|conv_pwl|bn1|bn2|bn3)\.` + ofBatch + `$`)
	googleRoot  = regexp.MustCompile(`^(conv|gn)_root/(kernel|scale|bias)$`)
	googleBlock = regexp.MustCompile(`^block([1-9]\d{0,3})/unit([1-9]\d{0,3})/(conv|gn)([123]|_proj)/(kernel|scale|bias)$`)
)

// TimmNames finds the parameters of a network in the names of timm's state_dict. They are
// those of one network without what precedes them ("patch_embed.backbone."). Names that it
// doesn't know aren't in the result.
func TimmNames(names []string) map[string]Name {
	expands := map[string]bool{} // blocks, as stage.block
	for _, name := range names {
		if m := timmBlock.FindStringSubmatch(name); m != nil && m[3] == "conv_pwl" {
			expands[m[1]+"."+m[2]] = true
		}
	}
	out := map[string]Name{}
	for _, name := range names {
		switch {
		case strings.HasPrefix(name, numBatches) || strings.HasSuffix(name, "."+numBatches):
			out[name] = Name{}
		case timmRoot.MatchString(name):
			out[name] = Name{Parameter: "root/" + slashed(strings.TrimPrefix(name, "stem."))}
		case timmResNet.MatchString(name):
			m := timmResNet.FindStringSubmatch(name)
			out[name] = Name{Parameter: fmt.Sprintf("stage_%s/block_%s/%s", m[1], m[2], slashed(strings.Replace(m[3], "downsample", "down", 1)))}
		case timmEnds.MatchString(name):
			m := timmEnds.FindStringSubmatch(name)
			part := map[string]string{"conv_stem": "stem/conv/", "bn1": "stem/bn/", "conv_head": "head/conv/", "bn2": "head/bn/"}[m[1]]
			out[name] = Name{Parameter: part + untorch(m[2])}
		case timmBlock.MatchString(name):
			m := timmBlock.FindStringSubmatch(name)
			for part, timm := range timmBlockParts(expands[m[1]+"."+m[2]]) {
				if timm == m[3] {
					out[name] = Name{Parameter: fmt.Sprintf("stage_%s/block_%s/%s/%s", m[1], m[2], part, untorch(m[4]))}
				}
			}
		}
	}
	return out
}

// timmBlockParts is what timm calls the layers of an EfficientNet's block. One that doesn't
// expand is a class of its own there, which counts from one layer later.
func timmBlockParts(expands bool) map[string]string {
	if expands {
		return map[string]string{"expand/conv": "conv_pw", "expand/bn": "bn1", "depthwise/conv": "conv_dw", "depthwise/bn": "bn2", "project/conv": "conv_pwl", "project/bn": "bn3"}
	}
	return map[string]string{"depthwise/conv": "conv_dw", "depthwise/bn": "bn1", "project/conv": "conv_pw", "project/bn": "bn2"}
}

func slashed(name string) string { return strings.ReplaceAll(name, ".", "/") }

func dotted(name string) string { return strings.ReplaceAll(name, "/", ".") }

// untorch is the part of a batch norm without torch's "running_".
func untorch(part string) string { return strings.TrimPrefix(part, "running_") }

var ourBlock = regexp.MustCompile(`^stage_(\d+)/block_(\d+)/((?:expand|depthwise|project)/(?:conv|bn))/(\w+)$`)

// TimmName is timm's name for a parameter of the network, as in the state_dict of
// timm.create_model('tf_efficientnet_lite0', features_only=True) and of the backbone under
// timm's hybrid Vision Transformers.
func (c Config) TimmName(parameter string) string {
	if c.Lite != nil {
		return timmNames(c)(parameter)
	}
	return TimmName(parameter, nil, c.ResNet != nil && len(c.ResNet.Stages) == 0)
}

// TimmName is [Config.TimmName] where the network isn't known: expands says whether a block
// of an EfficientNet does, rootOnly whether a ResNet has no stages.
func TimmName(parameter string, expands func(stage, block string) bool, rootOnly bool) string {
	switch m := ourBlock.FindStringSubmatch(parameter); {
	case m != nil:
		what := m[4]
		if what == "mean" || what == "var" {
			what = "running_" + what
		}
		return fmt.Sprintf("blocks.%s.%s.%s.%s", m[1], m[2], timmBlockParts(expands(m[1], m[2]))[m[3]], what)
	case strings.HasPrefix(parameter, "root/"):
		if rootOnly {
			return dotted(strings.TrimPrefix(parameter, "root/"))
		}
		return "stem." + dotted(strings.TrimPrefix(parameter, "root/"))
	case strings.HasPrefix(parameter, "stage_"):
		name := strings.Replace(strings.Replace(parameter, "stage_", "stages.", 1), "/block_", ".blocks.", 1)
		return dotted(strings.Replace(name, "/down/", "/downsample/", 1))
	}
	for ours, timm := range map[string]string{"stem/conv/": "conv_stem.", "stem/bn/": "bn1.", "head/conv/": "conv_head.", "head/bn/": "bn2."} {
		if what, ok := strings.CutPrefix(parameter, ours); ok {
			if what == "mean" || what == "var" {
				what = "running_" + what
			}
			return timm + what
		}
	}
	return parameter
}

// GoogleNames finds the parameters of a [ResNetV2] in the names of the .npz files of
// google-research/vision_transformer, as timm reads them. Names that it doesn't know aren't
// in the result.
func GoogleNames(names []string) map[string]Name {
	out := map[string]Name{}
	for _, name := range names {
		if m := googleRoot.FindStringSubmatch(name); m != nil {
			if part, order := fromFlax(m[1], m[2]); part != "" {
				out[name] = Name{"root/" + strings.Replace(part, "#", "", 1), order}
			}
			continue
		}
		m := googleBlock.FindStringSubmatch(name)
		if m == nil {
			continue
		}
		part, order := fromFlax(m[3], m[5])
		if part == "" {
			continue
		}
		number := m[4]
		if number == "_proj" {
			part, number = "down/"+part, ""
		}
		out[name] = Name{fmt.Sprintf("stage_%d/block_%d/%s", before(m[1]), before(m[2]), strings.Replace(part, "#", number, 1)), order}
	}
	return out
}

// before is the number before the one of a text, which counts from 1.
func before(text string) int {
	var n int
	fmt.Sscan(text, &n) // the caller has matched digits
	return n - 1
}

// fromFlax is a parameter of a convolution or of a group norm, with # for its number; empty
// if those have none of that name.
func fromFlax(layer, what string) (string, nn.Order) {
	switch {
	case layer == "conv" && what == "kernel":
		return "conv#/weight", nn.FromHWIO
	case layer == "gn" && what == "scale":
		return "norm#/weight", nn.Flatten
	case layer == "gn" && what == "bias":
		return "norm#/bias", nn.Flatten
	}
	return "", nn.AsIs
}

// GoogleName is Google's name for a parameter of a [ResNetV2]; empty if it is of another
// network.
func GoogleName(parameter string) string {
	at, rest := "", parameter
	var stage, block int
	switch {
	case strings.HasPrefix(parameter, "root/"):
		rest = strings.TrimPrefix(rest, "root/")
		rest = strings.NewReplacer("conv/", "conv_root/", "norm/", "gn_root/").Replace(rest)
	case ourBlock.MatchString(parameter):
		return ""
	default:
		if _, err := fmt.Sscanf(parameter, "stage_%d/block_%d/", &stage, &block); err != nil {
			return ""
		}
		at = fmt.Sprintf("block%d/unit%d/", stage+1, block+1)
		rest = strings.TrimPrefix(rest, fmt.Sprintf("stage_%d/block_%d/", stage, block))
		rest = strings.NewReplacer("down/conv/", "conv_proj/", "down/norm/", "gn_proj/", "norm", "gn").Replace(rest)
	}
	if strings.HasPrefix(rest, "conv") {
		return at + strings.Replace(rest, "/weight", "/kernel", 1)
	}
	return at + strings.Replace(rest, "/weight", "/scale", 1)
}
