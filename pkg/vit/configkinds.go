package vit

import (
	"encoding/json"
	"fmt"
)

// kinds lists the keys of a configuration file that are used, by the kind of value that
// each must have.
var kinds = []struct {
	what string
	ok   func(v any) bool
	keys []string
}{
	{"a whole number above 0", isCount, []string{"num_attention_heads", "num_heads", "heads"}},
	{"a number", isFloat, []string{
		"hidden_size", "embed_dim", "dim", "num_hidden_layers", "depth", "num_register_tokens", "reg_tokens", "num_channels", "in_chans",
		"layer_norm_eps", "eps", "norm_eps",
	}},
	{"a size, which is a number or [height, width]", isSize, []string{"image_size", "img_size", "patch_size"}},
	{"a text", isText, []string{"architecture", "hidden_act", "act_layer", "activation", "global_pool", "pipeline", "model_type"}},
	{"an object", isObject, []string{"pretrained_cfg", "model_args", "stem"}},
}

// checkKinds refuses values of the wrong kind, which would otherwise be taken for missing
// ones. A null counts as missing.
func (f *configFile) checkKinds() error {
	for _, kind := range kinds {
		for _, key := range kind.keys {
			if v := f.values[key]; v != nil && !kind.ok(v) {
				return fmt.Errorf("%s says %s is %s, where %s should be", f.path, key, shortJSON(v), kind.what)
			}
		}
	}
	if v := f.timm["input_size"]; v != nil && !isInputSize(v) {
		return fmt.Errorf("%s says input_size is %s, where [channels, height, width] should be", f.path, shortJSON(v))
	}
	return nil
}

func isFloat(v any) bool { _, ok := v.(float64); return ok }

func isText(v any) bool { _, ok := v.(string); return ok }

func isObject(v any) bool { _, ok := v.(map[string]any); return ok }

func isCount(v any) bool { n, ok := asSize(v); return ok && n > 0 }

func isSize(v any) bool { _, ok := asPair(v); return ok }

func isInputSize(v any) bool {
	list, ok := v.([]any)
	return ok && len(list) == 3 && isSize(list[1:])
}

// shortJSON is v as JSON, cut off if it is long.
func shortJSON(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprintf("a %T", v)
	}
	const most = 60
	if r := []rune(string(text)); len(r) > most {
		return string(r[:most]) + "…"
	}
	return string(text)
}
