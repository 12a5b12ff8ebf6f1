package webpicture

import (
	"bytes"
	"image"
	"image/color"
	_ "image/jpeg"
	"image/png"
	"math/rand/v2"
	"testing"
)

// filled returns an opaque picture whose pixels are at(x, y).
func filled(w, h int, at func(x, y int) color.RGBA) *image.RGBA {
	img := image.NewRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			img.SetRGBA(x, y, at(x, y))
		}
	}
	return img
}

// noise has a random colour in each pixel, so nearly as many colours as pixels.
func noise(w, h int) *image.RGBA {
	random := rand.New(rand.NewPCG(1, 2))
	return filled(w, h, func(_, _ int) color.RGBA {
		v := random.Uint32()
		return color.RGBA{uint8(v), uint8(v >> 8), uint8(v >> 16), 255}
	})
}

// edges is a chart's kind of picture: white and a line's colour, and many mixtures of both.
func edges(w, h int) *image.RGBA {
	return filled(w, h, func(x, y int) color.RGBA {
		switch {
		case y < h/2:
			return color.RGBA{255, 255, 255, 255}
		case y < h*3/4:
			return color.RGBA{0, 114, 178, 255}
		}
		v := (x*7919 + y*104729) % 1009 // no filter of PNG can predict these
		return color.RGBA{uint8(v % 256), uint8(128 + v%97), uint8(150 + v%3), 255}
	})
}

// furthest is the largest squared distance between two pictures' pixels.
func furthest(t *testing.T, a, b image.Image) int {
	t.Helper()
	if a.Bounds().Size() != b.Bounds().Size() {
		t.Fatalf("sizes %v and %v", a.Bounds().Size(), b.Bounds().Size())
	}
	most := 0
	for y := range a.Bounds().Dy() {
		for x := range a.Bounds().Dx() {
			r, g, bl, _ := a.At(a.Bounds().Min.X+x, a.Bounds().Min.Y+y).RGBA()
			r2, g2, bl2, _ := b.At(b.Bounds().Min.X+x, b.Bounds().Min.Y+y).RGBA()
			d := func(p, q uint32) int { return (int(p>>8) - int(q>>8)) * (int(p>>8) - int(q>>8)) }
			most = max(most, d(r, r2)+d(g, g2)+d(bl, bl2))
		}
	}
	return most
}

func TestEncode(t *testing.T) {
	grey := image.NewGray(image.Rect(3, 4, 30, 20))
	for i := range grey.Pix {
		grey.Pix[i] = uint8(i)
	}
	clear := noise(20, 20)
	clear.SetRGBA(3, 3, color.RGBA{})
	for _, c := range []struct {
		name  string
		img   image.Image
		mime  string
		most  int  // squared distance of a pixel from its own colour
		small bool // in fewer bytes than with its exact colours
	}{
		{"one colour", filled(60, 40, func(_, _ int) color.RGBA { return color.RGBA{9, 8, 7, 255} }), PNG, 0, true},
		{"256 colours", filled(256, 64, func(x, _ int) color.RGBA { return color.RGBA{uint8(x), 200, 100, 255} }), PNG, 0, false},
		{"a chart's edges", edges(400, 300), PNG, tolerance, true},
		{"part of a picture", edges(400, 300).SubImage(image.Rect(7, 120, 300, 290)), PNG, tolerance, true},
		{"grey, not from 0", grey, PNG, 0, false},
		{"a photograph's colours", noise(200, 150), JPEG, 3 * 255 * 255, true},
		{"few but distant colours", noise(60, 40), JPEG, 3 * 255 * 255, true},
		{"not opaque", clear, PNG, 0, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			data, mime, err := Encode(c.img)
			if err != nil || mime != c.mime {
				t.Fatalf("%s, %v; want %s", mime, err, c.mime)
			}
			got, format, err := image.Decode(bytes.NewReader(data))
			if err != nil || "image/"+format != mime {
				t.Fatalf("a file of %s, %v", format, err)
			}
			if d := furthest(t, c.img, got); d > c.most {
				t.Errorf("a pixel is %d away from its colour (squared), at most %d are allowed", d, c.most)
			}
			full, mime, err := Exact(c.img)
			if err != nil || mime != PNG {
				t.Fatal(mime, err)
			}
			if c.small && len(data) >= len(full) {
				t.Errorf("%d bytes, with exact colours %d", len(data), len(full))
			}
			again, _, _ := Encode(c.img)
			if !bytes.Equal(data, again) {
				t.Error("the second time other bytes")
			}
		})
	}
}

// The most frequent colours are exact, however many others there are.
func TestGroundsStayExact(t *testing.T) {
	data, _, err := Encode(edges(400, 300))
	if err != nil {
		t.Fatal(err)
	}
	got, err := png.Decode(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	for y, want := range map[int]color.RGBA{0: {255, 255, 255, 255}, 200: {0, 114, 178, 255}} {
		if c := color.RGBAModel.Convert(got.At(5, y)); c != want {
			t.Errorf("row %d is %v, want %v", y, c, want)
		}
	}
}

func TestExactHasEveryColour(t *testing.T) {
	img := noise(50, 40)
	data, _, err := Exact(img)
	if err != nil {
		t.Fatal(err)
	}
	got, err := png.Decode(bytes.NewReader(data))
	if err != nil || furthest(t, img, got) != 0 {
		t.Errorf("not the same picture (%v)", err)
	}
}

func TestEmptyPicture(t *testing.T) {
	if _, _, err := Encode(image.NewRGBA(image.Rect(0, 0, 0, 5))); err == nil {
		t.Error("no error for a picture without pixels")
	}
}
