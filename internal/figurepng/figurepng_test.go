package figurepng

import (
	"bytes"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"math/rand/v2"
	"testing"
)

// picture draws a picture whose pixels a function gives.
func picture(width, height int, at func(x, y int) color.RGBA) *image.RGBA {
	img := image.NewRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			img.SetRGBA(x, y, at(x, y))
		}
	}
	return img
}

// noisy is smooth with noise of some strength, as a photograph is, on a white ground.
func noisy(width, height, margin int, noise uint8) *image.RGBA {
	rng := rand.New(rand.NewPCG(1, uint64(noise)))
	return picture(width, height, func(x, y int) color.RGBA {
		if x < margin || y < margin || x >= width-margin || y >= height-margin {
			return color.RGBA{255, 255, 255, 255}
		}
		n := func(v int) uint8 { return uint8(min(255, v+rng.IntN(int(noise)+1))) }
		return color.RGBA{n(x * 200 / width), n(y * 200 / height), n((x + y) * 100 / (width + height)), 255}
	})
}

func TestLossless(t *testing.T) {
	for name, img := range map[string]*image.RGBA{
		"a pixel":      noisy(1, 1, 0, 0),
		"a row":        noisy(700, 1, 0, 40),
		"a column":     noisy(1, 700, 0, 40),
		"flat":         noisy(300, 200, 300, 0),
		"smooth":       noisy(301, 203, 10, 0),
		"a photograph": noisy(640, 480, 20, 9),
		"noise":        noisy(333, 222, 0, 255),
		"a part":       noisy(64, 48, 0, 30).SubImage(image.Rect(5, 7, 60, 40)).(*image.RGBA),
	} {
		data, err := encode(img)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		back, err := png.Decode(bytes.NewReader(data))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		size := image.Rectangle{Max: img.Rect.Size()}
		got, want := image.NewRGBA(size), image.NewRGBA(size)
		draw.Draw(got, size, back, image.Point{}, draw.Src)
		draw.Draw(want, size, img, img.Rect.Min, draw.Src)
		if !back.Bounds().Eq(size) || !bytes.Equal(got.Pix, want.Pix) {
			t.Errorf("%s: the decoded picture differs", name)
		}
	}
}

// TestSize compares with the best compression of image/png: photographs may be 10 % larger,
// charts and pictures that aren't opaque are the same bytes.
func TestSize(t *testing.T) {
	best := func(img image.Image) []byte {
		var buf bytes.Buffer
		if err := (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&buf, img); err != nil {
			t.Fatal(err)
		}
		return buf.Bytes()
	}
	lucid := noisy(80, 60, 0, 50)
	lucid.SetRGBA(3, 3, color.RGBA{1, 1, 1, 128})
	for _, c := range []struct {
		name string
		img  image.Image
		same bool
	}{
		{"a photograph", noisy(320, 240, 20, 9), false},
		{"noise", noisy(320, 240, 20, 255), false},
		{"a chart", noisy(320, 240, 20, 0), true},
		{"transparent", lucid, true},
		{"grey", image.NewGray(image.Rect(0, 0, 20, 20)), true},
	} {
		got, err := Encode(c.img)
		if err != nil {
			t.Fatal(err)
		}
		want := best(c.img)
		if bytes.Equal(got, want) != c.same || float64(len(got)) > 1.1*float64(len(want)) {
			t.Errorf("%s: %d bytes, image/png has %d", c.name, len(got), len(want))
		}
	}
	if _, err := Encode(image.NewRGBA(image.Rectangle{})); err == nil {
		t.Error("a picture without pixels was encoded")
	}
}

func BenchmarkEncode(b *testing.B) {
	img := noisy(1800, 600, 40, 9)
	for b.Loop() {
		if _, err := Encode(img); err != nil {
			b.Fatal(err)
		}
	}
}
