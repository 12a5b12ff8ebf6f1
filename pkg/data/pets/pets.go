// Package pets draws a set of pictures of animals in the style of a picture book: 37
// invented breeds that differ in the shapes of ears, muzzle, head, eyes, tail and build,
// in fur and in the pattern and colour of the coat, and any number of further breeds to
// pretrain on.
//
// A picture depends only on a seed, a breed and an index: they give the same bytes on
// any number of workers. Poses, distances, backgrounds, light and occlusion vary. Each
// picture has exact masks of the animal and of its head, and can be drawn again with
// something changed and all else the same ([DrawChanged]).
package pets

import (
	"fmt"
	"math"

	"gaze/pkg/data/internal/draw"
	"gaze/pkg/transform"
)

// Options say how much the pictures of a breed differ from each other.
type Options struct {
	// Life, from 0 to 1, scales what is the animals' own and their place's: pose,
	// turn of the head, shade of the coat, proportions, background. With 0 all sit
	// alike on plain ground.
	Life float64
	// View, from 0 to 1, scales what is the camera's: side, tilt, size and place in
	// the picture, light and grain. With 0 all are upright, as large, and look to
	// the right in even light. This is what augmentation can make up for.
	View float64
	// Occlusion, from 0 to 1, is the share of the pictures with something in
	// front of the animal. It never hides more than a third of the animal or a
	// quarter of its head.
	Occlusion float64
}

var (
	// Natural pictures vary as much as they can.
	Natural = Options{Life: 1, View: 1, Occlusion: 0.25}
	// Posed pictures are taken by a careful photographer: trained on these and
	// tested on natural ones, a model has to be taught by augmentation what it
	// did not see.
	Posed = Options{Life: 1, View: 0.15, Occlusion: 0.25}
)

func (o Options) check() error {
	for _, v := range []struct {
		name  string
		value float64
	}{{"Life", o.Life}, {"View", o.View}, {"Occlusion", o.Occlusion}} {
		if !(v.value >= 0 && v.value <= 1) {
			return fmt.Errorf("pets: %s is %v; it goes from 0 to 1", v.name, v.value)
		}
	}
	return nil
}

// Sample is a picture and what is known about it.
type Sample struct {
	Image *transform.Image // RGB
	// Foreground and Head are masks of the picture's size with one channel: the
	// share of each pixel, of 255, that shows the animal, and that shows its head
	// with the ears. The head is part of the animal.
	Foreground, Head *transform.Image
	// Changed, in a picture that was drawn again with a [Change], is a mask of where it
	// looks other than the one that Draw draws: the share of each pixel, of 255, but at
	// least 1 where any of it does. Else it is nil.
	Changed *transform.Image
	Breed   BreedSpec
}

// MaxSize is the largest picture that Draw draws, in pixels.
const MaxSize = 4096

// samples is the least number of samples across a picture, so that small
// pictures are as true as large ones; and two across a pixel at least.
const samples = 192

// Draw draws a square picture of an animal of a breed (see [Breed]), size
// pixels wide. Seed and index distinguish pictures of a breed. The same arguments
// give the same bytes; other options change what they scale and leave the rest
// as it was. Errors: a negative breed, a size that isn't in [8, MaxSize], an
// option that isn't in [0, 1].
func Draw(seed uint64, breed, index, size int, o Options) (Sample, error) {
	p := picture{seed: seed, breed: breed, index: index, size: size, options: o}
	if err := p.check(); err != nil {
		return Sample{}, err
	}
	st := p.stage()
	defer st.Free()
	spec := Breed(breed)
	p.setting(st)
	p.animal(st, spec)
	p.front(st)
	return p.develop(st, spec), nil
}

// picture says what Draw draws.
type picture struct {
	seed               uint64
	breed, index, size int
	options            Options
}

func (p picture) check() error {
	if err := p.options.check(); err != nil {
		return err
	}
	if p.breed < 0 {
		return fmt.Errorf("pets: there is no breed %d; they are counted from 0", p.breed)
	}
	if p.size < 8 || p.size > MaxSize {
		return badSize(p.size)
	}
	return nil
}

// stream is the random numbers of one aspect of the picture.
func (p picture) stream(aspect uint64) *draw.Stream {
	return draw.NewStream(p.seed, uint64(p.breed), uint64(p.index), aspect)
}

// per is how many samples there are across a pixel.
func (p picture) per() int { return max(2, (samples+p.size-1)/p.size) }

func (p picture) stage() *stage { return &stage{Canvas: draw.NewCanvas(p.size * p.per())} }

// The steps of drawing a picture.

func (p picture) setting(st *stage) {
	(&setting{stage: st, s: p.stream(1), v: p.options.Life}).draw(st.page())
}

func (p picture) animal(st *stage, looks BreedSpec) {
	drawPet(st, st.page(), Breed(p.breed), looks, p.stream(2), p.stream(3), p.stream(6), p.options)
}

func (p picture) front(st *stage) {
	if s := p.stream(4); s.Chance(p.options.Occlusion) {
		(&setting{stage: st, s: s}).occlude(st.page())
	}
}

func (p picture) develop(st *stage, spec BreedSpec) Sample {
	s := Sample{Breed: spec}
	s.Image, s.Foreground, s.Head = develop(st.Canvas, p.per(), newLight(p.stream(5), p.options.View))
	return s
}

func badSize(size int) error {
	return fmt.Errorf("pets: a picture of %d pixels; the size goes from 8 to %d", size, MaxSize)
}

// drawPet paints an animal that looks like spec; its pose comes from posing, its own
// looks from looks, and how it is seen from view. The camera is held as for the breed
// that it was, so that it stands where it stood.
func drawPet(c *stage, page draw.Frame, was, spec BreedSpec, posing, looks, view *draw.Stream, o Options) {
	defer c.begin(PartAnimal)()
	v := o.Life
	own := [4]float64{1 + looks.Around(0.07)*v, 1 + looks.Around(0.07)*v, 1 + looks.Around(0.07)*v, 1 + looks.Around(0.07)*v}
	b := builds[spec.Build].grown(own)
	p := sitting
	if mix := draw.Pick(posing, portrait, portrait, portrait, sitting, sitting, sitting, standing, standing, standing, lying); posing.Chance(v) {
		p = mix
	}
	a := &artist{BreedSpec: spec, stage: c, s: looks}
	a.coat = palette[spec.Coat].Vary(looks, 40*v, 12*v)
	a.mark = palette[spec.Marking].Vary(looks, 30*v, 12*v)
	a.iris = irises[spec.EyeColour].Vary(looks, 24*v, 10*v)
	a.shadow = looks.Sign()
	a.outline = 0.0065 * float64(c.N)
	a.yaw = 0.2 + float64(posing.Around(0.75)*v)
	a.pitch = float64(posing.Around(0.12) * v)
	f := camera(page, extent(p, builds[was.Build].grown(own), was.Ears), view, o.View)
	if p != portrait {
		groundShadow(c, f, p, b)
	}
	a.drawAnimal(f, p, b)
}

// camera returns the frame in which an animal of the given extent is seen: whole
// or nearly so, tilted, left or right; its head never leaves the picture.
func camera(page draw.Frame, e bounds, s *draw.Stream, v float64) draw.Frame {
	size := e.hi.Minus(e.lo)
	scale := 0.92 / max(size.X, size.Y)
	scale *= 1 + float64(s.In(-0.40, 0.12)*v)
	tilt := float64(s.Around(0.5) * v)
	flip := 1.0
	if s.Chance(0.5 * v) {
		flip = -1
	}
	room := draw.Pt(max(1-size.X*scale, 0.1), max(1-size.Y*scale, 0.1))
	at := draw.Pt(0.5+float64(s.In(-0.5, 0.5)*room.X*v), 0.5+float64(s.In(-0.5, 0.5)*room.Y*v))
	mid := draw.Between(e.lo, e.hi, 0.5)
	unit := draw.Frame{XX: 1, YY: 1}
	inner := unit.Inside(at, scale, tilt, flip)
	inner = inner.Inside(mid.Times(-1), 1, 0, 1)
	h, r := inner.At(e.head), e.radius*scale*1.05
	shift := draw.Pt(min(max(h.X, r), 1-r)-h.X, min(max(h.Y, r*1.1), 1-r)-h.Y)
	if math.Abs(shift.X)+math.Abs(shift.Y) > 0 {
		inner.X, inner.Y = inner.X+shift.X, inner.Y+shift.Y
	}
	k := page.XX
	return draw.Frame{XX: inner.XX * k, XY: inner.XY * k, YX: inner.YX * k, YY: inner.YY * k, X: inner.X * k, Y: inner.Y * k}
}

// groundShadow paints the shadow that an animal casts on the ground.
func groundShadow(c *stage, f draw.Frame, p pose, b proportions) {
	defer c.begin(Shadow)()
	wide := b.length * 0.62
	if p == sitting {
		wide = b.thick * 0.95
	}
	for _, k := range []float64{1.15, 0.95} {
		c.Fill(f, draw.Ink{Colour: 0x383040, Alpha: 44, Keep: true}, draw.Ellipse(draw.Pt(0, -0.005), wide*k, 0.045*k))
	}
}
