//go:build goexperiment.simd

package transform

import (
	"bytes"
	"testing"
)

// The vector code gives the same bytes as the plain code, at every size and at the ends
// of the memory.
func TestVectorSameAsPlain(t *testing.T) {
	if !hasAVX2 {
		t.Skip("this processor has no AVX2")
	}
	defer func() { hasAVX2 = true }()
	for _, spec := range []string{
		"resize(7,5,bilinear)", "resize(40,61,bicubic)", "resize(3,90,lanczos)", "resize(90,3,bicubic)", "resize(64,1,lanczos)", "saturation(0.3)", "saturation(1.7)", "saturation(40)", "saturation(0)", "contrast(0.4)", "contrast(1.3)", "brightness(0.7)", "brightness(10000)", "hflip",
	} {
		p := mustParse(t, spec)
		for _, size := range [][2]int{{1, 1}, {2, 9}, {9, 2}, {33, 11}, {11, 33}, {50, 64}, {120, 31}, {5, 200}} {
			for _, channels := range []int{1, 3, 4} {
				im := noise(size[0], size[1], channels)
				im.Pix = bytes.Clone(im.Pix)[:len(im.Pix):len(im.Pix)]
				hasAVX2 = true
				fast, err := p.Image(im)
				if err != nil {
					t.Fatal(err)
				}
				hasAVX2 = false
				plain, err := p.Image(im)
				if err != nil {
					t.Fatal(err)
				}
				if !bytes.Equal(fast.Pix, plain.Pix) {
					t.Errorf("%s of %v, %d channels: other bytes", spec, size, channels)
				}
			}
		}
	}
}
