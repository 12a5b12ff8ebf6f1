package transform

import (
	"reflect"
	"strings"
	"testing"
)

func TestBackgroundText(t *testing.T) {
	for _, c := range []struct {
		spec string
		want Op
		text string
	}{
		{"background", Background{}, "background(255)"},
		{"background(255)", Background{}, "background(255)"},
		{"background([255,255,255])", Background{}, "background(255)"},
		{"Background(colour=[1,2,3])", Background{Fill{1, 2, 3}}, "background([1,2,3])"},
		{"background(0)", Background{Fill{0}}, "background(0)"},
		{"background([7,7,7])", Background{Fill{7, 7, 7}}, "background(7)"},
	} {
		p, err := Parse(c.spec + " | hflip | totensor")
		if err != nil || !reflect.DeepEqual(p[0], c.want) || p[0].String() != c.text {
			t.Errorf("%s: %#v, %v", c.spec, p, err)
			continue
		}
		if got := p.Background(); got == nil || *got != c.want.(Background).RGB() {
			t.Errorf("%s: the colour is %v", c.spec, got)
		}
		if channels, _, _, _ := p.OutputSize(); channels != 3 || p.Random() {
			t.Errorf("%s: %d channels, random %v", c.spec, channels, p.Random())
		}
		drawn, err := p.Draw(1, 2, 3, 9, 9)
		if err != nil || drawn.Background() == nil {
			t.Errorf("%s is drawn as %s, %v", c.spec, drawn, err)
		}
	}
	if p := mustParse(t, "hflip | totensor"); p.Background() != nil || Pipeline(nil).Background() != nil {
		t.Error("a background where none is asked for")
	}
}

func TestBackgroundErrors(t *testing.T) {
	for spec, says := range map[string]string{
		"hflip | background":         "must be the first step",
		"background | background":    "must be the first step",
		"background(p=0.5)":          "can't happen at random",
		"randombackground":           "can't happen at random",
		"background([1,2])":          "one number or three",
		"background([1,2,3,4])":      "one number or three",
		"background(256)":            "whole numbers from 0 to 255",
		"background(0.5)":            "whole numbers from 0 to 255",
		"background(white)":          "a number or a list",
		"background(1,2,3)":          "usage: background",
		"totensor | background(255)": "must be the first step",
	} {
		if p, err := Parse(spec); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %s, %v; want an error that says %q", spec, p, err, says)
		}
	}
	if _, err := (Background{Fill{1, 2}}).Apply(noise(3, 3, 4)); err == nil || !strings.Contains(err.Error(), "3") {
		t.Errorf("two values: %v", err)
	}
}
