package convnet

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"gaze/pkg/nn"
)

// hybridStems are networks of both kinds.
var hybridStems = map[string]Config{
	"R":                   ResNetV2Of(),
	"R26":                 ResNetV2Of(2, 2, 2, 2),
	"R50 to its third":    ResNetV2Of(3, 4, 9),
	"R50":                 ResNetV2Of(3, 4, 6, 3),
	"EfficientNet-Lite0":  EfficientNetLiteOf(0).WithoutHead(),
	"EfficientNet-Lite2+": EfficientNetLiteOf(2),
}

// TestTimmNames goes from parameters to timm's names and back, and from the shapes to the
// configuration.
func TestTimmNames(t *testing.T) {
	for name, c := range hybridStems {
		var names []string
		want, shapes := map[string]Name{}, map[string][]int{}
		for _, p := range c.Parameters() {
			timm := c.TimmName(p.Name)
			names = append(names, timm)
			want[timm] = Name{Parameter: p.Name}
			shapes[p.Name] = p.Shape
		}
		if got := TimmNames(append(names, "blocks.0.0.unknown", "conv3.weight")); !maps.Equal(got, want) {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
		back, assumed, err := Infer(shapes)
		if err != nil || back.Architecture() != c.Architecture() || (assumed == "") != (c.Kind == ResNetV2) {
			t.Errorf("%s: the shapes tell %s, having assumed %q (%v)", name, back.Architecture(), assumed, err)
		}
		if err == nil {
			if err := back.CheckShapes(shapes); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
	if got := TimmNames([]string{"bn1.num_batches_tracked", "blocks.0.0.bn1.num_batches_tracked"}); len(got) != 2 || got["bn1.num_batches_tracked"] != (Name{}) {
		t.Errorf("counters are %v", got)
	}
}

// TestTimmNamesKnown are names as timm 1.0.31 has them.
func TestTimmNamesKnown(t *testing.T) {
	got := TimmNames([]string{
		"stem.norm.bias", "stages.2.blocks.10.downsample.norm.weight", "stages.0.blocks.0.norm3.bias", "stages.1.blocks.01.conv1.weight",
		"bn1.running_var", "blocks.0.0.conv_pw.weight", "blocks.1.1.conv_pw.weight", "blocks.1.1.conv_pwl.weight", "blocks.1.1.bn2.running_mean", "conv_head.weight",
	})
	want := map[string]Name{
		"stem.norm.bias": {Parameter: "root/norm/bias"}, "stages.2.blocks.10.downsample.norm.weight": {Parameter: "stage_2/block_10/down/norm/weight"},
		"stages.0.blocks.0.norm3.bias": {Parameter: "stage_0/block_0/norm3/bias"}, "bn1.running_var": {Parameter: "stem/bn/var"},
		"blocks.0.0.conv_pw.weight": {Parameter: "stage_0/block_0/project/conv/weight"}, "blocks.1.1.conv_pw.weight": {Parameter: "stage_1/block_1/expand/conv/weight"},
		"blocks.1.1.conv_pwl.weight": {Parameter: "stage_1/block_1/project/conv/weight"}, "blocks.1.1.bn2.running_mean": {Parameter: "stage_1/block_1/depthwise/bn/mean"},
		"conv_head.weight": {Parameter: "head/conv/weight"},
	}
	if !maps.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

// TestGoogleNames goes from a ResNet's parameters to Google's names and back.
func TestGoogleNames(t *testing.T) {
	for _, c := range []Config{ResNetV2Of(), ResNetV2Of(3, 4, 9)} {
		var names []string
		want := map[string]Name{}
		for _, p := range c.Parameters() {
			order := nn.Flatten
			if strings.Contains(p.Name, "conv") {
				order = nn.FromHWIO
			}
			name := GoogleName(p.Name)
			names = append(names, name)
			want[name] = Name{p.Name, order}
		}
		if !slices.Contains(names, "gn_root/scale") || len(c.ResNet.Stages) > 0 && !slices.Contains(names, "block3/unit9/conv2/kernel") || len(c.ResNet.Stages) > 0 && !slices.Contains(names, "block1/unit1/gn_proj/bias") {
			t.Errorf("names are %v", names)
		}
		if got := GoogleNames(append(names, "conv_root/scale", "block0/unit1/conv1/kernel", "block1/unit1/gn1/kernel")); !maps.Equal(got, want) {
			t.Errorf("%v, want %v", got, want)
		}
	}
	if name := GoogleName("stage_0/block_0/expand/conv/weight"); name != "" {
		t.Errorf("Google's ResNet has a %s", name)
	}
}

// TestInferErrors: shapes that make no network are an error, not a panic.
func TestInferErrors(t *testing.T) {
	for want, shapes := range map[string]map[string][]int{
		"neither":           {"root/norm/weight": {64}},
		"root has 48":       {"root/conv/weight": {48, 3, 7, 7}},
		"0 stages":          {"stem/conv/weight": {32, 3, 3, 3}},
		"stage 0 of a ResN": {"root/conv/weight": {64, 3, 7, 7}, "stage_0/block_0/conv3/weight": {}},
	} {
		if _, _, err := Infer(shapes); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: %v, want an error with %q", shapes, err, want)
		}
	}
	if err := ResNetV2Of().CheckShapes(map[string][]int{"root/conv/weight": {64, 3, 7, 7}, "root/norm/weight": {64}, "root/norm/bias": {64}, "more": {1}}); err == nil || !strings.Contains(err.Error(), "no more") {
		t.Errorf("a tensor too many: %v", err)
	}
}

// FuzzNames: no names make finding parameters panic, and what is found has that name.
func FuzzNames(f *testing.F) {
	f.Add("stem.conv.weight\nstages.0.blocks.1.conv2.weight\nconv.weight")
	f.Add("conv_stem.weight\nblocks.0.0.conv_pw.weight\nblocks.0.0.conv_pwl.weight\nbn2.running_var")
	f.Add("conv_root/kernel\nblock1/unit1/gn_proj/scale\nblock0/unit1/conv1/kernel")
	f.Fuzz(func(t *testing.T, text string) {
		names := strings.Split(text, "\n")
		for name, found := range TimmNames(names) {
			if !slices.Contains(names, name) {
				t.Errorf("%q wasn't asked for", name)
			}
			expands := func(stage, block string) bool {
				return slices.Contains(names, "blocks."+stage+"."+block+".conv_pwl.weight")
			}
			if back := TimmName(found.Parameter, expands, !strings.HasPrefix(name, "stem.")); found.Parameter != "" && back != name && strings.HasPrefix(name, "stages.") {
				t.Errorf("%q is %q, which is %q", name, found.Parameter, back)
			}
		}
		for name, found := range GoogleNames(names) {
			if back := GoogleName(found.Parameter); back != name {
				t.Errorf("%q is %q, which is %q", name, found.Parameter, back)
			}
		}
	})
}
