package pets

import (
	"gaze/pkg/data/internal/draw"
	"gaze/pkg/transform"
)

// light is how a picture is lit, in 1/65536: the gain of each channel in the
// middle, and how the gain changes over the picture.
type light struct {
	gain      [3]int
	dx, dy    int
	grain     int // of the film, in 1/256 of a grey value
	grainSeed uint64
}

func newLight(s *draw.Stream, v float64) light {
	const one = 1 << 16
	level := 1 + float64((s.Around(0.3)-0.08)*v)
	warm := float64(s.Around(0.08) * v)
	green := float64(s.Around(0.03) * v)
	return light{
		gain: [3]int{int(level * (1 + warm) * one), int(level * (1 + green) * one), int(level * (1 - warm) * one)},
		dx:   int(s.Around(0.26) * v * one), dy: int(s.Around(0.16) * v * one),
		grain: int(4 * v * 256), grainSeed: s.Next(),
	}
}

// develop returns the picture that the canvas shows, each pixel the mean of
// per x per samples, lit; and the masks of animal and head, 255 where all
// samples of a pixel show it.
func develop(c *draw.Canvas, per int, l light) (picture, animal, face *transform.Image) {
	size := c.N / per
	picture = transform.NewImage(size, size, 3)
	animal, face = transform.NewImage(size, size, 1), transform.NewImage(size, size, 1)
	n := per * per
	var gain [3]int
	for i, g := range l.gain {
		gain[i] = g << 8 / n
	}
	s := draw.StreamAt(l.grainSeed)
	for y := range size {
		slopeY := 1<<16 + l.dy*(2*y+1-size)/(2*size)
		for x := range size {
			at := y*size + x
			r, g, b, body, head := sum(c, x*per, y*per, per)
			animal.Pix[at], face.Pix[at] = uint8((body*255+n/2)/n), uint8((head*255+n/2)/n)
			slope := slopeY + l.dx*(2*x+1-size)/(2*size)
			bits := s.Next()
			noise := (int(bits>>56) + int(bits>>48&255) - 255) * l.grain >> 8
			for i, v := range [3]int{r, g, b} {
				v = v * gain[i] * slope >> 32 // in 1/256
				picture.Pix[at*3+i] = uint8(min(max((v+noise+128)>>8, 0), 255))
			}
		}
	}
	return picture, animal, face
}

// shown tells, for each part, what it adds to the counts of the animal's
// samples (low half) and the head's (high half).
var shown = func() (t [face + 1]uint32) {
	for p := range t {
		if animalParts.Has(draw.Label(p)) {
			t[p]++
		}
		if headParts.Has(draw.Label(p)) {
			t[p] += 1 << 16
		}
	}
	return t
}()

// sum adds up the samples of a pixel.
func sum(c *draw.Canvas, x, y, per int) (r, g, b, animal, face int) {
	const lane = 20 // bits of a channel's sum
	var colours uint64
	var counts uint32
	for row := range per {
		at := (y+row)*c.N + x
		pixels, parts := c.Pixels[at:at+per], c.Shows[at:at+per]
		for i, p := range pixels {
			colours += uint64(p&0xff0000)<<(2*lane-16) | uint64(p&0xff00)<<(lane-8) | uint64(p&0xff)
			counts += shown[parts[i]]
		}
	}
	return int(colours >> (2 * lane)), int(colours >> lane & (1<<lane - 1)), int(colours & (1<<lane - 1)), int(counts & 0xffff), int(counts >> 16)
}
