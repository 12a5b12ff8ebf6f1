// Package scenes draws pictures with captions in the style of a picture book: people,
// animals and things in six places, doing what people photograph. Each has five captions
// and an exact mask for everything that the captions name.
//
// A picture depends only on a seed, a split and an index: they give the same bytes on
// any number of workers.
package scenes

import (
	"fmt"

	"gaze/pkg/data/internal/draw"
	"gaze/pkg/transform"
)

// MinSize and MaxSize are the smallest and the largest picture that Draw draws,
// in pixels.
const (
	MinSize = 16
	MaxSize = 4096
)

// samples is the least number of samples across a picture, so that small
// pictures are as true as large ones; and two across a pixel at least.
const samples = 256

// Scene is a picture and what is said about it.
type Scene struct {
	Image *transform.Image // RGB
	// Captions are five sentences, all different and all true: small letters,
	// words with single spaces between (see [Words]), no punctuation.
	Captions []string
	Count    int    // of the subjects, 1 to 3
	Nouns    []Noun // what the captions name; the first is the subject
	Name     string // of a picture of [Report]
}

// Draw draws the index-th picture of a split, size pixels wide and high. The
// same arguments give the same bytes; the size changes neither what is to be
// seen nor the captions. Errors: a negative index, a size that isn't in
// [MinSize, MaxSize], a split that isn't one.
func Draw(seed uint64, index, size int, split Split) (Scene, error) {
	if int(split) >= len(splitNames) {
		return Scene{}, fmt.Errorf("scenes: there is no split %d", split)
	}
	if index < 0 {
		return Scene{}, fmt.Errorf("scenes: there is no picture %d; they are counted from 0", index)
	}
	if err := checkSize(size); err != nil {
		return Scene{}, err
	}
	of := func(aspect uint64) *draw.Stream { return draw.NewStream(seed, uint64(split), uint64(index), aspect) }
	return drawPlan(choose(of(1), split), size, of), nil
}

func checkSize(size int) error {
	if size < MinSize || size > MaxSize {
		return fmt.Errorf("scenes: a picture of %d pixels; the size goes from %d to %d", size, MinSize, MaxSize)
	}
	return nil
}

// drawPlan draws a plan; of returns the random numbers of an aspect of it.
func drawPlan(p plan, size int, of func(aspect uint64) *draw.Stream) Scene {
	per := max(2, (samples+size-1)/size)
	c := draw.NewCanvas(size * per)
	defer c.Free()
	t := newStage(c, p, of(2))
	said := captions(p, of(3))
	return Scene{Image: c.Picture(per, daylight(of(4))), Captions: said, Count: p.count, Nouns: t.nouns(per, said)}
}

// daylight is the gain of each channel in 1/256.
func daylight(s *draw.Stream) [3]int {
	level := 251 + s.Around(16)
	warm := s.Around(8)
	return [3]int{int(level + warm), int(level), int(level - warm)}
}

// newStage paints a plan; half the scenes are seen in a mirror.
func newStage(c *draw.Canvas, p plan, s *draw.Stream) *stage {
	pt := &painter{Canvas: c, s: s, next: firstOwn, line: 0.0045 * float64(c.N)}
	page := draw.Frame{XX: float64(c.N), YY: float64(c.N)}
	if s.Chance(0.5) {
		page.XX, page.X = -page.XX, float64(c.N)
	}
	t := &stage{painter: pt, setting: newSetting(pt, p), plan: p}
	t.perform(page)
	return t
}
