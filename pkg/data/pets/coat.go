package pets

import "gaze/pkg/data/internal/draw"

// headMarks paints the breed's pattern on the bare head.
func (a *artist) headMarks(f draw.Frame) {
	m, only := a.mark, draw.On(head)
	end := a.begin(PartMarkings)
	switch a.Pattern {
	case Tabby:
		for _, x := range []float64{-0.34, 0, 0.34} {
			a.paint(f, only, m, draw.Stroke(0.075, a.turn(x*0.7, -0.95, 0.4), a.turn(x, -0.7, 0.6), a.turn(x*0.8, -0.36, 0.75)))
		}
		for _, side := range []float64{-1, 1} {
			for i := range 2 {
				y := 0.1 + 0.3*float64(i)
				a.paint(f, only, m, draw.Stroke(0.07, a.turn(side*1.05, y-0.06, 0.1), a.turn(side*0.84, y, 0.4), a.turn(side*0.6, y-0.03, 0.6)))
			}
		}
	case Spotted:
		a.dots(f, only, draw.Path(-.3, -.62, .32, -.66, 0, -.42, -.74, .12, .76, .1, -.62, .48, .62, .5, .02, -.82, -.72, -.4, .72, -.38), 0.125)
	case Rosetted:
		a.rings(f, only, draw.Path(-.34, -.6, .34, -.62, 0, -.78, -.78, .16, .78, .14), 0.17)
	case Speckled:
		for range 46 {
			at := a.turn(a.s.In(-0.95, 0.95), a.s.In(-0.95, 0.8), 0.3)
			r := a.s.In(0.025, 0.055)
			a.paint(f, only, m, draw.Ellipse(at, r, r))
		}
	case Patched:
		at := a.turn(-0.46, -0.2, 0.6)
		a.paint(f, only, m, draw.Smooth(at.Plus(draw.Pt(-.55, -.5)), at.Plus(draw.Pt(.2, -.62)), at.Plus(draw.Pt(.36, -.1)), at.Plus(draw.Pt(.1, .42)), at.Plus(draw.Pt(-.6, .3))))
		a.paint(f, only, m, draw.Ellipse(a.turn(0.62, 0.7, 0.4), 0.34, 0.3))
	case Pointed:
		at := a.turn(0, 0.28, 0.8)
		a.tint(f, only, m, 120, draw.Ellipse(at, 0.66, 0.68))
		a.tint(f, only, m, 170, draw.Ellipse(at.Plus(draw.Pt(0, 0.06)), 0.5, 0.52))
	case Tuxedo:
		at := a.turn(0, 0, 0.8)
		a.paint(f, only, m, draw.Smooth(at.Plus(draw.Pt(0, -.8)), at.Plus(draw.Pt(.12, -.1)), at.Plus(draw.Pt(.62, .4)), at.Plus(draw.Pt(.5, 1.2)), at.Plus(draw.Pt(-.5, 1.2)), at.Plus(draw.Pt(-.62, .4)), at.Plus(draw.Pt(-.12, -.1))))
	case Saddled:
		at := a.turn(0, 0, 0.5)
		a.paint(f, only, m, draw.Smooth(draw.Pt(-1.3, -1.3), draw.Pt(1.3, -1.3), draw.Pt(1.2, -.12), at.Plus(draw.Pt(.5, -.32)), at.Plus(draw.Pt(0, -.12)), at.Plus(draw.Pt(-.5, -.32)), draw.Pt(-1.2, -.12)))
	case Goggled:
		for _, side := range []float64{-1, 1} {
			at := a.turn(side*0.44, -0.06, 0.7)
			a.paint(f, only, m, draw.Turned(at, 0.40*a.foreshort(side*0.4), 0.38, side*0.5))
		}
	case HalfFaced:
		a.paint(f, only, m, []draw.Vec{a.turn(0, -1.2, 0.4), draw.Pt(1.8, -1.4), draw.Pt(1.8, 1.6), a.turn(0, 1.3, 0.6), a.turn(0, 0.2, 0.8), a.turn(0, -0.4, 0.7)})
	}
	end()
	if a.Pattern != Tuxedo && a.Pattern != Pointed {
		for _, side := range []float64{-1, 1} {
			a.tint(f, only, 0xe88c80, 44, draw.Ellipse(a.turn(side*0.68, 0.34, 0.5), 0.17, 0.12))
		}
	}
}

func (a *artist) dots(f draw.Frame, c draw.Labels, at []draw.Vec, r float64) {
	for _, v := range at {
		v = v.Plus(draw.Pt(a.s.Around(0.07), a.s.Around(0.07)))
		a.paint(f, c, a.mark, draw.Turned(a.turn(v.X, v.Y, 0.5), r*a.s.In(0.8, 1.2), r*a.s.In(0.7, 1), a.s.In(0, 3)))
	}
}

func (a *artist) rings(f draw.Frame, c draw.Labels, at []draw.Vec, r float64) {
	for _, v := range at {
		v = v.Plus(draw.Pt(a.s.Around(0.07), a.s.Around(0.07)))
		at := a.turn(v.X, v.Y, 0.5)
		a.ring(f, c, at, r*a.s.In(0.9, 1.1))
	}
}

func (a *artist) ring(f draw.Frame, c draw.Labels, at draw.Vec, r float64) {
	turn := a.s.In(0, 3)
	a.paint(f, c, a.mark, draw.Turned(at, r, r*0.8, turn))
	a.paint(f, c, draw.Mix(a.coat, a.mark, 70), draw.Turned(at, r*0.5, r*0.38, turn))
}

// region is where on the animal its body's coat is painted: a box round its
// middle. An upright body faces us, others are seen from the side, head to the
// right.
type region struct {
	mid     draw.Vec
	rx, ry  float64
	upright bool
}

// at returns a point of the region, -1 to 1 each way.
func (r region) at(x, y float64) draw.Vec {
	return draw.Pt(r.mid.X+float64(x*r.rx), r.mid.Y+float64(y*r.ry))
}

// bodyMarks paints the pattern on the parts of the body.
func (a *artist) bodyMarks(f draw.Frame, r region, only draw.Labels) {
	defer a.goOn(a.s)
	defer a.begin(PartMarkings)()
	m := a.mark
	unit := min(r.rx, r.ry)
	switch a.Pattern {
	case Tabby:
		a.stripes(f, r, only)
	case Spotted, Rosetted:
		a.grid(f, r, only)
	case Speckled:
		n := int(70 * max(r.rx, r.ry) / unit)
		for range n {
			at := r.at(a.s.In(-1.1, 1.1), a.s.In(-1.1, 1.1))
			size := unit * a.s.In(0.035, 0.075)
			a.paint(f, only|legs|draw.On(tail), m, draw.Ellipse(at, size, size))
		}
	case Patched:
		for _, v := range draw.Path(-.75, -.5, .25, -.85, .5, .45, -.35, .75) {
			v = v.Plus(draw.Pt(a.s.Around(0.2), a.s.Around(0.2)))
			a.paint(f, only, m, draw.Smooth(
				r.at(v.X-.38, v.Y), r.at(v.X-.1, v.Y-.45), r.at(v.X+.32, v.Y-.28), r.at(v.X+.3, v.Y+.3), r.at(v.X-.15, v.Y+.4)))
		}
	case Tuxedo:
		if r.upright {
			a.paint(f, only, m, draw.Smooth(r.at(-.42, -1.3), r.at(.42, -1.3), r.at(.46, 0), r.at(.2, .8), r.at(-.2, .8), r.at(-.46, 0)))
		} else {
			a.paint(f, only, m, draw.Smooth(r.at(.55, -1.1), r.at(1.6, -1.2), r.at(1.5, 1.3), r.at(-.3, 1.5), r.at(.2, .55), r.at(.62, .2)))
		}
	case Saddled:
		if r.upright {
			for _, x := range []float64{-1, 1} {
				a.paint(f, only, m, draw.Smooth(r.at(x*.4, -1.3), r.at(x*1.6, -1.3), r.at(x*1.6, .5), r.at(x*.75, .45), r.at(x*.5, -.4)))
			}
		} else {
			a.paint(f, only, m, draw.Smooth(r.at(-1.4, -1.6), r.at(.8, -1.6), r.at(.62, -.4), r.at(.2, .2), r.at(-.6, .25), r.at(-1.3, .1)))
		}
	case Goggled:
		if r.upright {
			a.paint(f, only, m, draw.Smooth(r.at(-1.4, -.3), r.at(0, -.15), r.at(1.4, -.3), r.at(1.4, .3), r.at(0, .42), r.at(-1.4, .3)))
		} else {
			a.paint(f, only, m, draw.Smooth(r.at(-.42, -1.6), r.at(.22, -1.6), r.at(.28, 0), r.at(.2, 1.6), r.at(-.4, 1.6), r.at(-.34, 0)))
		}
	case HalfFaced:
		if r.upright {
			a.paint(f, only, m, draw.Smooth(r.at(.05, -1.5), r.at(1.8, -1.5), r.at(1.8, 1.5), r.at(.05, 1.5), r.at(-.06, .5), r.at(.1, -.4)))
		} else {
			a.paint(f, only, m, draw.Smooth(r.at(.25, -1.6), r.at(1.9, -1.6), r.at(1.9, 1.6), r.at(.2, 1.6), r.at(.05, .4), r.at(.3, -.5)))
		}
	}
}

// stripes paints a tabby's stripes: from the spine down, or from the sides in.
func (a *artist) stripes(f draw.Frame, r region, only draw.Labels) {
	if r.upright {
		for i := range 5 {
			y := -0.85 + 0.42*float64(i) + a.s.Around(0.06)
			for _, x := range []float64{-1, 1} {
				a.paint(f, only, a.mark, draw.Stroke(r.ry*0.085, r.at(x*1.3, y-0.12), r.at(x*0.8, y+0.04), r.at(x*0.34, y)))
			}
		}
		return
	}
	for i := range 7 {
		x := -0.92 + 0.29*float64(i) + a.s.Around(0.04)
		down := 0.55 + a.s.Around(0.2)
		a.paint(f, only, a.mark, draw.Stroke(r.rx*0.062, r.at(x+0.06, -1.35), r.at(x-0.04, -0.3), r.at(x+0.05, down)))
	}
}

// grid paints spots or rings in staggered rows.
func (a *artist) grid(f draw.Frame, r region, only draw.Labels) {
	size, step := 0.034, 0.088
	if a.Pattern == Rosetted {
		size, step = 0.05, 0.118
	}
	size, step = size*bodyScale(r), step*bodyScale(r)
	odd := false
	for y := -r.ry; y <= r.ry*1.05; y += step * 0.8 {
		shift := 0.0
		if odd = !odd; odd {
			shift = step / 2
		}
		for x := -r.rx - shift; x <= r.rx*1.1; x += step {
			at := r.mid.Plus(draw.Pt(x+a.s.Around(step*0.2), y+a.s.Around(step*0.2)))
			if a.Pattern == Rosetted {
				a.ring(f, only, at, size*a.s.In(0.85, 1.1))
			} else {
				k := size * a.s.In(0.75, 1.1)
				a.paint(f, only|legs, a.mark, draw.Turned(at, k, k*0.8, a.s.In(0, 3)))
			}
		}
	}
}

// bodyScale keeps the markings in proportion on small and large bodies.
func bodyScale(r region) float64 { return 0.6 + 2.2*min(r.rx, r.ry) }

// socks paints a leg's lower part; top is the height of the leg.
func (a *artist) socks(f draw.Frame, p draw.Label, x, top, wide float64) {
	defer a.begin(PartMarkings)()
	colour, share := a.mark, 0.0
	switch a.Pattern {
	case Pointed:
		share = 0.75
	case Tuxedo:
		share = 0.4
	case Tabby:
		for i := range 3 {
			y := -top * (0.3 + 0.22*float64(i))
			a.paint(f, draw.On(p), colour, draw.Stroke(0.013, draw.Pt(x-wide*2, y), draw.Pt(x, y+0.012), draw.Pt(x+wide*2, y)))
		}
	}
	if share > 0 {
		a.paint(f, draw.On(p), colour, draw.Rect(x-wide*2.4, -top*share, x+wide*3.2, 0.1))
	}
}
