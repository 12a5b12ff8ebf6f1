package draw

import (
	"math"
	"testing"
)

// What the samples show in these tests.
const (
	scenery Label = iota
	tail
	body
	head
)

func TestFillCoversTheSamplesInside(t *testing.T) {
	unit := Frame{XX: 1, YY: 1}
	for name, c := range map[string]struct {
		outlines [][]Vec
		want     int
		within   float64
	}{
		"a rectangle":               {[][]Vec{Rect(10, 20, 40, 30)}, 300, 0},
		"the other way round":       {[][]Vec{Reversed(Rect(10, 20, 40, 30))}, 300, 0},
		"two that overlap":          {[][]Vec{Rect(10, 20, 40, 30), Rect(30, 20, 50, 30)}, 400, 0},
		"a hole":                    {[][]Vec{Rect(10, 10, 40, 40), Reversed(Rect(20, 20, 30, 30))}, 800, 0},
		"half outside":              {[][]Vec{Rect(-1e9, -50, 5, 10)}, 50, 0},
		"outside":                   {[][]Vec{Rect(200, 200, 300, 300), Rect(-9, -9, -1, -1)}, 0, 0},
		"everything":                {[][]Vec{Rect(-1e12, -1e12, 1e12, 1e12)}, 64 * 64, 0},
		"no area":                   {[][]Vec{{Pt(1, 1), Pt(50, 50)}, {}}, 0, 0},
		"an ellipse":                {[][]Vec{Ellipse(Pt(32, 32), 30, 20)}, 1885, 0.01},
		"a turned ellipse":          {[][]Vec{Turned(Pt(32, 32), 30, 20, 0.7)}, 1885, 0.01},
		"a smooth one":              {[][]Vec{Smooth(Pt(2, 32), Pt(32, 2), Pt(62, 32), Pt(32, 62))}, 2460, 0.01},
		"larger all round":          {[][]Vec{Grown(Ellipse(Pt(32, 32), 20, 20), 5)}, 1963, 0.01},
		"a line of even width":      {[][]Vec{Limb(3, 3, Pt(10, 30), Pt(50, 30))}, 240, 0},
		"teeth, half their height":  {[][]Vec{Bumps(Rect(12, 12, 52, 52), 4, 4, []float64{0, .5, 1, .5})}, 1600 + 160*2, 0.05},
		"a mirror image":            {[][]Vec{Moved(Mirrored(Rect(10, 20, 40, 30)), Pt(64, 0))}, 300, 0},
		"the pattern of one sample": {[][]Vec{Rect(7.4, 7.4, 7.6, 7.6)}, 1, 0},
	} {
		t.Run(name, func(t *testing.T) {
			k := NewCanvas(64)
			clear(k.Pixels)
			clear(k.Shows)
			k.Fill(unit, Ink{Colour: 0xffffff, Label: body}, c.outlines...)
			if got := k.Area(On(body)); math.Abs(float64(got-c.want)) > c.within*float64(c.want) {
				t.Errorf("%d samples painted, want %d", got, c.want)
			}
			white := 0
			for _, p := range k.Pixels {
				if p == 0xffffff {
					white++
				}
			}
			if white != k.Area(On(body)) || white != k.Count(unit, On(body), c.outlines...) {
				t.Errorf("%d samples have the colour, %d the part", white, k.Area(On(body)))
			}
		})
	}
}

func TestFillKeepsToItsClip(t *testing.T) {
	unit := Frame{XX: 1, YY: 1}
	k := NewCanvas(16)
	clear(k.Pixels)
	clear(k.Shows)
	k.Fill(unit, Ink{Colour: 0x102030, Label: head}, Rect(0, 0, 8, 16))
	k.Fill(unit, Ink{Colour: 0xffffff, Keep: true, Clip: On(head)}, Rect(0, 0, 16, 8))
	k.Fill(unit, Ink{Colour: 0x304050, Alpha: 128, Label: tail, Clip: On(scenery)}, Rect(0, 0, 16, 16))
	for _, c := range []struct {
		x, y   int
		colour RGB
		part   Label
	}{{3, 3, 0xffffff, head}, {3, 12, 0x102030, head}, {12, 3, 0x182028, tail}} {
		if got := k.Pixels[c.y*16+c.x]; got != c.colour {
			t.Errorf("colour %06x at (%d, %d), want %06x", got, c.x, c.y, c.colour)
		}
		if got := k.Shows[c.y*16+c.x]; got != c.part {
			t.Errorf("part %d at (%d, %d), want %d", got, c.x, c.y, c.part)
		}
	}
}

func TestFramesNest(t *testing.T) {
	f := Frame{XX: 100, YY: 100}.Inside(Pt(0.5, 0.5), 0.5, math.Pi/2, -1)
	for _, c := range []struct{ in, want Vec }{{Vec{}, Pt(50, 50)}, {Pt(1, 0), Pt(50, 0)}, {Pt(0, 1), Pt(0, 50)}} {
		if got := f.At(c.in); got.Minus(c.want).Length() > 1e-9 {
			t.Errorf("%v is seen at %v, want %v", c.in, got, c.want)
		}
	}
	if got := f.Size(); math.Abs(got-50) > 1e-9 {
		t.Errorf("a unit is %v samples long, want 50", got)
	}
}

func TestMixEnds(t *testing.T) {
	for _, c := range []struct {
		t    int
		want RGB
	}{{0, 0x102030}, {256, 0xf0e0d0}, {128, 0x808080}} {
		if got := Mix(0x102030, 0xf0e0d0, c.t); got != c.want {
			t.Errorf("%d/256 of the way is %06x, want %06x", c.t, got, c.want)
		}
	}
}
