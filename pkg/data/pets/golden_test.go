package pets

import (
	"crypto/sha256"
	"encoding/hex"
	"flag"
	"image"
	"image/draw"
	"image/png"
	"os"
	"path/filepath"
	"runtime"
	"testing"
)

var regen = flag.Bool("regen", false, "rewrite the golden picture")

// Weights were trained on the pictures as they are: to change the pictures is to
// train again. Processors that fuse multiplication and addition may set a
// few samples otherwise.
func TestPictureIsTheSameToTheBit(t *testing.T) {
	const want = "cf55cf881f9fef4ad446a883e9778982516c5922f2e77cd5706faa26dbd27512"
	if runtime.GOARCH != "amd64" {
		t.Skip("the checksum was taken on amd64")
	}
	s := sample(t, 1, 7, 3, 96, Natural)
	h := sha256.New()
	h.Write(s.Image.Pix)
	h.Write(s.Foreground.Pix)
	h.Write(s.Head.Pix)
	if got := hex.EncodeToString(h.Sum(nil)); got != want {
		t.Errorf("the picture's checksum is %s, want %s", got, want)
	}
}

// A sheet of all breeds, to be looked at when it changes.
func TestGoldenSheet(t *testing.T) {
	const (
		size    = 64
		columns = 8
		small   = 8         // of 255, in a channel
		may     = 1. / 1000 // share of values that may differ by more
	)
	sheet := image.NewRGBA(image.Rect(0, 0, columns*size, (Classes+columns-1)/columns*size))
	for i := range Classes {
		at := image.Pt(i%columns*size, i/columns*size)
		s := sample(t, 1, i, 0, size, Options{Life: 0.3, View: 0.3})
		draw.Draw(sheet, image.Rectangle{Min: at, Max: at.Add(image.Pt(size, size))}, s.Image, image.Point{}, draw.Src)
	}
	path := filepath.Join("testdata", "breeds_golden.png")
	if *regen {
		savePNG(t, path, sheet)
		return
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatalf("%v; run the test with -regen, and look at the picture", err)
	}
	defer func() { _ = f.Close() }()
	golden, err := png.Decode(f)
	if err != nil {
		t.Fatal(err)
	}
	want := image.NewRGBA(golden.Bounds())
	draw.Draw(want, want.Rect, golden, image.Point{}, draw.Src)
	if want.Rect != sheet.Rect {
		t.Fatalf("the sheet is %v, the golden one %v", sheet.Rect, want.Rect)
	}
	differ := 0
	for i, v := range sheet.Pix {
		if d := int(v) - int(want.Pix[i]); d > small || d < -small {
			differ++
		}
	}
	if share := float64(differ) / float64(len(sheet.Pix)); share > may {
		kept := filepath.Join(os.TempDir(), "breeds_got.png")
		savePNG(t, kept, sheet)
		t.Errorf("%.2f %% of the values differ from %s; see %s", 100*share, path, kept)
	}
}

func savePNG(t *testing.T, path string, im image.Image) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := png.Encode(f, im); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}
