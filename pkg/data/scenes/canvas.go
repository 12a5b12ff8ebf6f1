package scenes

import (
	"math"
	"sync"

	"gaze/pkg/transform"
)

// label says what a sample of the canvas shows: a kind of scenery, or a part
// of one of the persons, animals and things.
type label uint8

const (
	sky label = iota
	ground
	far // mountains, sea, houses
	trees
	road
	table
	room      // walls, cupboards and floor of a kitchen
	firstOwn  // of the labels that persons, animals and things are given
	maxLabels = 64
)

// labels is a set of labels.
type labels uint64

func on(ls ...label) labels {
	var set labels
	for _, l := range ls {
		set |= 1 << l
	}
	return set
}

func (s labels) has(l label) bool { return s>>l&1 == 1 }

// canvas is a square of n x n samples; a pixel of the picture is the mean of
// several. All painting is by whole samples and in integers: vertices are
// snapped to 1/256 of a sample, so a last bit that differs between processors
// does not show.
type canvas struct {
	n      int
	pixels []rgb
	shows  []label
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
	alpha  int    // 1 to 256; 0 is opaque
	label  label  // what the samples show from now on, unless keep
	keep   bool   // they go on showing what they did
	clip   labels // paint what shows these only; 0: all
}

var canvases sync.Pool // of *canvas

func newCanvas(n int) *canvas {
	if c, ok := canvases.Get().(*canvas); ok && c.n == n {
		return c
	}
	return &canvas{n: n, pixels: make([]rgb, n*n), shows: make([]label, n*n), rows: make([][]crossing, n)}
}

// fill paints what the outlines enclose: where they wind around a sample a
// number of times other than zero.
func (c *canvas) fill(f frame, k ink, outlines ...[]vec) {
	c.spans(f, outlines, func(from, to int) {
		pixels, shows := c.pixels[from:to], c.shows[from:to]
		for i := range pixels {
			if k.clip != 0 && !k.clip.has(shows[i]) {
				continue
			}
			if k.alpha == 0 {
				pixels[i] = k.colour
			} else {
				pixels[i] = mix(pixels[i], k.colour, k.alpha)
			}
			if !k.keep {
				shows[i] = k.label
			}
		}
	})
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

// picture returns what the canvas shows, each pixel the mean of per x per
// samples, with the light's gain of each channel in 1/256.
func (c *canvas) picture(per int, gain [3]int) *transform.Image {
	size, n := c.n/per, per*per
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
				at := (y*per+row)*c.n + x*per
				for _, p := range c.pixels[at : at+per] {
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

// mask returns the share of each pixel, of 255, that shows one of the labels.
func (c *canvas) mask(per int, set labels) *transform.Image {
	size, n := c.n/per, per*per
	im := transform.NewImage(size, size, 1)
	counts := make([]int, size)
	for y := range size {
		clear(counts)
		for row := range per {
			shows := c.shows[(y*per+row)*c.n:]
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
