package transform

import (
	"bytes"
	"math"
	"strings"
	"testing"
)

// A normalised tensor is shown as the picture it was made from, byte for byte.
func TestPictureUndoesNormalisation(t *testing.T) {
	for channels, tail := range map[int]string{
		1: "totensor | normalize(0.5,0.5)",
		3: "totensor | normalize([0.485,0.456,0.406],[0.229,0.224,0.225]) | normalize(-0.1,2)",
		4: "totensor",
	} {
		im := noise(33, 21, channels)
		p := mustParse(t, tail)
		got, err := p.Look(0, 0, 0, im)
		if err != nil {
			t.Fatalf("%s: %v", tail, err)
		}
		if got.Width != im.Width || got.Height != im.Height || !bytes.Equal(got.Pix, im.Pix) {
			t.Errorf("%s: another picture", tail)
		}
	}
}

// Without totensor, Look returns the drawn picture with the requested size and draw.
func TestLookAtPictures(t *testing.T) {
	im := noise(20, 30, 3)
	p := mustParse(t, "randomcrop(8,9)")
	a, err := p.Look(1, 2, 3, im)
	if err != nil {
		t.Fatal(err)
	}
	want, err := p.ImageAt(1, 2, 3, im)
	if err != nil || !bytes.Equal(a.Pix, want.Pix) || a.Width != 9 || a.Height != 8 {
		t.Errorf("%dx%d, %v", a.Width, a.Height, err)
	}
	if _, err := p.Look(1, 2, 3, noise(4, 4, 3)); err == nil {
		t.Error("no error for a crop larger than the picture")
	}
}

// A part erased after normalisation is shown in the colour that the erasing value gives.
func TestPictureShowsErased(t *testing.T) {
	im := noise(6, 6, 3)
	got, err := mustParse(t, "totensor | normalize(0.5,0.25) | erase(1,2,3,2,0)").Look(0, 0, 0, im)
	if err != nil {
		t.Fatal(err)
	}
	for y := range 6 {
		for x := range 6 {
			at := (y*6 + x) * 3
			want := im.Pix[at]
			if y >= 1 && y < 4 && x >= 2 && x < 4 {
				want = 128 // the mean
			}
			if got.Pix[at] != want {
				t.Errorf("(%d, %d): %d, want %d", x, y, got.Pix[at], want)
			}
		}
	}
}

func TestPictureErrors(t *testing.T) {
	three := mustParse(t, "totensor | normalize([1,2,3],[1,1,1])")
	for _, c := range []struct {
		p    Pipeline
		t    Tensor
		says string
	}{
		{nil, Tensor{make([]float32, 2), [3]int{2, 1, 1}}, "1, 3 or 4"},
		{nil, Tensor{make([]float32, 2), [3]int{1, 1, 1}}, "not a tensor"},
		{nil, Tensor{nil, [3]int{1, 0, 1}}, "not a tensor"},
		{three, Tensor{make([]float32, 1), [3]int{1, 1, 1}}, "3 means"},
	} {
		if _, err := c.p.Picture(&c.t); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%v: error %v, want one that says %q", c.t, err, c.says)
		}
	}
	odd := float32(math.NaN())
	got, err := Pipeline(nil).Picture(&Tensor{[]float32{odd, -1, 2, float32(math.Inf(1))}, [3]int{1, 2, 2}})
	if err != nil || !bytes.Equal(got.Pix, []uint8{0, 0, 255, 255}) {
		t.Errorf("%v, %v", got, err)
	}
}
