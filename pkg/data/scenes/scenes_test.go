package scenes

import (
	"bytes"
	"math/bits"
	"slices"
	"strings"
	"testing"

	"gaze/pkg/data/internal/draw"
)

func scene(t *testing.T, seed uint64, index, size int, split Split) Scene {
	t.Helper()
	s, err := Draw(seed, index, size, split)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// staged paints the index-th plan of a split once more, to look behind it.
func staged(c *draw.Canvas, seed uint64, index int, split Split, change func(*plan)) *stage {
	of := func(aspect uint64) *draw.Stream { return draw.NewStream(seed, uint64(split), uint64(index), aspect) }
	p := choose(of(1), split)
	if change != nil {
		change(&p)
	}
	return newStage(c, p, of(2))
}

func blank(n int) *draw.Canvas {
	c := draw.NewCanvas(n)
	clear(c.Pixels)
	clear(c.Shows)
	return c
}

func equal(a, b Scene) bool {
	return bytes.Equal(a.Image.Pix, b.Image.Pix) && slices.Equal(a.Captions, b.Captions) &&
		slices.EqualFunc(a.Nouns, b.Nouns, func(m, n Noun) bool {
			return m.Word == n.Word && m.Kind == n.Kind && slices.Equal(m.Words, n.Words) && bytes.Equal(m.Mask.Pix, n.Mask.Pix)
		})
}

func TestDrawIsDeterministic(t *testing.T) {
	for i := range 20 {
		a := scene(t, 3, i, 64, Val)
		scene(t, 4, i+1, 64, HeldOut) // leaves a used canvas behind
		if !equal(a, scene(t, 3, i, 64, Val)) {
			t.Errorf("picture %d is another the second time", i)
		}
		for what, b := range map[string]Scene{"seed": scene(t, 4, i, 64, Val), "index": scene(t, 3, i+100, 64, Val), "split": scene(t, 3, i, 64, Test)} {
			if bytes.Equal(a.Image.Pix, b.Image.Pix) {
				t.Errorf("picture %d is the same for another %s", i, what)
			}
		}
	}
}

func TestSizeChangesNeitherCaptionsNorContent(t *testing.T) {
	for i := range 12 {
		a, b := scene(t, 1, i, 32, Train), scene(t, 1, i, 250, Train)
		if !slices.Equal(a.Captions, b.Captions) || len(a.Nouns) != len(b.Nouns) {
			t.Errorf("picture %d: %q at 32, %q at 250 pixels", i, a.Captions, b.Captions)
			continue
		}
		for k := range a.Nouns {
			if x, y := share(a.Nouns[k]), share(b.Nouns[k]); x-y > 0.01 || y-x > 0.01 {
				t.Errorf("picture %d: %s fills %.3f at 32, %.3f at 250 pixels", i, a.Nouns[k].Word, x, y)
			}
		}
	}
}

// share is the part of the picture that a noun fills.
func share(n Noun) float64 {
	sum := 0
	for _, v := range n.Mask.Pix {
		sum += int(v)
	}
	return float64(sum) / 255 / float64(len(n.Mask.Pix))
}

func TestDrawRefuses(t *testing.T) {
	for _, c := range []struct {
		index, size int
		split       Split
		want        string
	}{{-1, 64, Train, "picture -1"}, {0, 15, Train, "15 pixels"}, {0, MaxSize + 1, Train, "pixels"}, {0, 64, 9, "no split"}} {
		if _, err := Draw(1, c.index, c.size, c.split); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: error %v, want one with %q", c, err, c.want)
		}
	}
}

// Every noun that captions use is to be seen, and so is each of those counted.
func TestWhatIsNamedIsVisible(t *testing.T) {
	const least = 40. / (128 * 128)
	for _, split := range Splits() {
		for i := range 250 {
			s := scene(t, 5, i, 64, split)
			for _, n := range s.Nouns {
				if got := share(n); got < least {
					t.Errorf("%s %d: only %.4f of the picture shows %s: %q", split, i, got, n.Word, s.Captions)
				}
			}
		}
	}
}

func TestAsManyAsCounted(t *testing.T) {
	c := blank(128)
	for i := range 300 {
		st := staged(c, 6, i, Train, nil)
		each := 1
		if st.who.person() {
			each = 2 // the body and the shirt
		}
		subjects := st.cast[theSubject]
		if got := bits.OnesCount64(uint64(subjects)); got != st.count*each {
			t.Fatalf("picture %d: %d labels for %d of %s", i, got, st.count, singular[st.who])
		}
		var areas [draw.MaxLabels]int
		for _, l := range c.Shows {
			areas[l]++
		}
		for l, area := range areas {
			if subjects.Has(draw.Label(l)) && area < 20 {
				t.Errorf("picture %d: %d samples show one of %d %s", i, area, st.count, plural[st.who])
			}
		}
	}
}

// A thing painted in another colour changes the pixels of its mask and no others.
func TestMasksAreWhatWasPainted(t *testing.T) {
	a, b := blank(128), blank(128)
	seen := map[role]int{}
	for i := range 400 {
		first := staged(a, 7, i, Train, nil)
		for _, r := range []role{theShirt, theThing, theBeast} {
			if first.cast[r] == 0 || first.count > 1 || r == theThing && (!first.coloured() && first.does != skiing) {
				continue
			}
			second := staged(b, 7, i, Train, func(p *plan) { recolour(p, r) })
			compareMask(t, i, r, first, second)
			seen[r]++
		}
	}
	for _, r := range []role{theShirt, theThing, theBeast} {
		if seen[r] < 20 {
			t.Errorf("role %d was looked at in %d pictures", r, seen[r])
		}
	}
}

func recolour(p *plan, r role) {
	switch r {
	case theShirt:
		p.shirt = (p.shirt + 3) % bright
	case theThing:
		p.thing = (p.thing + 3) % bright
	case theBeast:
		p.coat = black + brown - p.coat + white
		if p.coat > brown || p.coat < white {
			p.coat = white
		}
	}
}

func compareMask(t *testing.T, i int, r role, first, second *stage) {
	t.Helper()
	if first.cast != second.cast {
		t.Fatalf("picture %d: other labels for another colour", i)
	}
	inside, changed := 0, 0
	a, b := first.painter.Canvas, second.painter.Canvas
	for k, l := range a.Shows {
		in := first.cast[r].Has(l)
		differs := a.Pixels[k] != b.Pixels[k]
		if differs && !in {
			t.Fatalf("picture %d, role %d: a sample outside of the mask changed", i, r)
		}
		if in {
			inside++
			if differs {
				changed++
			}
		}
	}
	if want := map[role]int{theShirt: 95, theThing: 15, theBeast: 60}[r]; first.plan != second.plan && 100*changed < want*inside {
		t.Errorf("picture %d, role %d: %d of %d samples changed, want %d %%", i, r, changed, inside, want)
	}
}

func TestReport(t *testing.T) {
	if got := ReportNames(); !slices.Equal(got, []string{"bike", "girl", "sheep", "ski", "umbrella"}) {
		t.Errorf("the pictures are %v", got)
	}
	about := map[string]string{"bike": "bike", "girl": "girl", "sheep": "sheep", "ski": "skiing", "umbrella": "umbrella"}
	for i, name := range ReportNames() {
		s, err := Report(name, 96)
		if err != nil {
			t.Fatal(err)
		}
		if s.Name != name || s.Image.Width != 96 || len(s.Captions) != References {
			t.Errorf("%s: name %s, %d pixels, captions %q", name, s.Name, s.Image.Width, s.Captions)
		}
		if !strings.Contains(strings.Join(s.Captions, " "), about[name]) {
			t.Errorf("%s: nothing about it in %q", name, s.Captions)
		}
		if reports[i].plan.held() {
			t.Errorf("%s shows a held-out combination", name)
		}
	}
	if _, err := Report("bicycle", 96); err == nil || !strings.Contains(err.Error(), "umbrella") {
		t.Errorf("error %v, want one that lists the names", err)
	}
	if _, err := Report("bike", 3); err == nil {
		t.Error("3 pixels: no error")
	}
}

// A shirt's, an umbrella's and a surfboard's colour in words is that of the
// pixels in their masks.
func TestColoursAreThoseOfThePixels(t *testing.T) {
	seen := 0
	for i := range 300 {
		s := scene(t, 12, i, 128, Split(i%4))
		for _, n := range s.Nouns {
			k := slices.IndexFunc(s.Nouns, func(m Noun) bool {
				return m.Word != n.Word && slices.Contains([]string{"shirt", "umbrella", "surfboard"}, m.Word) && bytes.Equal(m.Mask.Pix, n.Mask.Pix)
			})
			if n.Kind != Colour || k < 0 {
				continue
			}
			seen++
			if got := nearest(s, n.Mask.Pix); got != n.Word {
				t.Errorf("picture %d: the %s is %s, but its pixels are %s", i, s.Nouns[k].Word, n.Word, got)
			}
		}
	}
	if seen < 100 {
		t.Errorf("only %d colours were looked at", seen)
	}
}

// nearest names the colour whose ink is nearest to the mean of the pixels that
// a mask covers wholly.
func nearest(s Scene, mask []uint8) string {
	var sum [3]int
	for i, v := range mask {
		if v == 255 {
			for c := range sum {
				sum[c] += int(s.Image.Pix[3*i+c])
			}
		}
	}
	best, least := "", 1<<30
	for c := range bright {
		r, g, b := colourInks[c].Channels()
		d := 0
		for k, v := range [3]int{r, g, b} { // both as bright: shadows don't count
			e := sum[k]*255/max(slices.Max(sum[:]), 1) - v*255/max(r, g, b)
			d += e * e
		}
		if d < least {
			best, least = colourNames[c], d
		}
	}
	return best
}
