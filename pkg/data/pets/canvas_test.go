package pets

import (
	"math"
	"testing"
)

func TestFillCoversTheSamplesInside(t *testing.T) {
	unit := frame{xx: 1, yy: 1}
	for name, c := range map[string]struct {
		outlines [][]vec
		want     int
		within   float64
	}{
		"a rectangle":               {[][]vec{rect(10, 20, 40, 30)}, 300, 0},
		"the other way round":       {[][]vec{reversed(rect(10, 20, 40, 30))}, 300, 0},
		"two that overlap":          {[][]vec{rect(10, 20, 40, 30), rect(30, 20, 50, 30)}, 400, 0},
		"a hole":                    {[][]vec{rect(10, 10, 40, 40), reversed(rect(20, 20, 30, 30))}, 800, 0},
		"half outside":              {[][]vec{rect(-1e9, -50, 5, 10)}, 50, 0},
		"outside":                   {[][]vec{rect(200, 200, 300, 300), rect(-9, -9, -1, -1)}, 0, 0},
		"everything":                {[][]vec{rect(-1e12, -1e12, 1e12, 1e12)}, 64 * 64, 0},
		"no area":                   {[][]vec{{{1, 1}, {50, 50}}, {}}, 0, 0},
		"an ellipse":                {[][]vec{ellipse(vec{32, 32}, 30, 20)}, 1885, 0.01},
		"a turned ellipse":          {[][]vec{turned(vec{32, 32}, 30, 20, 0.7)}, 1885, 0.01},
		"a smooth one":              {[][]vec{smooth(vec{2, 32}, vec{32, 2}, vec{62, 32}, vec{32, 62})}, 2460, 0.01},
		"larger all round":          {[][]vec{grown(ellipse(vec{32, 32}, 20, 20), 5)}, 1963, 0.01},
		"a line of even width":      {[][]vec{limb(3, 3, vec{10, 30}, vec{50, 30})}, 240, 0},
		"teeth, half their height":  {[][]vec{bumps(rect(12, 12, 52, 52), 4, 4, []float64{0, .5, 1, .5})}, 1600 + 160*2, 0.05},
		"a mirror image":            {[][]vec{moved(mirrored(rect(10, 20, 40, 30)), vec{64, 0})}, 300, 0},
		"the pattern of one sample": {[][]vec{rect(7.4, 7.4, 7.6, 7.6)}, 1, 0},
	} {
		t.Run(name, func(t *testing.T) {
			k := newCanvas(64)
			clear(k.pixels)
			clear(k.parts)
			k.fill(unit, ink{colour: 0xffffff, part: body}, c.outlines...)
			if got := k.area(on(body)); math.Abs(float64(got-c.want)) > c.within*float64(c.want) {
				t.Errorf("%d samples painted, want %d", got, c.want)
			}
			white := 0
			for _, p := range k.pixels {
				if p == 0xffffff {
					white++
				}
			}
			if white != k.area(on(body)) || white != k.count(unit, on(body), c.outlines...) {
				t.Errorf("%d samples have the colour, %d the part", white, k.area(on(body)))
			}
		})
	}
}

func TestFillKeepsToItsClip(t *testing.T) {
	unit := frame{xx: 1, yy: 1}
	k := newCanvas(16)
	clear(k.pixels)
	clear(k.parts)
	k.fill(unit, ink{colour: 0x102030, part: head}, rect(0, 0, 8, 16))
	k.fill(unit, ink{colour: 0xffffff, keep: true, clip: on(head)}, rect(0, 0, 16, 8))
	k.fill(unit, ink{colour: 0x304050, alpha: 128, part: tail, clip: on(scenery)}, rect(0, 0, 16, 16))
	for _, c := range []struct {
		x, y   int
		colour rgb
		part   part
	}{{3, 3, 0xffffff, head}, {3, 12, 0x102030, head}, {12, 3, 0x182028, tail}} {
		if got := k.pixels[c.y*16+c.x]; got != c.colour {
			t.Errorf("colour %06x at (%d, %d), want %06x", got, c.x, c.y, c.colour)
		}
		if got := k.parts[c.y*16+c.x]; got != c.part {
			t.Errorf("part %d at (%d, %d), want %d", got, c.x, c.y, c.part)
		}
	}
}

func TestFramesNest(t *testing.T) {
	f := frame{xx: 100, yy: 100}.inside(vec{0.5, 0.5}, 0.5, math.Pi/2, -1)
	for _, c := range []struct{ in, want vec }{{vec{}, vec{50, 50}}, {vec{1, 0}, vec{50, 0}}, {vec{0, 1}, vec{0, 50}}} {
		if got := f.at(c.in); got.minus(c.want).length() > 1e-9 {
			t.Errorf("%v is seen at %v, want %v", c.in, got, c.want)
		}
	}
	if got := f.size(); math.Abs(got-50) > 1e-9 {
		t.Errorf("a unit is %v samples long, want 50", got)
	}
}

func TestMixEnds(t *testing.T) {
	for _, c := range []struct {
		t    int
		want rgb
	}{{0, 0x102030}, {256, 0xf0e0d0}, {128, 0x808080}} {
		if got := mix(0x102030, 0xf0e0d0, c.t); got != c.want {
			t.Errorf("%d/256 of the way is %06x, want %06x", c.t, got, c.want)
		}
	}
}
