package explain

import (
	"bytes"
	"strings"
	"testing"

	"gaze/pkg/plots"
	"gaze/pkg/transform"
)

func stripes(width, height int) *transform.Image {
	im := transform.NewImage(width, height, 3)
	for i := range im.Pix {
		im.Pix[i] = uint8(i * 7)
	}
	return im
}

func parsed(t *testing.T, spec string) transform.Pipeline {
	t.Helper()
	p, err := transform.Parse(spec)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// Draw i is what training sees in epoch i, un-normalised.
func TestDrawAsTraining(t *testing.T) {
	im := stripes(40, 30)
	p := parsed(t, "randomcrop(16) | jitter(0.5,0.5,0.5) | totensor | normalize(0.5,0.25)")
	d, err := Draw(p, 7, 3, 4, "a", im)
	if err != nil {
		t.Fatal(err)
	}
	different := 0
	for epoch, got := range d.Pictures {
		pixels, err := p.ImageAt(7, uint64(epoch), 3, im)
		if err != nil || !bytes.Equal(got.Pix, pixels.Pix) {
			t.Errorf("draw %d isn't that of the epoch (%v)", epoch, err)
		}
		again, err := d.Steps[epoch].Image(im)
		if err != nil || !bytes.Equal(got.Pix, again.Pix) {
			t.Errorf("draw %d isn't what its steps make (%v)", epoch, err)
		}
		if !bytes.Equal(got.Pix, d.Pictures[0].Pix) {
			different++
		}
	}
	if different != 3 || len(d.Pictures) != 4 {
		t.Errorf("%d of %d draws differ from the first", different, len(d.Pictures))
	}
}

func TestAugmentFigure(t *testing.T) {
	im := stripes(40, 30)
	figure, err := Augment("hflip(p=1) | rotation(10:10) | totensor", 1, 8, im)
	if err != nil {
		t.Fatal(err)
	}
	g := figure.(plots.Grid)
	if len(g.Panels) != 3 || len(g.Panels[0]) != 3 || len(g.Panels[2]) != 3 {
		t.Fatalf("8 draws and the original aren't 3 rows of 3: %d rows", len(g.Panels))
	}
	if title := g.Panels[0][1].Title; title != "hflip, rotate 10" {
		t.Errorf("caption %q", title)
	}
	if !bytes.Equal(transform.FromImage(g.Panels[0][0].Picture).Pix, im.Pix) {
		t.Error("the first panel isn't the original")
	}
	if _, err := figure.Image(1); err != nil {
		t.Error(err)
	}
}

// Each of several pictures starts a new row, for any number of draws.
func TestAugmentGridRows(t *testing.T) {
	p := parsed(t, "hflip")
	a, err := Draw(p, 0, 0, 10, "a", stripes(2000, 10))
	if err != nil {
		t.Fatal(err)
	}
	b, err := Draw(p, 0, 1, 2, "b", stripes(1, 900))
	if err != nil {
		t.Fatal(err)
	}
	figure, err := AugmentGrid(p, 0, a, b)
	if err != nil {
		t.Fatal(err)
	}
	g := figure.(plots.Grid)
	if len(g.Panels) != 3 || g.Panels[0][0].Title != "a" || len(g.Panels[0]) != 9 || len(g.Panels[1]) != 2 || g.Panels[2][0].Title != "b" {
		t.Errorf("rows %d", len(g.Panels))
	}
	if title := g.Panels[0][1].Title; title != "nothing drawn" {
		t.Errorf("caption %q of a fixed pipeline", title)
	}
	for _, row := range g.Panels {
		for _, panel := range row {
			if s := panel.Picture.Bounds().Size(); max(s.X, s.Y) > maxDraw || min(s.X, s.Y) < 1 {
				t.Errorf("%s is %v large", panel.Title, s)
			}
		}
	}
}

func TestAugmentErrors(t *testing.T) {
	im := stripes(8, 8)
	for _, c := range []struct {
		spec string
		n    int
		says string
	}{
		{"nothing", 8, "column 1"},
		{"hflip", 0, "0 draws"},
		{"hflip", MaxDraws + 1, "1001 draws"},
		{"randomcrop(9)", 8, "doesn't fit"},
	} {
		if _, err := Augment(c.spec, 0, c.n, im); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s, %d: error %v, want one that says %q", c.spec, c.n, err, c.says)
		}
	}
	if _, err := AugmentGrid(nil, 0); err == nil {
		t.Error("no error without draws")
	}
	d, err := Draw(parsed(t, "hflip"), 0, 0, MaxDraws, "", im)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := AugmentGrid(nil, 0, d, d); err == nil || !strings.Contains(err.Error(), "2000 draws") {
		t.Errorf("error %v for 2000 draws", err)
	}
}
