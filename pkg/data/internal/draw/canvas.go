// Package draw paints shapes in flat colours for the sets of pictures that are
// drawn: pets and scenes. It knows outlines, colours, random numbers and which
// sample of a picture shows what; it doesn't know what the shapes stand for.
//
// A set's pictures must be the same bytes in ten years, so painting is in integers,
// random numbers are its own, and tests of both sets pin checksums.
package draw

import (
	"math"
	"sync"

	"gaze/pkg/transform"
)

// Label says what a sample of the canvas shows; 0 is the background.
type Label uint8

// MaxLabels is how many labels there are.
const MaxLabels = 64

// Labels is a set of labels.
type Labels uint64

// On returns the set of the given labels.
func On(list ...Label) Labels {
	var set Labels
	for _, l := range list {
		set |= 1 << l
	}
	return set
}

// Has tells whether the label is in the set.
func (s Labels) Has(l Label) bool { return s>>l&1 == 1 }

// Canvas is a square of n x n samples; a pixel of the picture is the mean of
// several. Shapes are painted sample by sample and in integers: vertices are
// rounded to 1/256 of a sample, so that a last bit that differs between
// processors doesn't show.
type Canvas struct {
	N      int // samples in a row and in a column
	Pixels []RGB
	Shows  []Label
	rows   [][]crossing
}

// crossing is where an outline crosses the middle of a row of samples.
type crossing struct {
	x    int32 // the first sample right of it
	down int32 // 1 or -1
}

// Ink is how a shape is painted.
type Ink struct {
	Colour RGB
	Alpha  int    // 1 to 256; 0 is opaque
	Label  Label  // what the samples show from now on, unless keep is set
	Keep   bool   // the samples go on showing what they did
	Clip   Labels // paint only what shows one of these; 0: everything
}

var canvases sync.Pool // of *canvas

// NewCanvas returns a canvas of n x n samples. What was painted on it before may
// still be there: paint all of it.
func NewCanvas(n int) *Canvas {
	if c, ok := canvases.Get().(*Canvas); ok && c.N == n {
		return c
	}
	return &Canvas{N: n, Pixels: make([]RGB, n*n), Shows: make([]Label, n*n), rows: make([][]crossing, n)}
}

// Free says that the canvas isn't used any more, so that another picture may be
// painted on it.
func (c *Canvas) Free() { canvases.Put(c) }

// Fill paints what the outlines enclose: where they wind around a sample a
// number of times other than zero.
func (c *Canvas) Fill(f Frame, k Ink, outlines ...[]Vec) {
	c.spans(f, outlines, func(from, to int) {
		pixels, shows := c.Pixels[from:to], c.Shows[from:to]
		if k.Clip == 0 && k.Alpha == 0 {
			for i := range pixels {
				pixels[i] = k.Colour
			}
			if !k.Keep {
				for i := range shows {
					shows[i] = k.Label
				}
			}
			return
		}
		for i := range pixels {
			if k.Clip != 0 && !k.Clip.Has(shows[i]) {
				continue
			}
			if k.Alpha == 0 {
				pixels[i] = k.Colour
			} else {
				pixels[i] = Mix(pixels[i], k.Colour, k.Alpha)
			}
			if !k.Keep {
				shows[i] = k.Label
			}
		}
	})
}

// Count returns how many samples of the given labels the outlines enclose.
func (c *Canvas) Count(f Frame, set Labels, outlines ...[]Vec) int {
	n := 0
	c.spans(f, outlines, func(from, to int) {
		for _, p := range c.Shows[from:to] {
			if set.Has(p) {
				n++
			}
		}
	})
	return n
}

// Area returns how many samples show one of the labels.
func (c *Canvas) Area(set Labels) int {
	n := 0
	for _, p := range c.Shows {
		if set.Has(p) {
			n++
		}
	}
	return n
}

// spans calls do with every run of samples inside the outlines, as a range of
// indices.
func (c *Canvas) spans(f Frame, outlines [][]Vec, do func(from, to int)) {
	top, bottom := c.N, -1
	for _, outline := range outlines {
		if len(outline) < 3 {
			continue
		}
		ax, ay := snap(f.At(outline[len(outline)-1]))
		for _, v := range outline {
			bx, by := snap(f.At(v))
			lo, hi := c.edge(ax, ay, bx, by)
			top, bottom = min(top, lo), max(bottom, hi)
			ax, ay = bx, by
		}
	}
	for y := top; y <= bottom; y++ {
		row := c.rows[y]
		for i := 1; i < len(row); i++ { // few, nearly sorted
			for j := i; j > 0 && row[j].x < row[j-1].x; j-- {
				row[j], row[j-1] = row[j-1], row[j]
			}
		}
		winding, from := int32(0), 0
		for _, k := range row {
			if winding == 0 {
				from = int(k.x)
			}
			winding += k.down
			if winding == 0 && int(k.x) > from {
				do(y*c.N+from, y*c.N+int(k.x))
			}
		}
		c.rows[y] = row[:0]
	}
}

// edge notes where the line from a to b crosses rows; it returns the first and
// the last of them.
func (c *Canvas) edge(ax, ay, bx, by int64) (first, last int) {
	down := int32(1)
	if ay > by {
		ax, ay, bx, by, down = bx, by, ax, ay, -1
	}
	lo := max((ay+127)>>8, 0)
	hi := min((by+127)>>8, int64(c.N)) - 1
	if lo > hi {
		return c.N, -1
	}
	slope := ((bx - ax) << 16) / (by - ay)
	x := ax<<16 + (lo<<8+128-ay)*slope
	for y := lo; y <= hi; y++ {
		at := min(max((x>>16+127)>>8, 0), int64(c.N))
		c.rows[y] = append(c.rows[y], crossing{int32(at), down})
		x += slope << 8
	}
	return int(lo), int(hi)
}

// snap returns a point in 1/256 of a sample, kept near enough to the canvas
// for the arithmetic of edge.
func snap(v Vec) (x, y int64) {
	const far = 1 << 14
	return int64(math.Floor(min(max(v.X, -far), far)*256 + 0.5)), int64(math.Floor(min(max(v.Y, -far), far)*256 + 0.5))
}

// Picture returns what the canvas shows, each pixel the mean of per x per
// samples, with the light's gain of each channel in 1/256.
func (c *Canvas) Picture(per int, gain [3]int) *transform.Image {
	size, n := c.N/per, per*per
	im := transform.NewImage(size, size, 3)
	var scale [3]int
	for i, g := range gain {
		scale[i] = g << 16 / n
	}
	for y := range size {
		for x := range size {
			const lane = 20 // bits of a channel's sum
			var sum uint64
			for row := range per {
				at := (y*per+row)*c.N + x*per
				for _, p := range c.Pixels[at : at+per] {
					sum += uint64(p&0xff0000)<<(2*lane-16) | uint64(p&0xff00)<<(lane-8) | uint64(p&0xff)
				}
			}
			at := 3 * (y*size + x)
			for i := range 3 {
				v := int(sum >> (lane * (2 - i)) & (1<<lane - 1))
				im.Pix[at+i] = uint8(min((v*scale[i]+1<<23)>>24, 255))
			}
		}
	}
	return im
}

// Mask returns the share of each pixel, of 255, that shows one of the labels.
func (c *Canvas) Mask(per int, set Labels) *transform.Image {
	size, n := c.N/per, per*per
	im := transform.NewImage(size, size, 1)
	counts := make([]int, size)
	for y := range size {
		clear(counts)
		for row := range per {
			shows := c.Shows[(y*per+row)*c.N:]
			for x := range counts {
				for _, l := range shows[x*per : x*per+per] {
					counts[x] += int(set >> (l & 63) & 1)
				}
			}
		}
		for x, count := range counts {
			im.Pix[y*size+x] = uint8((count*255 + n/2) / n)
		}
	}
	return im
}
