package hub

import "testing"

func TestShortName(t *testing.T) {
	for in, want := range map[string]string{
		"dinov2-small":                        "dinov2-small",
		"/a/B_16_imagenet1k.pth":              "B_16_imagenet1k",
		"/a/dinov2-base/model.safetensors":    "dinov2-base",
		"/a/big/pytorch_model.bin":            "big",
		"/a/big/model.safetensors.index.json": "big",
		"/a/vit-base.v2":                      "vit-base.v2",
		"/a/run7/":                            "run7",
	} {
		if got := ShortName(in); got != want {
			t.Errorf("ShortName(%q) = %q, want %q", in, got, want)
		}
	}
}
