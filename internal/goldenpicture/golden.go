// Package goldenpicture compares the pictures that tests draw with golden PNG files in
// testdata. It allows for rounding that differs between processors, and adds the flag
// -regen, which rewrites the golden files. It doesn't know how the pictures are drawn.
package goldenpicture

import (
	"flag"
	"image"
	"image/color"
	"image/png"
	"io"
	"os"
	"path/filepath"
	"testing"

	"gaze/internal/atomicfile"
)

var regen = flag.Bool("regen", false, "rewrite the golden pictures")

// A picture may differ from its golden picture by rounding, which differs between
// processors: slightly in any pixel, and more in a few pixels at edges.
const (
	smallDifference = 12       // of 255, in a channel
	mayDiffer       = 1. / 2e3 // largest fraction of pixels that differ by more
)

// Compare fails the test if the picture differs from testdata/NAME_golden.png. With
// -regen it writes that file instead.
func Compare(t testing.TB, name string, got image.Image) {
	t.Helper()
	path := filepath.Join("testdata", name+"_golden.png")
	if !*regen {
		compare(t, name, got, path)
	} else if err := write(path, got); err != nil {
		t.Fatal(err)
	}
}

func compare(t testing.TB, name string, got image.Image, path string) {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatalf("%v; run the test with -regen, and look at the picture", err)
	}
	defer func() { _ = file.Close() }()
	want, err := png.Decode(file)
	if err != nil {
		t.Fatal(err)
	}
	if got.Bounds() != want.Bounds() {
		keep(t, name, got)
		t.Fatalf("the picture is %v, the golden one %v", got.Bounds().Size(), want.Bounds().Size())
	}
	diff, share := difference(got, want)
	if share > mayDiffer {
		keep(t, name, got)
		keep(t, name+"_difference", diff)
		t.Errorf("%.3f %% of the pixels differ from %s", 100*share, path)
	}
}

// difference returns the absolute difference of two pictures as a picture, and the
// fraction of pixels that differ by more than smallDifference.
func difference(a, b image.Image) (image.Image, float64) {
	r := a.Bounds()
	diff := image.NewRGBA(r)
	n := 0
	for y := r.Min.Y; y < r.Max.Y; y++ {
		for x := r.Min.X; x < r.Max.X; x++ {
			p, q := color.RGBAModel.Convert(a.At(x, y)).(color.RGBA), color.RGBAModel.Convert(b.At(x, y)).(color.RGBA)
			d := color.RGBA{apart(p.R, q.R), apart(p.G, q.G), apart(p.B, q.B), 255}
			diff.SetRGBA(x, y, d)
			if max(d.R, d.G, d.B) > smallDifference {
				n++
			}
		}
	}
	return diff, float64(n) / float64(r.Dx()*r.Dy())
}

func apart(a, b uint8) uint8 { return max(a, b) - min(a, b) }

// keep saves a picture in a folder that isn't removed after the test, and logs its path.
func keep(t testing.TB, name string, img image.Image) {
	t.Helper()
	dir, err := os.MkdirTemp("", "golden")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, name+".png")
	if err := write(path, img); err != nil {
		t.Fatal(err)
	}
	t.Logf("see %s", path)
}

func write(path string, img image.Image) error {
	return atomicfile.Write(path, func(w io.Writer) error { return png.Encode(w, img) })
}
