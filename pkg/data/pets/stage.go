package pets

import (
	"fmt"
	"slices"

	"gaze/pkg/data/internal/draw"
)

// Part names something in a picture that can be left out of it: a part of the animal, or
// a thing around it.
type Part string

// The parts of an animal. Some have others: without the head, there are no ears.
const (
	PartAnimal   Part = "animal" // with its shadow on the ground
	PartHead     Part = "head"   // with all that is on it
	PartEars     Part = "ears"
	PartMuzzle   Part = "muzzle" // with nose, mouth and whiskers
	PartEyes     Part = "eyes"
	PartTail     Part = "tail"
	PartLegs     Part = "legs"     // with paws and thighs
	PartTrunk    Part = "trunk"    // with the neck
	PartMarkings Part = "markings" // what the pattern paints or dyes, anywhere on the animal
	PartMane     Part = "mane"     // what fur adds to the head: a mane, a fringe or wrinkles
)

// Parts lists the parts of an animal that have no others.
func Parts() []Part {
	return []Part{PartEars, PartMuzzle, PartEyes, PartTail, PartLegs, PartTrunk, PartMarkings, PartMane}
}

// Scenery that many pictures have. Other things are named after what they are, such as
// "tree" and "tree 2".
const (
	Backdrop Part = "backdrop" // the wall or the sky; without it, there is a plain grey wall
	Ground   Part = "ground"
	Shadow   Part = "shadow" // of the animal, on the ground
	Occluder Part = "occluder"
	flowers  Part = "flowers"
)

// ofAnimal are the parts that are no scenery.
var ofAnimal = append(Parts(), PartAnimal, PartHead)

// stage is a canvas on which parts are painted by name, and on which some are missing.
// Whatever is missing is worked out all the same, so that it takes the random numbers
// that it always takes and the rest doesn't change.
type stage struct {
	*draw.Canvas
	missing map[Part]bool
	mute    bool    // what is painted now is missing
	seen    []Part  // all that has been painted or is missing
	script  *script // nil: there is no original
}

// page is the whole picture: 1 wide and high.
func (s *stage) page() draw.Frame { return draw.Frame{XX: float64(s.N), YY: float64(s.N)} }

// Fill paints, unless what is painted is missing.
func (s *stage) Fill(f draw.Frame, k draw.Ink, outlines ...[]draw.Vec) {
	if !s.mute {
		s.Canvas.Fill(f, k, outlines...)
	}
}

// begin says that a part is painted from now on, until the function that it returns is
// called.
func (s *stage) begin(p Part) (end func()) {
	if !slices.Contains(s.seen, p) {
		s.seen = append(s.seen, p)
	}
	outer := s.mute
	s.mute = outer || s.missing[p]
	return func() { s.mute = outer }
}

// object is begin for one of several things of a kind.
func (s *stage) object(kind string) (end func()) {
	p := Part(kind)
	for n := 2; slices.Contains(s.seen, p); n++ {
		p = Part(fmt.Sprint(kind, " ", n))
	}
	return s.begin(p)
}

// script is what must happen in a changed picture as it did in the original, though the
// changed parts would have it otherwise.
type script struct {
	known  bool        // the original has been drawn
	coated draw.Stream // the animal's random numbers after its body's pattern
	front  int         // which try found a place in front of the animal; -1: none
}

// goOn gives a stream the numbers that it had here in the original: patterns differ in
// how many they take.
func (s *stage) goOn(stream *draw.Stream) {
	switch {
	case s.script == nil:
	case s.script.known:
		*stream = s.script.coated
	default:
		s.script.coated = *stream
	}
}

// place returns where the original has something in front of the animal.
func (s *stage) place() (try int, known bool) {
	if s.script == nil || !s.script.known {
		return 0, false
	}
	return s.script.front, true
}

// placed notes the try that found a place.
func (s *stage) placed(try int) {
	if s.script != nil {
		s.script.front = try
	}
}
