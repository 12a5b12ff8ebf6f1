package transform

import (
	"reflect"
	"strings"
	"testing"
)

// The text of steps that follow timm and transformers parses to the expected values.
func TestParseModelSteps(t *testing.T) {
	for _, c := range []struct {
		spec string
		want Op
		text string // if it isn't spec
	}{
		{"centercrop(28,floor)", CenterCropFloor{28, 28}, ""},
		{"CenterCrop(floor,28,32)", CenterCropFloor{28, 32}, "centercrop(28,32,floor)"},
		{"centercrop(28,fill=[1,2,3])", CenterCropFill{28, 28, Fill{1, 2, 3}}, ""},
		{"centercrop(28,9,fill=7)", CenterCropFill{28, 9, Fill{7}}, ""},
		{"centercrop(28,fill=0)", CenterCrop{28, 28}, "centercrop(28)"},
		{"randomcentercrop(28,floor)", Chance{0.5, CenterCropFloor{28, 28}}, ""},
		{"resize(28,30,cover)", ResizeKeepRatio{28, 30, false, Bilinear}, "resize(28,30,bilinear,cover)"},
		{"resize(28,30,contain,bicubic)", ResizeKeepRatio{28, 30, true, Bicubic}, "resize(28,30,bicubic,contain)"},
		{"resize(28,longest=40)", ResizeEdges{28, 40, Bilinear}, "resize(28,bilinear,longest=40)"},
		{"resize(28,30,box)", ResizeTo{28, 30, Box}, ""},
		{"resize(28,hamming)", ResizeShort{28, Hamming}, ""},
		{"totensor(scale=1)", ToTensor{1}, ""},
		{"totensor(scale=0.00784313725490196)", ToTensor{0.00784313725490196}, ""},
		{"totensor(scale=0.00392156862745098)", ToTensor{}, "totensor"},
		{"totensor()", ToTensor{}, "totensor"},
	} {
		p, err := Parse(c.spec)
		if err != nil {
			t.Errorf("%s: %v", c.spec, err)
			continue
		}
		if !reflect.DeepEqual(p, Pipeline{c.want}) {
			t.Errorf("%s: %#v, want %#v", c.spec, p, c.want)
		}
		if c.text == "" {
			c.text = c.spec
		}
		if p.String() != c.text {
			t.Errorf("%s: text %q, want %q", c.spec, p, c.text)
		}
		if again, err := Parse(p.String()); err != nil || !reflect.DeepEqual(again, p) {
			t.Errorf("%s: %q reads as %#v, %v", c.spec, p, again, err)
		}
	}
}

func TestParseModelStepErrors(t *testing.T) {
	for spec, says := range map[string]string{
		"centercrop(28,floor,fill=3)":    "leave out floor or fill",
		"centercrop(28,round)":           "whole number",
		"centercrop(28,floor,floor)":     "whole number",
		"centercrop(floor)":              "usage: centercrop",
		"resize(28,cover)":               "usage: resize",
		"resize(28,30,cover,contain)":    `no filter "contain"`,
		"resize(28,30,longest=40)":       "usage: resize",
		"resize(28,30,cover,longest=40)": "usage: resize",
		"resize(28,longest=0)":           "between 1 and 8192",
		"resize(28,longest=a)":           "whole number",
		"totensor(scale=0)":              "between 1e-12",
		"totensor(scale=-1)":             "between 1e-12",
		"totensor(0.5)":                  "usage: totensor",
		"totensor(scale=a)":              "number is expected here",
		"totensor | totensor(scale=2)":   "second totensor",
		"totensor(scale=2) | hflip":      "move it before totensor",
		"rotate(5,box)":                  `no filter "box" here`,
	} {
		if _, err := Parse(spec); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: error %v, want one that says %q", spec, err, says)
		}
	}
}

func TestModelStepErrors(t *testing.T) {
	for _, c := range []struct {
		op            ImageOp
		height, width int
		says          string
	}{
		{CenterCropFloor{0, 3}, 9, 9, "positive"},
		{CenterCropFill{3, 0, nil}, 9, 9, "positive"},
		{CenterCropFill{12, 12, Fill{1, 2}}, 9, 9, "2 values"},
		{ResizeKeepRatio{0, 3, false, Bilinear}, 9, 9, "positive"},
		{ResizeKeepRatio{8, 8, true, Bilinear}, 1, 900, "too long and thin"},
		{ResizeKeepRatio{8192, 8192, false, Bilinear}, 1, 90000, "crop it first"},
		{ResizeEdges{3, 0, Bilinear}, 9, 9, "positive"},
		{ResizeEdges{8, 16, Bilinear}, 900, 1, "too long and thin"},
		{Rotate{Degrees: 5, Filter: Box}, 9, 9, "box is only for resizing"},
	} {
		if _, err := c.op.Apply(noise(c.height, c.width, 3)); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: error %v, want one that says %q", c.op, err, c.says)
		}
	}
}

// A tensor with another scale is shown as the picture it was made from, and a worker that
// switches between scales doesn't mix them up.
func TestScaledTensor(t *testing.T) {
	im := noise(11, 13, 3)
	var b Buffers
	for _, spec := range []string{
		"totensor", "totensor(scale=1)", "totensor(scale=0.1) | normalize([1,2,3],[4,5,6])", "totensor | normalize([1,2,3],[4,5,6])", "totensor(scale=1) | normalize([1,2,3],[4,5,6])", "totensor(scale=0.1)",
	} {
		p := mustParse(t, spec)
		want, err := p.Tensor(im)
		if err != nil {
			t.Fatal(err)
		}
		got, err := b.Tensor(p, 0, 0, 0, im)
		if err != nil || !reflect.DeepEqual(got.Data, want.Data) {
			t.Errorf("%s: another tensor in used memory (%v)", spec, err)
		}
		back, err := p.Picture(got)
		if err != nil || !reflect.DeepEqual(back.Pix, im.Pix) {
			t.Errorf("%s: another picture (%v)", spec, err)
		}
	}
	if got := (ToTensor{Scale: 2}).Apply(im).Data[0]; got != 2*float32(im.Pix[0]) {
		t.Errorf("%v", got)
	}
}
