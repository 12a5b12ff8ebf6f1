package pets

import (
	"fmt"
	"slices"
	"strings"

	"gaze/pkg/data/internal/draw"
	"gaze/pkg/transform"
)

// Change says what is other in a picture that is drawn again. All else stays as it was to
// the byte: pose, place, light, the film's grain, and what stands in front.
type Change struct {
	// Without are parts of the animal, or things around it, that are left out: what is
	// behind them shows. An animal's part that the picture doesn't have may be named; a
	// thing that it doesn't have is an error.
	Without []Part
	// Looks, if not nil, is what the animal looks like, in place of its breed. It stands
	// where it stood. Its Index is ignored.
	Looks *BreedSpec
}

// DrawChanged draws the picture that [Draw] draws, with something changed. The sample's
// Changed tells where; all other pixels are the same bytes. To change a picture in
// several ways, an [Original] is faster. Errors: those of Draw, a part that there isn't,
// an attribute that is out of range.
func DrawChanged(seed uint64, breed, index, size int, o Options, c Change) (Sample, error) {
	original, err := NewOriginal(seed, breed, index, size, o)
	if err != nil {
		return Sample{}, err
	}
	return original.Draw(c)
}

// Original is a picture that can be drawn again with changes. It is safe for concurrent
// use.
type Original struct {
	Sample          // as Draw draws it
	Scenery  []Part // what there is around the animal, in the order in which it is painted
	picture  picture
	script   script
	samples  []draw.RGB // of the canvas
	backdrop []draw.RGB // the same before the animal was painted
}

// NewOriginal draws a picture as [Draw] does.
func NewOriginal(seed uint64, breed, index, size int, o Options) (*Original, error) {
	g := &Original{picture: picture{seed: seed, breed: breed, index: index, size: size, options: o}, script: script{front: -1}}
	p := g.picture
	if err := p.check(); err != nil {
		return nil, err
	}
	st := p.stage()
	defer st.Free()
	st.script = &g.script
	spec := Breed(breed)
	p.setting(st)
	g.backdrop = slices.Clone(st.Pixels)
	p.animal(st, spec)
	p.front(st)
	g.Sample, g.samples = p.develop(st, spec), slices.Clone(st.Pixels)
	g.script.known = true
	for _, part := range st.seen {
		if !slices.Contains(ofAnimal, part) {
			g.Scenery = append(g.Scenery, part)
		}
	}
	return g, nil
}

// Draw draws the picture again. The sample's Changed compares it with the original.
func (g *Original) Draw(c Change) (Sample, error) {
	p, spec := g.picture, g.Breed
	if c.Looks != nil {
		spec = *c.Looks
		spec.Index = g.Breed.Index
		if err := spec.check(); err != nil {
			return Sample{}, err
		}
	}
	missing, around, err := g.missing(c.Without)
	if err != nil {
		return Sample{}, err
	}
	st := p.stage()
	defer st.Free()
	st.missing, st.script = missing, &g.script
	if around {
		p.setting(st)
	} else {
		copy(st.Pixels, g.backdrop)
		clear(st.Shows)
	}
	p.animal(st, spec)
	p.front(st)
	s := p.develop(st, spec)
	s.Changed = g.changed(st)
	return s, nil
}

// missing checks what is to be left out. around: it isn't only the animal's.
func (g *Original) missing(without []Part) (missing map[Part]bool, around bool, err error) {
	missing = map[Part]bool{}
	for _, p := range without {
		switch {
		case slices.Contains(ofAnimal, p):
		case slices.Contains(g.Scenery, p):
			around = true
		default:
			return nil, false, fmt.Errorf("pets: the picture has no %q to be left out: choose of %s", p, joined(append(slices.Clone(ofAnimal), g.Scenery...)))
		}
		missing[p] = true
	}
	return missing, around, nil
}

func joined(parts []Part) string {
	var names []string
	for _, p := range parts {
		names = append(names, string(p))
	}
	return strings.Join(names, ", ")
}

// changed is the share of each pixel's samples that differ from the original's.
func (g *Original) changed(st *stage) *transform.Image {
	size, per := g.picture.size, g.picture.per()
	counts := make([]int, size*size)
	for y := range st.N {
		was, is := g.samples[y*st.N:(y+1)*st.N], st.Pixels[y*st.N:(y+1)*st.N]
		row := counts[y/per*size:]
		for x, c := range is {
			if c != was[x] {
				row[x/per]++
			}
		}
	}
	im := transform.NewImage(size, size, 1)
	n := per * per
	for i, count := range counts {
		if count > 0 {
			im.Pix[i] = uint8(max((count*255+n/2)/n, 1))
		}
	}
	return im
}

// check reports an attribute that is out of range.
func (b BreedSpec) check() error {
	for i, v := range b.Attributes() {
		if v >= AttributeSizes[i] {
			return fmt.Errorf("pets: %s %d: they are counted from 0 to %d", AttributeNames[i], v, AttributeSizes[i]-1)
		}
	}
	return nil
}

// With returns the breed with one of its attributes, numbered as in [AttributeNames],
// set to a value. It is an error if either is out of range.
func (b BreedSpec) With(attribute, value int) (BreedSpec, error) {
	if attribute < 0 || attribute >= len(AttributeSizes) {
		return b, fmt.Errorf("pets: there is no attribute %d: they are counted from 0 to %d", attribute, len(AttributeSizes)-1)
	}
	if value < 0 || value >= AttributeSizes[attribute] {
		return b, fmt.Errorf("pets: %s %d: they are counted from 0 to %d", AttributeNames[attribute], value, AttributeSizes[attribute]-1)
	}
	switch v := uint8(value); attribute {
	case 0:
		b.Coat = Colour(v)
	case 1:
		b.Marking = Colour(v)
	case 2:
		b.Pattern = Pattern(v)
	case 3:
		b.Ears = Ears(v)
	case 4:
		b.Muzzle = Muzzle(v)
	case 5:
		b.Skull = Skull(v)
	case 6:
		b.Eyes = Eyes(v)
	case 7:
		b.EyeColour = EyeColour(v)
	case 8:
		b.Tail = Tail(v)
	case 9:
		b.Build = Build(v)
	case 10:
		b.Fur = Fur(v)
	}
	return b, nil
}
