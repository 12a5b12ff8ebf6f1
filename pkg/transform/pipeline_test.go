package transform

import (
	"errors"
	"image"
	"image/color"
	"reflect"
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	for _, c := range []struct {
		spec, text string
		want       Pipeline
	}{
		{"resize(256)", "resize(256,bilinear)", Pipeline{ResizeShort{256, Bilinear}}},
		{" Resize( 256 , Bicubic )|CENTERCROP(224) ", "resize(256,bicubic) | centercrop(224)", Pipeline{ResizeShort{256, Bicubic}, CenterCrop{224, 224}}},
		{"resize(3,4,lanczos)", "resize(3,4,lanczos)", Pipeline{ResizeTo{3, 4, Lanczos}}},
		{"resize(3,4,nearest) | centercrop(2,3)", "resize(3,4,nearest) | centercrop(2,3)", Pipeline{ResizeTo{3, 4, Nearest}, CenterCrop{2, 3}}},
		{"crop(-1,0,2,3)|hflip|vflip()", "crop(-1,0,2,3) | hflip | vflip", Pipeline{Crop{-1, 0, 2, 3}, HFlip{}, VFlip{}}},
		{"rotate(-30.5)", "rotate(-30.5)", Pipeline{Rotate{Degrees: -30.5, Filter: Nearest}}},
		{"totensor", "totensor", Pipeline{ToTensor{}}},
		{"totensor|normalize(.5,0.25)", "totensor | normalize(0.5,0.25)", Pipeline{ToTensor{}, Normalize{[]float32{0.5}, []float32{0.25}}}},
		{"totensor|normalize([0.485,0.456, 0.406],[1,1,2])", "totensor | normalize([0.485,0.456,0.406],[1,1,2])",
			Pipeline{ToTensor{}, Normalize{[]float32{0.485, 0.456, 0.406}, []float32{1, 1, 2}}}},
	} {
		p, err := Parse(c.spec)
		if err != nil {
			t.Errorf("%s: %v", c.spec, err)
			continue
		}
		if !reflect.DeepEqual(p, c.want) {
			t.Errorf("%s: %#v, want %#v", c.spec, p, c.want)
		}
		if p.String() != c.text {
			t.Errorf("%s: text %q, want %q", c.spec, p, c.text)
		}
	}
}

func TestParseErrors(t *testing.T) {
	for _, c := range []struct {
		spec   string
		column int
		says   string
	}{
		{"", 1, "name is expected here"},
		{"hflip | ", 9, "name is expected here"},
		{"hflip | blur(3)", 9, `no step "blur"; the steps are 3augment, affine`},
		{"hflip vflip", 7, "'|' is expected here"},
		{"hflip(1)", 7, "no arguments"},
		{"resize", 1, "usage: resize(height"},
		{"resize(1,2,3)", 1, "usage: resize(height"},
		{"resize(0)", 8, "between 1 and 8192"},
		{"resize(2.5)", 8, "whole number"},
		{"resize(nan)", 8, "no filter"},
		{"resize(1e99999)", 8, "no filter"},
		{"resize([1,2])", 8, "whole number"},
		{"resize(9,cubic)", 10, "filters are bilinear, bicubic, nearest, lanczos"},
		{"resize(9", 7, "never closed"},
		{"resize(9;", 9, "',' or ')'"},
		{"resize(,", 8, "value is expected here"},
		{"centercrop()", 1, "usage: centercrop"},
		{"centercrop(x)", 12, "whole number"},
		{"crop(1,2,3)", 1, "usage: crop"},
		{"crop(0,0,0,4)", 10, "between 1 and 8192"},
		{"rotate", 1, "usage: rotate"},
		{"rotate([1,2])", 8, "usage: rotate"},
		{"normalize(0.5,0.5)", 1, "put totensor before it"},
		{"totensor | hflip", 12, "move it before totensor"},
		{"totensor | totensor", 12, "second totensor"},
		{"totensor | normalize(0.5)", 12, "usage: normalize"},
		{"totensor | normalize(0.5,0)", 26, "can't be 0"},
		{"totensor | normalize(0.5,[1,0])", 26, "can't be 0"},
		{"totensor | normalize(a,1)", 22, "a number or a list"},
		{"totensor | normalize([1,2,3,4,5],1)", 22, "up to 4"},
		{"totensor | normalize([1,x],1)", 25, "a number is expected here"},
		{"totensor | normalize([1 2],1)", 25, "',' or ']'"},
		{"é", 1, "name is expected here"},
	} {
		_, err := Parse(c.spec)
		var syntax *SyntaxError
		if !errors.As(err, &syntax) {
			t.Errorf("%q: error %v, want a SyntaxError", c.spec, err)
			continue
		}
		if syntax.Column != c.column || !strings.Contains(syntax.Reason, c.says) {
			t.Errorf("%q: column %d, %q; want %d, %q", c.spec, syntax.Column, syntax.Reason, c.column, c.says)
		}
		lines := strings.Split(err.Error(), "\n")
		if len(lines) != 3 || strings.Index(lines[2], "^") != c.column+1 {
			t.Errorf("%q: the caret is elsewhere:\n%v", c.spec, err)
		}
	}
}

func TestApplyErrors(t *testing.T) {
	im := NewImage(4, 3, 3)
	for _, p := range []Pipeline{
		{ResizeTo{0, 4, Bilinear}}, {ResizeShort{-1, Bilinear}}, {CenterCrop{0, 1}}, {Crop{0, 0, -1, 1}},
	} {
		if _, err := p.Image(im); err == nil || !strings.Contains(err.Error(), "positive") {
			t.Errorf("%s: error %v", p, err)
		}
		if _, err := p.Tensor(im); err == nil {
			t.Errorf("%s: no error for a tensor", p)
		}
	}
	for _, c := range []struct {
		p    Pipeline
		says string
	}{
		{Pipeline{HFlip{}}, "totensor"},
		{Pipeline{Normalize{[]float32{1}, []float32{1}}}, "before totensor"},
		{Pipeline{ToTensor{}, Normalize{[]float32{1, 2}, []float32{1}}}, "3 channels"},
		{Pipeline{ToTensor{}, Normalize{[]float32{1}, []float32{0}}}, "deviation of 0"},
	} {
		if _, err := c.p.Tensor(im); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: error %v, want one that says %q", c.p, err, c.says)
		}
	}
	if _, err := (ResizeShort{30000, Bilinear}).Apply(NewImage(2, 60, 1)); err == nil || !strings.Contains(err.Error(), "crop it first") {
		t.Errorf("an enormous result: %v", err)
	}
	if s := Filter(9).String(); s != "Filter(9)" {
		t.Error(s)
	}
}

// A picture converted to an image.Image and back is unchanged.
func TestImageInterface(t *testing.T) {
	for _, channels := range []int{1, 3, 4} {
		im := noise(3, 5, channels)
		if channels == 4 {
			im.Pix[3] = 7 // not opaque
		}
		var src image.Image = im
		if got := FromImage(src); !reflect.DeepEqual(got, im) || &got.Pix[0] == &im.Pix[0] {
			t.Errorf("%d channels: not a copy", channels)
		}
		plain := image.NewNRGBA(image.Rect(2, 1, 7, 4))
		for y := range 3 {
			for x := range 5 {
				plain.Set(2+x, 1+y, im.At(x, y))
			}
		}
		got := FromImage(plain)
		for y := range 3 {
			for x := range 5 {
				if a, b := color.NRGBAModel.Convert(got.At(x, y)), color.NRGBAModel.Convert(im.At(x, y)); a != b {
					t.Fatalf("%d channels at (%d, %d): %v, want %v", channels, x, y, a, b)
				}
			}
		}
		if im.ColorModel().Convert(im.At(1, 1)) != im.At(1, 1) || im.At(-1, 0) != (color.NRGBA{}) {
			t.Errorf("%d channels: colour model or outside", channels)
		}
	}
	grey := image.NewGray(image.Rect(0, 0, 4, 2))
	grey.Pix[5] = 9
	if got := FromImage(grey.SubImage(image.Rect(1, 1, 3, 2))); got.Channels != 1 || got.Width != 2 || got.Pix[0] != 9 {
		t.Errorf("part of a grey picture: %+v", got)
	}
	rgba := image.NewRGBA(image.Rect(0, 0, 1, 1))
	rgba.Set(0, 0, color.RGBA{R: 10, G: 20, B: 30, A: 255})
	if got := FromImage(rgba); !reflect.DeepEqual(got.Pix, []uint8{10, 20, 30}) {
		t.Errorf("an opaque picture: %+v", got)
	}
}

func FuzzParse(f *testing.F) {
	for _, spec := range []string{
		"resize(256,bicubic) | centercrop(224) | totensor | normalize([0.485,0.456,0.406],[0.229,0.224,0.225])",
		"crop(-1,2,3,4) | rotate(1e-3) | hflip | vflip", "resize(3,4,nearest)|totensor|normalize(0.5,.5)", "é|", "resize(((", "hflip(", "[",
	} {
		f.Add(spec)
	}
	for _, spec := range randomSpecs {
		f.Add(spec)
	}
	f.Add("centercrop(28,32,floor)|centercrop(9,fill=[1,2,3])|resize(9,8,contain,box)|resize(9,longest=12,hamming)|totensor(scale=0.00784313725490196)")
	f.Add("warp(0,0,9,0,9,9,0,9->1,1,8,0,9,8,0,-9.5,nearest) | affinemap(0,0,0,1,5,0,topleft) | hflip(p=0.5) | totensor | erase(1,2,3,4,noise=5)")
	f.Fuzz(func(t *testing.T, spec string) {
		p, err := Parse(spec)
		if err != nil {
			var syntax *SyntaxError
			if !errors.As(err, &syntax) || syntax.Column < 1 || syntax.Column > len(spec)+1 {
				t.Fatalf("%q: %#v", spec, err)
			}
			return
		}
		again, err := Parse(p.String())
		if err != nil || again.String() != p.String() {
			t.Fatalf("%q gives %q, which gives %q, %v", spec, p, again, err)
		}
	})
}

func BenchmarkResize(b *testing.B) {
	im := noise(480, 640, 3)
	b.ReportAllocs()
	for _, f := range []Filter{Bilinear, Bicubic} {
		b.Run(f.String(), func(b *testing.B) {
			for b.Loop() {
				Resize(im, 224, 224, f)
			}
		})
	}
}
