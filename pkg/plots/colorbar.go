package plots

import (
	"image"
	"image/color"
	"math"
)

// colorbar is the vertical bar that shows the colours of a figure with their values.
type colorbar struct {
	r     resolved
	label string
	ticks []tick
	wide  float64 // total width, including the gap to the panels; 0: no bar
}

// newColorbar makes a bar of the given height. If ends are given, they are written
// at the bottom and the top instead of values.
func newColorbar(s Scale, r resolved, height float64, ends ...string) colorbar {
	b := colorbar{r: r, label: clean(s.Label)}
	if s.NoBar {
		return b
	}
	if len(ends) == 2 {
		b.ticks = []tick{{r.lo, ends[0]}, {r.hi, ends[1]}}
	} else {
		b.ticks = niceTicks(r.lo, r.hi, int(min(8, max(1, height/45))))
	}
	var widest float64
	for _, t := range b.ticks {
		widest = max(widest, textWidth(t.label, tickStyle))
	}
	b.wide = barGap + barWidth + tickLen + 3 + math.Ceil(widest)
	if b.label != "" {
		b.label = ellipsis(b.label, height, labelStyle)
		b.wide += 20
	}
	return b
}

// draw draws the bar to the right of x, from y down over height.
func (b colorbar) draw(c canvas, x, y, height float64) {
	if b.wide == 0 {
		return
	}
	bar := box{x + barGap, y, barWidth, height}
	arrow := math.Round(min(10, height/6))
	if b.r.above {
		b.drawArrow(c, point{bar.x, bar.y + arrow}, -arrow, b.r.cmap.Over)
		bar.y, bar.h = bar.y+arrow, bar.h-arrow
	}
	if b.r.below {
		b.drawArrow(c, point{bar.x, bar.bottom() - arrow}, arrow, b.r.cmap.Under)
		bar.h -= arrow
	}
	gradient := make([][]float64, 256)
	for i := range gradient {
		gradient[i] = []float64{(255.5 - float64(i)) / 256}
	}
	c.image(bar, func() image.Image { return mapImage(gradient, resolved{cmap: b.r.cmap, lo: 0, hi: 1}) }, false)
	outline(c, bar, frame, 1)
	for _, t := range b.ticks {
		ty := bar.bottom() - b.r.unit(t.at)*bar.h
		// A tick at either end stays inside the bar's outline.
		my := min(bar.bottom()-0.5, max(bar.y+0.5, ty))
		c.polyline([]point{{bar.right(), my}, {bar.right() + tickLen, my}}, stroke{color: axisInk, width: 1})
		c.text(point{bar.right() + tickLen + 3, ty + tickStyle.drop()}, t.label, tickStyle)
	}
	if b.label != "" {
		st := labelStyle.at(middle)
		st.vertical = true
		c.text(point{x + b.wide - 3, y + height/2}, b.label, st)
	}
}

// drawArrow draws a triangle at the end of the bar, which means that there are values
// beyond it.
func (b colorbar) drawArrow(c canvas, at point, length float64, col color.RGBA) {
	tip := point{at.x + barWidth/2, at.y + length}
	right := point{at.x + barWidth, at.y}
	c.polygon([]point{at, tip, right}, col)
	c.polyline([]point{at, tip, right}, stroke{color: frame, width: 1})
}
