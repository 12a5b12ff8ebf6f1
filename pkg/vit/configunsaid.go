package vit

import (
	"maps"
	"regexp"
)

// What a configuration file doesn't say, its owner's code takes from elsewhere:
// transformers from the defaults of the model type, timm from the architecture's
// function.

// hfType is what transformers 5.23.0 takes where a config.json of a model type says
// nothing. Files on its hub often hold only what differs.
type hfType struct {
	activation string
	eps        float64
}

var hfTypes = map[string]hfType{
	"clip": {"quick_gelu", 1e-5}, "clip_vision_model": {"quick_gelu", 1e-5},
	"metaclip_2": {"quick_gelu", 1e-5}, "metaclip_2_vision_model": {"quick_gelu", 1e-5},
	"siglip": {"gelu_pytorch_tanh", 1e-6}, "siglip_vision_model": {"gelu_pytorch_tanh", 1e-6},
	"siglip2": {"gelu_pytorch_tanh", 1e-6}, "siglip2_vision_model": {"gelu_pytorch_tanh", 1e-6},
	"vit": {"gelu", 1e-12}, "deit": {"gelu", 1e-12}, "vit_mae": {"gelu", 1e-12}, "ijepa": {"gelu", 1e-12},
	"vit_msn": {"gelu", 1e-6}, "dinov2": {"gelu", 1e-6}, "dinov2_with_registers": {"gelu", 1e-6},
}

// hfHeads is the number of heads of all these types where the file gives none.
const hfHeads = 12

// withUnsaid is the file with what transformers takes for what it doesn't say. kind
// is the model type of the whole, for sections that don't give their own.
func (f *configFile) withUnsaid(kind string) *configFile {
	if own := f.text("model_type"); own != "" {
		kind = own
	}
	unsaid, known := hfTypes[kind]
	if !known {
		return f
	}
	out := *f
	out.values, out.hf = maps.Clone(f.values), true
	for key, value := range map[string]any{"hidden_act": unsaid.activation, "layer_norm_eps": unsaid.eps} {
		if out.values[key] == nil {
			out.values[key] = value
		}
	}
	return &out
}

// timmUnsaid are timm's architectures whose heads or activation aren't the usual ones
// (timm 1.0.31); their config.json doesn't say.
var timmUnsaid = []struct {
	name       *regexp.Regexp
	heads      int // 0 for the usual
	activation Activation
}{
	{regexp.MustCompile(`^test_vit2?$`), 2, GELU},
	{regexp.MustCompile(`^test_vit[34]$`), 3, GELU},
	{regexp.MustCompile(`^vit_base_patch16_gap_224$`), 16, GELU},
	{regexp.MustCompile(`^vit_giantopt_patch16_siglip_`), 16, GELUTanh},
	{regexp.MustCompile(`^vit_base_patch32_siglip_|^vit_large_patch16_siglip_(gap_)?512$|^vit_so400m_patch16_siglip_`), 0, GELUTanh},
}

// architecture puts in what a timm architecture is known for, before the file has its word.
func (f *configFile) architecture(c *Config) {
	name := f.text("architecture")
	for _, known := range timmUnsaid {
		if known.name.MatchString(name) {
			c.Heads, c.Activation = known.heads, known.activation
		}
	}
}
