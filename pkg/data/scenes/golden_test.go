package scenes

import (
	"crypto/sha256"
	"encoding/hex"
	"flag"
	"image"
	imagedraw "image/draw"
	"image/png"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"gaze/pkg/data/internal/draw"
)

var regen = flag.Bool("regen", false, "rewrite the golden picture")

// Weights were trained on the pictures as they are: to change the pictures is to
// train again. Processors that fuse multiplication and addition may set a
// few samples otherwise.
func TestScenesAreTheSameToTheBit(t *testing.T) {
	const want = "6d9e6dd6cee526a12e70051671d84e4b87f1838d0209dcd6fc4a5bc9cd01f329"
	if runtime.GOARCH != "amd64" {
		t.Skip("the checksum was taken on amd64")
	}
	h := sha256.New()
	for i := range 16 {
		s := scene(t, 1, i, 64, Split(i%4))
		h.Write(s.Image.Pix)
		for _, c := range s.Captions {
			_, _ = io.WriteString(h, c+"\n")
		}
		for _, n := range s.Nouns {
			_, _ = io.WriteString(h, n.Word+"\n")
			h.Write(n.Mask.Pix)
		}
	}
	if got := hex.EncodeToString(h.Sum(nil)); got != want {
		t.Errorf("the checksum of 16 pictures is %s, want %s", got, want)
	}
}

// A sheet of the five named pictures and of everything that is done, to be
// looked at when it changes.
func TestGoldenSheet(t *testing.T) {
	const (
		size    = 80
		columns = 6
		small   = 8         // of 255, in a channel
		may     = 1. / 1000 // share of values that may differ by more
	)
	var shots []Scene
	for _, name := range ReportNames() {
		s, err := Report(name, size)
		if err != nil {
			t.Fatal(err)
		}
		shots = append(shots, s)
	}
	for does := range actions {
		s := draw.NewStream(8, uint64(does))
		p := choosePlan(s)
		for p.does != does {
			p = choosePlan(s)
		}
		shots = append(shots, drawPlan(p, size, func(aspect uint64) *draw.Stream { return draw.NewStream(9, uint64(does), aspect) }))
	}
	sheet := image.NewRGBA(image.Rect(0, 0, columns*size, (len(shots)+columns-1)/columns*size))
	for i, s := range shots {
		at := image.Pt(i%columns*size, i/columns*size)
		imagedraw.Draw(sheet, image.Rectangle{Min: at, Max: at.Add(image.Pt(size, size))}, s.Image, image.Point{}, imagedraw.Src)
	}
	path := filepath.Join("testdata", "scenes_golden.png")
	if *regen {
		savePNG(t, path, sheet)
		return
	}
	want := loadPNG(t, path)
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
		kept := filepath.Join(os.TempDir(), "scenes_got.png")
		savePNG(t, kept, sheet)
		t.Errorf("%.2f %% of the values differ from %s; see %s", 100*share, path, kept)
	}
}

func loadPNG(t *testing.T, path string) *image.RGBA {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatalf("%v; run the test with -regen, and look at the picture", err)
	}
	defer func() { _ = f.Close() }()
	golden, err := png.Decode(f)
	if err != nil {
		t.Fatal(err)
	}
	out := image.NewRGBA(golden.Bounds())
	imagedraw.Draw(out, out.Rect, golden, image.Point{}, imagedraw.Src)
	return out
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
