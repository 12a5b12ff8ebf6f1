package caption

import (
	"encoding/json"
	"strings"
	"testing"

	"gaze/pkg/caption/backbone"
)

func TestValidate(t *testing.T) {
	for name, c := range map[string]Config{"CATR": CATR(), "small": Small(90)} {
		if err := c.Validate(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, layers := range []int{18, 34, 50, 101} {
		c := CATR()
		c.Backbone = backbone.ResNetOf(layers, layers >= 50)
		if err := c.Validate(); err != nil {
			t.Errorf("ResNet-%d: %v", layers, err)
		}
	}
	cases := []struct {
		change func(*Config)
		says   string
	}{
		{func(c *Config) { c.Backbone.Kind = "swin" }, "swin"},
		{func(c *Config) { c.Backbone.Width = 1 << 30 }, "beyond any model's"},
		{func(c *Config) { c.LongestSide = 5000 }, "beyond any model's"},
		{func(c *Config) { c.HeadHidden = []int{1 << 30} }, "beyond any model's"},
		{func(c *Config) { c.Dim = 0 }, "dim"},
		{func(c *Config) { c.Heads = 7 }, "7 heads"},
		{func(c *Config) { c.Dim, c.Heads = 6, 1 }, "multiple of 4"},
		{func(c *Config) { c.MaxPositions = 1 }, "max_positions"},
		{func(c *Config) { c.HeadHidden = []int{0} }, "head_hidden"},
		{func(c *Config) { c.NormEps = -1 }, "epsilon"},
		{func(c *Config) { c.EndID = 30522 }, "special piece"},
		{func(c *Config) { c.EncoderLayers = -1 }, "-1 encoder layers"},
	}
	for _, k := range cases {
		c := CATR()
		k.change(&c)
		if err := c.Validate(); err == nil || !strings.Contains(err.Error(), k.says) {
			t.Errorf("%v doesn't say %q", err, k.says)
		}
	}
}

func TestGrid(t *testing.T) {
	c, small := CATR(), Small(90)
	undilated := c
	undilated.Backbone.Dilate = false
	for _, k := range []struct {
		cfg           Config
		height, width int
		want          [2]int
	}{
		{c, 299, 299, [2]int{19, 19}}, {c, 224, 299, [2]int{14, 19}}, {undilated, 224, 299, [2]int{7, 10}},
		{small, 128, 128, [2]int{16, 16}}, {small, 85, 128, [2]int{11, 16}},
	} {
		if got := k.cfg.Grid(k.height, k.width); got != k.want {
			t.Errorf("%d×%d makes %v, want %v", k.height, k.width, got, k.want)
		}
	}
	if c.MaxCells() != 361 {
		t.Errorf("at most %d cells", c.MaxCells())
	}
}

// TestSmallSize checks that the small captioner fits what is shipped: 4 MB in
// float16.
func TestSmallSize(t *testing.T) {
	n := 0
	for _, p := range Small(150).Parameters() {
		n += p.Len()
	}
	if 2*n > 4_000_000 {
		t.Errorf("%d parameters", n)
	}
	t.Logf("%d parameters", n)
}

func FuzzParseConfig(f *testing.F) {
	for _, c := range []Config{CATR(), Small(90)} {
		text, err := json.Marshal(c)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(text))
	}
	f.Add(`{"backbone":{"kind":"patch","stages":[{}]}}`)
	f.Fuzz(func(t *testing.T, text string) {
		c, err := parseConfig(text)
		if err != nil {
			return
		}
		if err := c.Validate(); err != nil {
			t.Fatalf("%q was read and isn't valid: %v", text, err)
		}
		if c.Backbone.Channels() < 1 || c.Backbone.Stride() < 1 {
			t.Fatalf("%q makes no features", text)
		}
	})
}
