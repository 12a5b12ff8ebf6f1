package plots

import (
	"bytes"
	"errors"
	"image"
	"image/color"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"testing"
)

func TestSave(t *testing.T) {
	dir := t.TempDir()
	m := HeatMap{Values: [][]float64{{1, 2}}}
	img, err := m.Image(1)
	if err != nil {
		t.Fatal(err)
	}
	if err := SavePNG(filepath.Join(dir, "a.png"), img); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(filepath.Join(dir, "a.png"))
	if err != nil {
		t.Fatal(err)
	}
	back, err := png.Decode(bytes.NewReader(data))
	if err != nil || back.Bounds() != img.Bounds() {
		t.Errorf("read back %v: %v", back.Bounds(), err)
	}
	if err := SaveSVG(filepath.Join(dir, "a.svg"), m); err != nil {
		t.Fatal(err)
	}
	doc, err := os.ReadFile(filepath.Join(dir, "a.svg"))
	if err != nil {
		t.Fatal(err)
	}
	wellFormed(t, string(doc))
}

func TestSaveFails(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a.svg")
	if err := SaveSVG(path, HeatMap{}); err == nil {
		t.Error("no error for a figure that can't be drawn")
	}
	if err := SavePNG(filepath.Join(dir, "a.png"), image.NewRGBA(image.Rectangle{})); err == nil {
		t.Error("no error for a picture without pixels")
	}
	if left, _ := os.ReadDir(dir); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
	if err := SavePNG(filepath.Join(dir, "no", "a.png"), scenery(2, 2)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("error %v", err)
	}
	if _, err := PNG(HeatMap{}, 1); err == nil {
		t.Error("PNG gave no error")
	}
}

// at returns the colour of an overlay at a pixel of its picture.
func at(t *testing.T, o Overlay, x, y int) color.RGBA {
	t.Helper()
	o.Scale.NoBar = true
	img, err := o.Image(1)
	if err != nil {
		t.Fatal(err)
	}
	return color.RGBAModel.Convert(img.At(pad+x, pad+y)).(color.RGBA)
}

// TestOverlayColours compares the colours of pixels with values computed by hand.
func TestOverlayColours(t *testing.T) {
	grey := image.NewUniform(color.RGBA{100, 150, 200, 255})
	photo := image.NewRGBA(image.Rect(0, 0, 40, 40))
	for i := range 1600 {
		photo.Set(i%40, i/40, grey.C)
	}
	o := Overlay{Picture: photo, Values: [][]float64{{0, 1}}, Width: 40, Interpolation: Nearest, Alpha: 0.25, Scale: Scale{Map: Grey}}
	for x, level := range map[int]float64{5: 0, 34: 255} {
		got := at(t, o, x, 20)
		for i, c := range []struct{ got, photo uint8 }{{got.R, 100}, {got.G, 150}, {got.B, 200}} {
			if want := 0.75*float64(c.photo) + 0.25*level; float64(c.got)-want > 1 || want-float64(c.got) > 1 {
				t.Errorf("channel %d at %d is %d, want %v", i, x, c.got, want)
			}
		}
	}
	o.Values[0][0] = math.NaN()
	if got := at(t, o, 5, 20); got != (color.RGBA{100, 150, 200, 255}) {
		t.Errorf("where the map is NaN the picture is %v", got)
	}
	o.Alpha, o.Scale.Max = 1, 1
	if got := at(t, o, 34, 20); got != (color.RGBA{255, 255, 255, 255}) {
		t.Errorf("with alpha 1 the map hides the picture; got %v", got)
	}
}
