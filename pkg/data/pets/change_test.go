package pets

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"gaze/pkg/data/internal/draw"
	"gaze/pkg/transform"
)

func original(t *testing.T, seed uint64, breed, index, size int, o Options) *Original {
	t.Helper()
	g, err := NewOriginal(seed, breed, index, size, o)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func redraw(t *testing.T, g *Original, c Change) Sample {
	t.Helper()
	s, err := g.Draw(c)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// labels paints a changed picture once more and returns what its samples show, by the
// account that Foreground and Head are made of, which doesn't know [Part]s.
func labels(g *Original, c Change) []draw.Label {
	p, looks := g.picture, g.Breed
	if c.Looks != nil {
		looks = *c.Looks
	}
	st := p.stage()
	defer st.Free()
	st.missing, st.script = map[Part]bool{}, &g.script
	for _, part := range c.Without {
		st.missing[part] = true
	}
	p.setting(st)
	p.animal(st, looks)
	p.front(st)
	return slices.Clone(st.Shows)
}

// shownAs is what samples of a part show, lines round it included.
var shownAs = map[Part]draw.Labels{
	PartEars: draw.On(ear, face), PartMuzzle: draw.On(muzzle, face), PartEyes: draw.On(face),
	PartTail: draw.On(tail, bodyLine), PartLegs: draw.On(farLeg, nearLeg, haunch, bodyLine),
	PartTrunk: draw.On(body, bodyLine), PartMane: draw.On(head, chest, face, bodyLine),
	PartMarkings: animalParts, PartHead: headParts | draw.On(chest, bodyLine), PartAnimal: animalParts | draw.On(scenery),
}

// only checks that bytes differ nowhere but where the mask says so, and that samples
// differ nowhere but where the original or the changed picture shows one of the labels.
func only(t *testing.T, what string, g *Original, c Change, allowed draw.Labels) {
	t.Helper()
	s := redraw(t, g, c)
	for k, v := range s.Changed.Pix {
		if v == 0 && !bytes.Equal(s.Image.Pix[3*k:3*k+3], g.Image.Pix[3*k:3*k+3]) {
			t.Fatalf("%s: pixel %d differs, but isn't in the mask", what, k)
		}
	}
	was, is := labels(g, Change{}), labels(g, c)
	n, size := g.picture.size*g.picture.per(), g.picture.size
	touched := make([]bool, size*size)
	for k := range was {
		if allowed.Has(was[k]) || allowed.Has(is[k]) {
			touched[k/n/g.picture.per()*size+k%n/g.picture.per()] = true
		}
	}
	for k, v := range s.Changed.Pix {
		if v > 0 && !touched[k] {
			t.Fatalf("%s: pixel (%d, %d) of %v differs, but shows no such part", what, k%size, k/size, g.Breed)
		}
	}
}

// TestOnlyWhatIsMissingChanges leaves out every part of pets of all breeds, in all poses,
// and everything around them.
func TestOnlyWhatIsMissingChanges(t *testing.T) {
	for i := range Classes {
		g := original(t, 2, i, i, 48+i%3, Options{Life: 1, View: 1, Occlusion: float64(i % 2)})
		for _, p := range ofAnimal {
			only(t, fmt.Sprint("picture ", i, " without ", p), g, Change{Without: []Part{p}}, shownAs[p])
		}
		for _, p := range g.Scenery {
			only(t, fmt.Sprint("picture ", i, " without ", p), g, Change{Without: []Part{p}}, draw.On(scenery))
		}
	}
}

// TestOnlyTheLooksChange changes every attribute of all breeds.
func TestOnlyTheLooksChange(t *testing.T) {
	shown := map[string]draw.Labels{
		"ears": shownAs[PartEars], "muzzle": shownAs[PartMuzzle], "eyes": draw.On(face), "eye colour": draw.On(face),
		"tail": shownAs[PartTail], "skull": shownAs[PartHead], "build": animalParts | draw.On(scenery),
	}
	for i := range Classes {
		g := original(t, 3, i, i, 48, Options{Life: 1, View: 1, Occlusion: float64(i % 2)})
		for a, name := range AttributeNames {
			looks, err := g.Breed.With(a, (g.Breed.Attributes()[a]+1+i%2)%AttributeSizes[a])
			if err != nil {
				t.Fatal(err)
			}
			allowed := shown[name]
			if allowed == 0 {
				allowed = animalParts
			}
			only(t, fmt.Sprint(g.Breed, ", ", name), g, Change{Looks: &looks}, allowed)
		}
	}
}

// TestMissingPartsShow: what shows a part looks otherwise without it.
func TestMissingPartsShow(t *testing.T) {
	for p, c := range map[Part]struct {
		label draw.Label
		least float64 // the rest is as what is behind it: white on white, the upper ends of legs
	}{PartEars: {ear, 0.98}, PartMuzzle: {muzzle, 0.8}, PartTail: {tail, 0.98}, PartLegs: {nearLeg, 0.45}, PartTrunk: {body, 0.95}, PartAnimal: {head, 1}} {
		all, differ := 0, 0
		for i := range Classes {
			g := original(t, 4, i, i, 96, Natural)
			s, shows := redraw(t, g, Change{Without: []Part{p}}), labels(g, Change{})
			for k, v := range s.Changed.Pix {
				if at := k/96*2*192 + k%96*2; shows[at] == c.label && shows[at+1] == c.label && shows[at+192] == c.label && shows[at+193] == c.label {
					all++
					if v == 255 {
						differ++
					}
				}
			}
		}
		t.Logf("%s: %d of %d pixels differ", p, differ, all)
		if all < 1000 || float64(differ) < c.least*float64(all) {
			t.Errorf("without %s, %d of %d pixels that show it differ", p, differ, all)
		}
	}
}

// TestWithoutTheAnimal compares with a picture on which none was painted.
func TestWithoutTheAnimal(t *testing.T) {
	for i := range Classes {
		o := Options{Life: 1, View: 1}
		g := original(t, 5, i, i, 64, o)
		s := redraw(t, g, Change{Without: []Part{PartAnimal}})
		st := g.picture.stage()
		g.picture.setting(st)
		want := g.picture.develop(st, g.Breed)
		if !equal(s, want) {
			t.Errorf("breed %d: the setting differs", i)
		}
		o.Occlusion = 1
		g = original(t, 5, i, i, 64, o)
		without := []Part{PartAnimal}
		if s := redraw(t, g, Change{Without: without}); mean(s.Foreground.Pix) != 0 {
			t.Errorf("breed %d: a bit of the animal is left", i)
		}
		if slices.Contains(g.Scenery, Occluder) {
			without = append(without, Occluder)
		}
		if s := redraw(t, g, Change{Without: without}); !equal(s, want) {
			t.Errorf("breed %d: with nothing in front, the setting differs", i)
		}
	}
}

// TestNoChange: an original is the picture that Draw draws, and stays so if nothing is to
// change, or what the picture doesn't have.
func TestNoChange(t *testing.T) {
	for i := range Classes {
		g := original(t, 6, i, i, 48, Natural)
		if !equal(g.Sample, sample(t, 6, i, i, 48, Natural)) || g.Changed != nil {
			t.Errorf("breed %d: the original isn't what Draw draws", i)
		}
		own := Breed(i)
		for _, c := range []Change{{}, {Looks: &own}} {
			if s := redraw(t, g, c); !equal(s, g.Sample) || mean(s.Changed.Pix) != 0 {
				t.Errorf("breed %d: a change of nothing changes the picture", i)
			}
		}
		if g.Breed.Pattern == Plain && mean(redraw(t, g, Change{Without: []Part{PartMarkings}}).Changed.Pix) != 0 {
			t.Errorf("breed %d is plain, but has markings", i)
		}
	}
}

func TestDrawChangedIsTheSameToTheBit(t *testing.T) {
	const want = "acb8015472892d9d287917d709109e85cd5e16f5422b0c4064abac186ed4ee0c"
	if runtime.GOARCH != "amd64" {
		t.Skip("the checksum was taken on amd64")
	}
	h := sha256.New()
	for i := range Classes {
		g := original(t, 1, i, i, 24, Natural)
		looks := Breed((i + 1) % Classes)
		for _, c := range []Change{{Looks: &looks}, {Without: []Part{Parts()[i%len(Parts())]}}, {Without: g.Scenery}} {
			s := redraw(t, g, c)
			for _, im := range []*transform.Image{s.Image, s.Foreground, s.Head, s.Changed} {
				h.Write(im.Pix)
			}
		}
	}
	if got := hex.EncodeToString(h.Sum(nil)); got != want {
		t.Errorf("the pictures' checksum is %s, want %s", got, want)
	}
}

func TestChangesAtTheSameTime(t *testing.T) {
	g := original(t, 7, 14, 3, 48, Options{Life: 1, View: 1, Occlusion: 1})
	var want []Sample
	for _, p := range ofAnimal {
		want = append(want, redraw(t, g, Change{Without: []Part{p}}))
	}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for i, p := range ofAnimal {
				s, err := g.Draw(Change{Without: []Part{p}})
				if err != nil || !equal(s, want[i]) || !bytes.Equal(s.Changed.Pix, want[i].Changed.Pix) {
					t.Errorf("without %s: the picture differs when others are drawn at the same time (error %v)", p, err)
				}
			}
		})
	}
	wg.Wait()
}

func TestDrawChangedRefusesBadArguments(t *testing.T) {
	bad := Breed(0)
	bad.Ears = 200
	for _, c := range []struct {
		size   int
		change Change
		want   string
	}{
		{64, Change{Without: []Part{"horns"}}, `no "horns" to be left out: choose of ears`},
		{64, Change{Looks: &bad}, "ears 200"},
		{4, Change{}, "8 to 4096"},
	} {
		if _, err := DrawChanged(1, 0, 0, c.size, Natural, c.change); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: error %v, want one with %q", c.change, err, c.want)
		}
	}
	for _, c := range [][2]int{{-1, 0}, {11, 0}, {0, -1}, {3, 7}} {
		if _, err := Breed(0).With(c[0], c[1]); err == nil {
			t.Errorf("attribute %d is set to %d", c[0], c[1])
		}
	}
	for a, n := range AttributeSizes {
		for v := range n {
			if b, err := Breed(9).With(a, v); err != nil || b.Attributes()[a] != v {
				t.Errorf("%s %d: %v, %v", AttributeNames[a], v, b, err)
			}
		}
	}
}
