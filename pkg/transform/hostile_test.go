package transform

import (
	"math"
	"strings"
	"testing"
)

// Steps that would make enormous pictures, alone or in sequence, are errors before the
// memory is allocated.
func TestEnormousPictures(t *testing.T) {
	for _, c := range []struct {
		spec          string
		height, width int
		says          string
	}{
		{"resize(8192)", 1, 100000, "would become"},
		{"resize(8192,lanczos)", 100000, 1, "would become"},
		{"pad(8192) | pad(8192) | pad(8192)", 4, 4, "enormous"},
		{"crop(-32768,-32768,8192,8192) | pad(8192,edge)", 1, 1, "enormous"},
		{"affinemap(0,0,0,0.001,0,0)", 0, 0, "empty"},
		{"rotate(45,expand)", 0, 0, "empty"},
	} {
		if _, err := mustParse(t, c.spec).Image(NewImage(c.width, c.height, 1)); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: error %v, want one that says %q", c.spec, err, c.says)
		}
	}
	for _, spec := range []string{"resize(8193)", "pad(10000)", "crop(0,0,1,9000)", "centercrop(1e9)", "randomcrop(99999)", "resize(-1)", "gaussianblur(8193)"} {
		if _, err := Parse(spec); err == nil || !strings.Contains(err.Error(), "must lie between") {
			t.Errorf("%s: error %v", spec, err)
		}
	}
}

// Invalid numbers are refused in text; in Go they neither panic nor write outside a
// picture.
func TestOddNumbers(t *testing.T) {
	for _, spec := range []string{"rotate(nan)", "brightness(inf)", "hue(nan)", "warp(0,0,nan,0,9,9,0,9 -> 0,0,9,0,9,9,0,9)", "normalize(nan,1)"} {
		if _, err := Parse(spec); err == nil {
			t.Errorf("%s: no error", spec)
		}
	}
	im := noise(9, 7, 3)
	for _, v := range []float64{math.NaN(), math.Inf(1), math.Inf(-1), 1e300, -1e300, math.SmallestNonzeroFloat64} {
		for _, op := range []ImageOp{
			Rotate{Degrees: v}, Rotate{Degrees: v, Expand: true, Filter: Bicubic}, Affine{Angle: v, Scale: 1}, Affine{Scale: v}, Affine{Scale: 1, ShearX: v, Filter: Bilinear},
			Brightness{v}, Contrast{v}, Saturation{v}, Hue{v}, Sharpness{v}, Solarize{v}, GaussianBlur{3, 3, v}, PILBlur{v},
			Warp{From: [4][2]float64{{v, 0}, {9, 0}, {9, 9}, {0, 9}}, To: [4][2]float64{{0, 0}, {9, 0}, {9, 9}, {0, 9}}},
			Warp{From: [4][2]float64{{0, 0}, {9, 0}, {9, 9}, {0, 9}}, To: [4][2]float64{{0, v}, {9, 0}, {9, 9}, {0, 9}}, Filter: Bicubic},
		} {
			func() {
				defer func() {
					if r := recover(); r != nil {
						t.Errorf("%#v: panic: %v", op, r)
					}
				}()
				if out, err := op.Apply(im); err == nil && len(out.Pix) != out.Width*out.Height*out.Channels {
					t.Errorf("%#v: %d bytes for %dx%d", op, len(out.Pix), out.Width, out.Height)
				}
			}()
		}
	}
}
