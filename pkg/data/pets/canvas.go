package pets

import (
	"math"
	"sync"
)

// part says what a sample of the canvas shows.
type part uint8

const (
	scenery part = iota // background, and what stands in front of the animal
	tail
	farLeg
	body
	haunch
	nearLeg
	chest
	bodyLine // outlines and trimmings of the body
	head
	ear
	muzzle
	face // eyes, nose, mouth, whiskers, outlines and trimmings of the head
)

// clip is a set of parts.
type clip uint32

func on(parts ...part) clip {
	var c clip
	for _, p := range parts {
		c |= 1 << p
	}
	return c
}

func (c clip) has(p part) bool { return c>>p&1 == 1 }

// headParts and animalParts are what the two masks are made of.
var (
	headParts   = on(head, ear, muzzle, face)
	animalParts = headParts | on(tail, farLeg, body, haunch, nearLeg, chest, bodyLine)
)

// canvas is a square of n x n samples; a pixel of the picture is the mean of
// several. All painting is by whole samples and in integers: vertices are
// snapped to 1/256 of a sample, so a last bit that differs between processors
// does not show.
type canvas struct {
	n      int
	pixels []rgb
	parts  []part
	rows   [][]crossing
}

// crossing is where an outline crosses the middle of a row of samples.
type crossing struct {
	x    int32 // the first sample right of it
	down int32 // 1 or -1
}

// ink is how a shape is painted.
type ink struct {
	colour rgb
	alpha  int  // 1 to 256; 0 is opaque
	part   part // what the samples show from now on, unless keep
	keep   bool // they go on showing what they did
	clip   clip // paint these parts only; 0: all
}

var canvases sync.Pool

func newCanvas(n int) *canvas {
	if c, ok := canvases.Get().(*canvas); ok && c.n == n {
		return c
	}
	return &canvas{n: n, pixels: make([]rgb, n*n), parts: make([]part, n*n), rows: make([][]crossing, n)}
}

// fill paints what the outlines enclose: where they wind around a sample a
// number of times other than zero.
func (c *canvas) fill(f frame, k ink, outlines ...[]vec) {
	c.spans(f, outlines, func(from, to int) {
		pixels, parts := c.pixels[from:to], c.parts[from:to]
		if k.clip == 0 && k.alpha == 0 {
			for i := range pixels {
				pixels[i] = k.colour
			}
			if !k.keep {
				for i := range parts {
					parts[i] = k.part
				}
			}
			return
		}
		for i := range pixels {
			if k.clip != 0 && !k.clip.has(parts[i]) {
				continue
			}
			if k.alpha == 0 {
				pixels[i] = k.colour
			} else {
				pixels[i] = mix(pixels[i], k.colour, k.alpha)
			}
			if !k.keep {
				parts[i] = k.part
			}
		}
	})
}

// count returns how many samples of the given parts the outlines enclose.
func (c *canvas) count(f frame, parts clip, outlines ...[]vec) int {
	n := 0
	c.spans(f, outlines, func(from, to int) {
		for _, p := range c.parts[from:to] {
			if parts.has(p) {
				n++
			}
		}
	})
	return n
}

// area returns how many samples show the given parts.
func (c *canvas) area(parts clip) int {
	n := 0
	for _, p := range c.parts {
		if parts.has(p) {
			n++
		}
	}
	return n
}

// spans calls do with every run of samples inside the outlines, as a range of
// indices.
func (c *canvas) spans(f frame, outlines [][]vec, do func(from, to int)) {
	top, bottom := c.n, -1
	for _, outline := range outlines {
		if len(outline) < 3 {
			continue
		}
		ax, ay := snap(f.at(outline[len(outline)-1]))
		for _, v := range outline {
			bx, by := snap(f.at(v))
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
				do(y*c.n+from, y*c.n+int(k.x))
			}
		}
		c.rows[y] = row[:0]
	}
}

// edge notes where the line from a to b crosses rows; it returns the first and
// the last of them.
func (c *canvas) edge(ax, ay, bx, by int64) (first, last int) {
	down := int32(1)
	if ay > by {
		ax, ay, bx, by, down = bx, by, ax, ay, -1
	}
	lo := max((ay+127)>>8, 0)
	hi := min((by+127)>>8, int64(c.n)) - 1
	if lo > hi {
		return c.n, -1
	}
	slope := ((bx - ax) << 16) / (by - ay)
	x := ax<<16 + (lo<<8+128-ay)*slope
	for y := lo; y <= hi; y++ {
		at := min(max((x>>16+127)>>8, 0), int64(c.n))
		c.rows[y] = append(c.rows[y], crossing{int32(at), down})
		x += slope << 8
	}
	return int(lo), int(hi)
}

// snap returns a point in 1/256 of a sample, kept near enough to the canvas
// for the arithmetic of edge.
func snap(v vec) (x, y int64) {
	const far = 1 << 14
	return int64(math.Floor(min(max(v.x, -far), far)*256 + 0.5)), int64(math.Floor(min(max(v.y, -far), far)*256 + 0.5))
}
