package transform

import (
	"errors"
	"reflect"
	"strings"
	"testing"
)

// Each step's text parses to the expected value, and the value's text parses to the same.
func TestParseSteps(t *testing.T) {
	for _, c := range []struct {
		spec string
		want Op
		text string // if it isn't spec
	}{
		{"identity", Identity{}, ""},
		{"randomhflip", Chance{0.5, HFlip{}}, ""},
		{"hflip(p=0.5)", Chance{0.5, HFlip{}}, "randomhflip"},
		{"randomvflip(p=0.25)", Chance{0.25, VFlip{}}, ""},
		{"solarize(128,p=0.25)", Chance{0.25, Solarize{128}}, "randomsolarize(128,p=0.25)"},
		{"randomgrayscale", Chance{0.1, Grayscale{0}}, "randomgrayscale(keep)"},
		{"grayscale", Grayscale{1}, "grayscale(1)"},
		{"grayscale(3,p=1)", Chance{1, Grayscale{3}}, "randomgrayscale(3,p=1)"},
		{"rotate(30)", Rotate{Degrees: 30, Filter: Nearest}, ""},
		{"rotate(1e-3,expand,bilinear,fill=7)", Rotate{0.001, Bilinear, true, Fill{7}}, "rotate(0.001,bilinear,expand,fill=7)"},
		{"rotate(degrees=2,fill=0)", Rotate{Degrees: 2, Filter: Nearest}, "rotate(2)"},
		{"rotation(30)", RandomRotation{Degrees: Range{-30, 30}, Filter: Nearest}, ""},
		{"rotation(5:40,bicubic)", RandomRotation{Degrees: Range{5, 40}, Filter: Bicubic}, ""},
		{"randomrotation(30)", RandomRotation{Degrees: Range{-30, 30}, Filter: Nearest}, "rotation(30)"},
		{"affinemap(10,1,-2,1.5,0,3)", Affine{Angle: 10, DX: 1, DY: -2, Scale: 1.5, ShearY: 3, Filter: Nearest}, ""},
		{"affinemap(0,0,0,1,5,0,topleft,bilinear,fill=[1,2,3])", Affine{Scale: 1, ShearX: 5, Filter: Bilinear, TopLeft: true, Fill: Fill{1, 2, 3}}, ""},
		{"affine(0)", RandomAffine{Filter: Nearest}, ""},
		{"affine(-5:10,translate=[0.1,0],scale=1:2,shear=3,sheary=0:4)", RandomAffine{Range{-5, 10}, [2]float64{0.1, 0}, Range{1, 2}, Range{-3, 3}, Range{0, 4}, Nearest, nil}, ""},
		{"perspective(0.2,p=0.5)", RandomPerspective{Distortion: 0.2, P: 0.5}, ""},
		{"perspective", RandomPerspective{Distortion: 0.5, P: 0.5}, "perspective(0.5,p=0.5)"},
		{"perspective(0.1,p=1,nearest,fill=255)", RandomPerspective{0.1, 1, Nearest, Fill{255}}, ""},
		{"warp(0,0,9,0,9,9,0,9 -> 1,1,8,0,9,8,0,9)", Warp{From: [4][2]float64{{0, 0}, {9, 0}, {9, 9}, {0, 9}}, To: [4][2]float64{{1, 1}, {8, 0}, {9, 8}, {0, 9}}}, ""},
		{"warp(0,0,9,0,9,9,0,9->1,1,8,0,9,8,0,-9.5,nearest)", Warp{From: [4][2]float64{{0, 0}, {9, 0}, {9, 9}, {0, 9}}, To: [4][2]float64{{1, 1}, {8, 0}, {9, 8}, {0, -9.5}}, Filter: Nearest}, "warp(0,0,9,0,9,9,0,9 -> 1,1,8,0,9,8,0,-9.5,nearest)"},
		{"pad(4)", Pad{4, 4, 4, 4, Constant, nil}, ""},
		{"pad(1,2,reflect)", Pad{1, 2, 1, 2, Reflect, nil}, "pad(1,2,1,2,reflect)"},
		{"pad(1,2,3,-4,fill=[5,6,7])", Pad{1, 2, 3, -4, Constant, Fill{5, 6, 7}}, ""},
		{"randomcrop(8)", RandomCrop{Height: 8, Width: 8}, ""},
		{"randomcrop(8,9,padding=4,edge)", RandomCrop{8, 9, Pad{4, 4, 4, 4, Edge, nil}, false}, ""},
		{"randomcrop(8,padding=[1,2,3,4],ifneeded,fill=9)", RandomCrop{8, 8, Pad{1, 2, 3, 4, Constant, Fill{9}}, true}, ""},
		{"randomresizedcrop(224)", RandomResizedCrop{224, 224, usualScale, usualRatio, Bilinear}, ""},
		{"randomresizedcrop(4,5,scale=0.5,ratio=1:2,bicubic)", RandomResizedCrop{4, 5, Range{0.5, 0.5}, Range{1, 2}, Bicubic}, "randomresizedcrop(4,5,scale=0.5:0.5,ratio=1:2,bicubic)"},
		{"brightness(1.5)", Brightness{1.5}, ""},
		{"contrast(0)", Contrast{0}, ""},
		{"saturation(factor=2)", Saturation{2}, "saturation(2)"},
		{"hue(-0.25)", Hue{-0.25}, ""},
		{"sharpness(3)", Sharpness{3}, ""},
		{"jitter(0.5:1.5,0.5:1.5,0.5:1.5)", Jitter{Range{0.5, 1.5}, Range{0.5, 1.5}, Range{0.5, 1.5}, noShift}, ""},
		{"jitter(0.4,hue=0.1,saturation=2)", Jitter{Range{0.6, 1.4}, noFactor, Range{0, 3}, Range{-0.1, 0.1}}, "jitter(0.6:1.4,1:1,0:3,-0.1:0.1)"},
		{"gaussianblur(3)", RandomBlur{3, 3, usualSigma}, "gaussianblur(3,0.1:2)"},
		{"gaussianblur([3,5],1.5)", GaussianBlur{3, 5, 1.5}, ""},
		{"pilblur(1.5)", PILBlur{1.5}, ""},
		{"invert", Invert{}, ""},
		{"posterize(4)", Posterize{4}, ""},
		{"equalize", Equalize{}, ""},
		{"autocontrast", AutoContrast{}, ""},
		{"randaugment", RandAugment{2, 9, 31}, "randaugment(2,9,bins=31)"},
		{"randaugment(3,5,bins=10)", RandAugment{3, 5, 10}, ""},
		{"trivialaugmentwide", TrivialAugment{31}, "trivialaugmentwide(bins=31)"},
		{"3augment", ThreeAugment{}, ""},
		{"totensor | erase(1,2,3,4,0.5)", Erase{1, 2, 3, 4, []float32{0.5}, 0}, ""},
		{"totensor | erase(1,2,3,4,noise=18446744073709551615)", Erase{1, 2, 3, 4, nil, 1<<64 - 1}, ""},
		{"totensor | randomerasing", RandomErasing{0.5, usualErasedScale, usualErasedRatio, []float32{0}}, "totensor | randomerasing(p=0.5)"},
		{"totensor | randomerasing(p=1,scale=0.1:0.2,ratio=1:2,value=[1,2,3])", RandomErasing{1, Range{0.1, 0.2}, Range{1, 2}, []float32{1, 2, 3}}, ""},
		{"totensor | randomerasing(p=1,value=random)", RandomErasing{1, usualErasedScale, usualErasedRatio, nil}, ""},
		{"totensor | erasecells(12,0.5,seed=7)", EraseCells{12, 0.5, 7, nil}, ""},
		{"totensor | erasecells(12,0.5,seed=7,value=[1,2,3])", EraseCells{12, 0.5, 7, []float32{1, 2, 3}}, ""},
		{"totensor | randomerasecells(12,share=0:0.75)", RandomEraseCells{12, Range{0, 0.75}, nil}, ""},
		{"totensor | randomerasecells(12,share=0.5,value=1)", RandomEraseCells{12, Range{0.5, 0.5}, []float32{1}}, "totensor | randomerasecells(12,share=0.5:0.5,value=1)"},
	} {
		p, err := Parse(c.spec)
		if err != nil {
			t.Errorf("%s: %v", c.spec, err)
			continue
		}
		if got := p[len(p)-1]; !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: %#v, want %#v", c.spec, got, c.want)
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

func TestParseStepErrors(t *testing.T) {
	for _, c := range []struct {
		spec   string
		column int
		says   string
	}{
		{"randomnothing", 1, `no step "randomnothing"`},
		{"randomtotensor", 1, "can't happen at random"},
		{"hflip(p=2)", 9, "between 0 and 1"},
		{"hflip(q=2)", 9, `has no "q"`},
		{"invert(1)", 8, "takes no arguments"},
		{"rotation", 1, "usage: rotation(degrees"},
		{"rotation(-5)", 10, "a range like"},
		{"rotation([1,2])", 10, "a range like"},
		{"rotation(5:)", 12, "range's end"},
		{"rotation(5:1)", 10, "from the smaller"},
		{"rotation(5,lanczos)", 12, `no filter "lanczos" here; the filters are bilinear, bicubic, nearest`},
		{"rotation(5,fill=300)", 17, "0 to 255"},
		{"rotation(5,fill=a)", 17, "a number or a list"},
		{"rotate(1e9)", 8, "between -1e+06 and 1e+06"},
		{"rotate(1:2)", 8, "a number is expected here"},
		{"affinemap(1,2)", 1, "usage: affinemap"},
		{"affinemap(1,2,3,0,0,0)", 17, "between 0.001 and 1000"},
		{"affine(5,translate=[2,0])", 20, "two parts"},
		{"warp(1,2,3)", 1, "usage: warp"},
		{"warp(0,0,9,0,9,9,0,9,1,1,8,0,9,8,0,9)", 1, "usage: warp"},
		{"warp(0,0,9,0 -> 9,9,0,9,1,1,8,0,9,8,0,9)", 1, "usage: warp"},
		{"pad(1,2,3)", 1, "usage: pad"},
		{"pad(1.5)", 5, "whole number"},
		{"randomcrop(9,padding=[1,2,3])", 22, "one number or a list"},
		{"randomresizedcrop(9,scale=0:2)", 27, "between 0 and 1"},
		{"brightness(-1)", 12, "between 0 and"},
		{"hue(0.6)", 5, "between -0.5 and 0.5"},
		{"jitter(0.5:1.5,-0.5:1)", 16, "between 0 and"},
		{"grayscale(2)", 1, "1 or 3"},
		{"gaussianblur(4)", 14, "odd"},
		{"gaussianblur([1,2,3])", 1, "usage: gaussianblur"},
		{"gaussianblur(3,0)", 16, "between 0.001"},
		{"posterize(9)", 11, "between 1 and 8"},
		{"posterize", 1, "usage: posterize"},
		{"randaugment(2,31)", 1, "more than 31 bins"},
		{"totensor | erase(1,2,3,4)", 12, "usage: erase"},
		{"totensor | erase(1,2,3,4,noise=-1)", 32, "whole number"},
		{"totensor | randomerasing(value=x)", 32, "a number or a list"},
		{"randomerasing", 1, "put totensor before it"},
		{"randomerasecells(3,share=0:1)", 1, "put totensor before it"},
		{"totensor | erasecells(12,0.5)", 12, "usage: erasecells"},
		{"totensor | erasecells(0,0.5,seed=1)", 23, "between 1"},
		{"totensor | randomerasecells(3)", 12, "usage: randomerasecells"},
		{"totensor | randomerasecells(3,share=0:2)", 37, "between 0 and 1"},
		{"totensor | rotation(5)", 12, "move it before totensor"},
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
	}
}

// Invalid steps made without the parser give errors too.
func TestStepErrors(t *testing.T) {
	im := noise(9, 8, 3)
	for _, c := range []struct {
		op   ImageOp
		says string
	}{
		{Rotate{Degrees: 5, Filter: Lanczos}, "lanczos"},
		{Rotate{Degrees: 5, Fill: Fill{1, 2}}, "2 values"},
		{Affine{}, "scale"},
		{Warp{}, "on a line"},
		{Warp{From: [4][2]float64{{0, 0}, {9, 0}, {9, 9}, {0, 9}}, To: [4][2]float64{{0, 0}, {1, 1}, {2, 2}, {5, 0}}}, "on a line"},
		{Pad{Left: -8}, "empty"},
		{Pad{Left: -8, Right: 9, Mode: Edge}, "nothing of the picture"},
		{Pad{Left: 1, Fill: Fill{1, 2}}, "2 values"},
		{Brightness{-1}, "negative"}, {Contrast{-1}, "negative"}, {Saturation{-1}, "negative"}, {Sharpness{-1}, "negative"},
		{Hue{0.7}, "between -0.5 and 0.5"},
		{Posterize{0}, "between 1 and 8"},
		{Grayscale{2}, "1 or 3"},
		{GaussianBlur{2, 3, 1}, "odd"}, {GaussianBlur{3, 3, 0}, "positive"},
		{PILBlur{-1}, "radius"},
		{Sequence{Hue{0.7}}, "between"},
	} {
		if _, err := c.op.Apply(im); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: error %v, want one that says %q", c.op, err, c.says)
		}
	}
	tensor := ToTensor{}.Apply(im)
	for _, e := range []Erase{{0, 0, 10, 1, nil, 0}, {-1, 0, 1, 1, nil, 0}, {0, 0, 1, 1, []float32{1, 2}, 0}} {
		if e.Apply(tensor) == nil {
			t.Errorf("%s: no error", e)
		}
	}
}

func TestUsages(t *testing.T) {
	list := Usages()
	if len(list) != len(makers) || !strings.HasPrefix(list[0], "3augment") {
		t.Errorf("%q", list)
	}
}
