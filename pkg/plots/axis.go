package plots

import (
	"fmt"
	"math"
)

// axis maps values to CSS pixels, linearly or by their logarithm.
type axis struct {
	lo, hi   float64 // the values at its ends
	from, to float64 // the positions of lo and hi
	log      bool
}

// newAxis returns an axis that covers the finite values that see reports, with
// some room around them. If lo is below hi, they are the range instead.
func newAxis(lo, hi float64, log bool, room float64, values ...float64) (axis, error) {
	a := axis{lo: lo, hi: hi, log: log}
	if lo == hi {
		a.lo, a.hi = math.Inf(1), math.Inf(-1)
		for _, v := range values {
			if isFinite(v) {
				a.lo, a.hi = min(a.lo, v), max(a.hi, v)
			}
		}
		if log && a.lo <= 0 {
			return a, fmt.Errorf("plots: a logarithmic axis needs values above 0; the smallest is %g", a.lo)
		}
		a.pad(room)
	}
	if !isFinite(a.lo) || !isFinite(a.hi) || a.lo >= a.hi {
		return a, fmt.Errorf("plots: an axis can't run from %g to %g", a.lo, a.hi)
	}
	if log && a.lo <= 0 {
		return a, fmt.Errorf("plots: a logarithmic axis can't begin at %g: it needs values above 0", a.lo)
	}
	return a, nil
}

// pad extends the range a little at both ends, so that it is never empty.
func (a *axis) pad(room float64) {
	if a.lo > a.hi {
		a.lo, a.hi = 0, 1
		if a.log {
			a.lo, a.hi = 1, 10
		}
		return
	}
	if a.log {
		if a.lo == a.hi {
			a.lo, a.hi = a.lo/2, a.hi*2
		}
		f := math.Pow(a.hi/a.lo, room)
		a.lo, a.hi = a.lo/f, a.hi*f
		return
	}
	d := (a.hi - a.lo) * room
	if a.lo == a.hi {
		d = max(math.Abs(a.lo)*0.1, 1e-9)
		if a.lo == 0 {
			d = 1
		}
	}
	if a.lo >= 0 && a.lo-d < 0 { // no negative numbers on an axis of positive ones
		a.lo, a.hi = 0, a.hi+d
		return
	}
	a.lo, a.hi = a.lo-d, a.hi+d
}

// at returns the position of v.
func (a axis) at(v float64) float64 {
	var t float64
	if a.log {
		t = math.Log(v/a.lo) / math.Log(a.hi/a.lo)
	} else {
		t = (v - a.lo) / (a.hi - a.lo)
	}
	return a.from + t*(a.to-a.from)
}

func (a axis) ticks(most int) []tick {
	if a.log {
		return logTicks(a.lo, a.hi)
	}
	return niceTicks(a.lo, a.hi, most)
}

// legend is a row of names with samples of their colours, broken into lines.
type legend struct {
	items []legendItem
	lines int
}

type legendItem struct {
	name   string
	x      float64
	line   int
	sample func(c canvas, b box)
}

const (
	legendLead   = 18.0
	legendSample = 20.0
)

// newLegend breaks the items into lines of the given width. Without names it is empty.
func newLegend(names []string, samples []func(c canvas, b box), width float64) legend {
	var l legend
	var x float64
	for i, s := range names {
		s = ellipsis(s, width-legendSample-6, tickStyle)
		if s == "" {
			continue
		}
		w := legendSample + 6 + textWidth(s, tickStyle)
		if l.lines == 0 {
			l.lines = 1
		} else if x+w > width {
			x, l.lines = 0, l.lines+1
		}
		l.items = append(l.items, legendItem{s, x, l.lines - 1, samples[i]})
		x += w + 16
	}
	return l
}

func (l legend) height() float64 {
	if l.lines == 0 {
		return 0
	}
	return float64(l.lines)*legendLead + 6
}

func (l legend) draw(c canvas, x, y float64) {
	for _, it := range l.items {
		mid := y + float64(it.line)*legendLead + legendLead/2
		it.sample(c, box{x + it.x, mid - 5, legendSample, 10})
		st := tickStyle
		st.color = ink
		c.text(point{x + it.x + legendSample + 6, mid + st.drop()}, it.name, st)
	}
}

// drawAxes draws ticks, grid lines and labels around a plot area.
func drawAxes(c canvas, b box, xs, ys []tick, x, y axis) {
	drawGrid(c, b, ys, y)
	for _, t := range xs {
		px := x.at(t.at)
		c.polyline([]point{{px, b.bottom()}, {px, b.bottom() + tickLen}}, stroke{color: axisInk, width: 1})
		c.text(point{px, b.bottom() + tickLen + 12}, t.label, tickStyle.at(middle))
	}
	c.polyline([]point{{b.x, b.bottom()}, {b.right(), b.bottom()}}, stroke{color: axisInk, width: 1})
}

// drawGrid draws horizontal lines across the plot, with their values on the left.
func drawGrid(c canvas, b box, ys []tick, y axis) {
	for _, t := range ys {
		py := y.at(t.at)
		c.polyline([]point{{b.x, py}, {b.right(), py}}, stroke{color: gridInk, width: 1})
		c.text(point{b.x - 7, py + tickStyle.drop()}, t.label, tickStyle.at(end))
	}
}

// drawAxisLabels writes the names of the axes; bottom is the lower edge of the figure.
func drawAxisLabels(c canvas, b box, xLabel, yLabel string, bottom float64) {
	if xLabel != "" {
		c.text(point{b.x + b.w/2, bottom - 3}, ellipsis(xLabel, b.w, labelStyle), labelStyle.at(middle))
	}
	if yLabel != "" {
		st := labelStyle.at(middle)
		st.vertical = true
		c.text(point{pad + 10, b.y + b.h/2}, ellipsis(yLabel, b.h, labelStyle), st)
	}
}
