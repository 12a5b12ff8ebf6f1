package explain

import (
	"encoding/xml"
	"errors"
	"io"
	"math"
	"strings"
	"testing"

	"gaze/pkg/backend"
	"gaze/pkg/plots"
	"gaze/pkg/transform"
	"gaze/pkg/vit"
)

// tiny is a model with random weights: 2 layers of 2 heads, a grid of rows x cols.
func tiny(t *testing.T, rows, cols int) *vit.Model {
	t.Helper()
	m, err := vit.New(vit.Config{
		ImageSize: [2]int{4 * rows, 4 * cols}, PatchSize: [2]int{4, 4}, Channels: 3,
		Dim: 8, Depth: 2, Heads: 2, MLPDim: 16, ClassToken: true, NormEps: 1e-6,
		QKVBias: true, PatchBias: true, FinalNorm: true,
	}, 1)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// draws checks that a figure can be drawn as pixels and as well-formed SVG.
func draws(t *testing.T, what string, f plots.Figure, err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
	img, err := f.Image(1)
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
	if b := img.Bounds(); b.Dx() < 50 || b.Dy() < 50 {
		t.Errorf("%s is only %v", what, b)
	}
	svg, err := f.SVG()
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
	for d := xml.NewDecoder(strings.NewReader(svg)); ; {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatalf("%s: SVG: %v", what, err)
		}
	}
}

func TestPositionFigures(t *testing.T) {
	p, err := PositionsOf(tiny(t, 5, 20))
	if err != nil {
		t.Fatal(err)
	}
	if n := p.Rows * p.Cols; n != 100 || len(p.Matrix()) != n || math.Abs(p.Matrix()[7][7]-1) > 1e-6 {
		t.Fatalf("grid %dx%d, similarity of a position with itself %v", p.Rows, p.Cols, p.Matrix()[7][7])
	}
	draws(t, "atlas", p.Atlas(), nil)
	if a := p.Atlas().(plots.Atlas); len(a.Maps) != 3 || len(a.Maps[0]) != 10 || !strings.Contains(a.Subtitle, "every 2nd") {
		t.Errorf("atlas of %dx%d maps: %s", len(a.Maps), len(a.Maps[0]), a.Subtitle)
	}
	f, err := p.Enlarged(4, 19)
	draws(t, "enlarged", f, err)
	if _, err := p.Enlarged(5, 0); err == nil {
		t.Error("a row outside the grid is drawn")
	}
	small, err := p.Resized(3, 4)
	if err != nil {
		t.Fatal(err)
	}
	if small.Rows != 3 || small.Cols != 4 || small.Method == "" || p.Method != "" {
		t.Errorf("resized to %dx%d by %q", small.Rows, small.Cols, small.Method)
	}
	if _, err := p.Resized(0, 4); err == nil {
		t.Error("resized to no rows")
	}
	f, err = DistanceChart(p)
	draws(t, "distance", f, err)
	f, err = DistanceChart(p, small)
	draws(t, "distances", f, err)
	if _, err := DistanceChart(); err == nil {
		t.Error("a chart of nothing")
	}
	if table := PositionTable(p, small).String(); !strings.Contains(table, "5×20") || !strings.Contains(table, "3×4") {
		t.Errorf("table: %s", table)
	}
}

func TestAttend(t *testing.T) {
	b, err := backend.Default()
	if err != nil {
		t.Fatal(err)
	}
	r, err := vit.NewRunner(b, tiny(t, 4, 4))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	im := transform.NewImage(40, 20, 3)
	for i := range im.Pix {
		im.Pix[i] = uint8(i * 7)
	}
	p, err := transform.Parse("resize(16) | centercrop(16,24) | totensor | normalize(0.5,0.5)")
	if err != nil {
		t.Fatal(err)
	}
	a, warnings, err := Attend(r, p, "stripes", im)
	if err != nil {
		t.Fatal(err)
	}
	if len(warnings) != 1 || len(a.Layers) != 2 || a.Layers[1].Rows != 4 || a.Layers[1].Cols != 6 {
		t.Fatalf("%d layers of %dx%d, warnings %q", len(a.Layers), a.Layers[1].Rows, a.Layers[1].Cols, warnings)
	}
	// 16 high, 32 wide, of which the middle 24: 30 of the picture's 40 columns.
	if a.Seen.Width != 30 || a.Seen.Height != 20 {
		t.Errorf("seen %dx%d, want 30x20", a.Seen.Width, a.Seen.Height)
	}
	for h, on := range a.Layers[0].OnPatches() {
		if on <= 0 || on >= 1 {
			t.Errorf("head %d gives %v to the patches", h, on)
		}
	}
	f, err := a.Figure(-1, MeanHeads)
	draws(t, "figure", f, err)
	f, err = a.Figure(0, OneHead(-1))
	draws(t, "one head", f, err)
	if g := f.(plots.Grid); !strings.Contains(g.Subtitle, "layer 0, head 1 ") {
		t.Errorf("subtitle %q", g.Subtitle)
	}
	f, err = a.Atlas()
	draws(t, "atlas", f, err)
	f, err = EntropyChart(a, a)
	draws(t, "entropy", f, err)
	if table := AttentionTable(a).String(); !strings.Contains(table, "stripes") {
		t.Errorf("table: %s", table)
	}
	if _, err := a.Figure(2, MeanHeads); err == nil {
		t.Error("layer 2 of 2 is drawn")
	}
}

func TestNothingToDraw(t *testing.T) {
	empty := &Attention{Picture: "none"}
	if _, err := empty.Atlas(); err == nil {
		t.Error("an atlas of no layers")
	}
	if _, err := EntropyChart(); err == nil {
		t.Error("entropy of nothing")
	}
}

func TestSeen(t *testing.T) {
	im := transform.NewImage(100, 50, 3)
	for y := range 50 {
		for x := range 100 {
			im.Pix[(y*100+x)*3] = uint8(x)
		}
	}
	for _, c := range []struct {
		spec          string
		width, height int
		red           uint8 // of the top left pixel
	}{
		{"totensor", 100, 50, 0},
		{"resize(10,10) | totensor", 100, 50, 0},                        // squashed for the model, not for the eye
		{"resize(25) | centercrop(25) | totensor", 50, 50, 24},          // 12.5 of 50 columns are 25 of 100
		{"crop(0,10,50,20) | totensor", 20, 50, 10},                     //
		{"crop(0,10,50,20) | crop(5,5,10,10) | totensor", 10, 10, 15},   //
		{"centercrop(60) | totensor", 60, 60, 0},                        // padded: as the model gets it
		{"resize(26) | centercrop(23,floor) | totensor", 44, 44, 27},    // 14 of 52 columns are 26.9 of 100
		{"centercrop(49,floor) | totensor", 49, 49, 25},                 // 25.5, rounded down
		{"centercrop(49) | totensor", 49, 49, 26},                       // 25.5, to even
		{"resize(20,20,contain) | centercrop(9,fill=7)", 45, 45, 30},    // 6 of 20
		{"resize(20,20,cover) | centercrop(20) | totensor", 50, 50, 25}, //
		{"resize(20,longest=20) | totensor(scale=1)", 100, 50, 0},
		{"centercrop(60,floor) | totensor", 60, 60, 0}, // padded
		{"centercrop(60,fill=9) | totensor", 60, 60, 9},
		{"hflip | totensor", 100, 50, 99},
	} {
		p, err := transform.Parse(c.spec)
		if err != nil {
			t.Fatal(err)
		}
		seen, err := Seen(p, im)
		if err != nil {
			t.Fatal(err)
		}
		if seen.Width != c.width || seen.Height != c.height || seen.Pix[0] != c.red {
			t.Errorf("%s: %dx%d from column %d, want %dx%d from %d", c.spec, seen.Width, seen.Height, seen.Pix[0], c.width, c.height, c.red)
		}
	}
	big := transform.NewImage(3000, 1500, 3)
	if seen, err := Seen(transform.Pipeline{transform.ToTensor{}}, big); err != nil || seen.Width != 1024 || seen.Height != 512 {
		t.Errorf("a large picture is shown as %dx%d (%v)", seen.Width, seen.Height, err)
	}
}
