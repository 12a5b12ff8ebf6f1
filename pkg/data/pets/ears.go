package pets

import "math"

// earAt is the frame of an ear: its root in the origin, its top at y = -1
// upright, the outer side to the right on both ears.
func (a *artist) earAt(f frame, x, y, size, lean, side float64) frame {
	root := a.turn(side*x, y, -0.12)
	narrow := 0.82 + 0.18*a.foreshort(-side*1.2)
	f = f.inside(root, size, side*lean, side)
	f.xx, f.yx = f.xx*narrow, f.yx*narrow
	return f
}

// earColour is the coat's colour on an ear.
func (a *artist) earColour(side float64) rgb {
	switch a.Pattern {
	case Pointed, Saddled:
		return a.mark
	case Patched:
		if side < 0 {
			return a.mark
		}
	case HalfFaced:
		if side > 0 {
			return a.mark
		}
	case Goggled:
		return mix(a.coat, a.mark, 70)
	}
	return a.coat
}

// inner is the colour of the inside of an ear.
func inner(c rgb) rgb { return mix(c, 0xe8a8a0, 150) }

// backEars paints ears that stand behind the head.
func (a *artist) backEars(f frame) {
	for _, side := range []float64{-1, 1} {
		c := a.earColour(side)
		switch a.Ears {
		case PointedEars:
			g := a.earAt(f, 0.56, -0.52, 0.95, 0.34, side)
			a.upright(g, c, spline(vec{-.36, .2}, vec{-.24, -.45}, vec{.02, -1}, vec{.28, -.4}, vec{.4, .3}), 0.58)
		case TuftedEars:
			g := a.earAt(f, 0.58, -0.52, 0.98, 0.30, side)
			a.upright(g, c, spline(vec{-.38, .2}, vec{-.24, -.4}, vec{.02, -.84}, vec{.28, -.4}, vec{.4, .3}), 0.56)
			dark := a.mark.darker(60)
			if a.Pattern == Plain {
				dark = a.coat.darker(150)
			}
			a.fill(g, ink{colour: dark, part: ear}, stroke(0.07, vec{.02, -.66}, vec{.03, -1}, vec{.14, -1.32}))
			a.fill(g, ink{colour: dark, part: ear}, stroke(0.05, vec{-.04, -.66}, vec{-.06, -.95}, vec{-.03, -1.2}))
			for _, x := range []float64{-.12, 0, .12} {
				a.fill(g, ink{colour: c.lighter(150), part: ear}, stroke(0.045, vec{x, .1}, vec{x * 1.2, -.2}, vec{x*0.7 + .06, -.5}))
			}
		case RoundEars:
			g := a.earAt(f, 0.70, -0.62, 1, 0.4, side)
			a.upright(g, c, ellipse(vec{0, -.12}, .40, .42), 0.62)
		case BatEars:
			g := a.earAt(f, 0.60, -0.45, 1.3, 0.38, side)
			a.upright(g, c, smooth(vec{-.28, .2}, vec{-.36, -.4}, vec{-.2, -.9}, vec{.06, -1}, vec{.3, -.74}, vec{.42, -.2}, vec{.3, .25}), 0.66)
		case ButtonEars:
			g := a.earAt(f, 0.60, -0.52, 0.9, 0.42, side)
			a.upright(g, c, spline(vec{-.38, .2}, vec{-.34, -.4}, vec{-.14, -.74}, vec{.26, -.66}, vec{.42, -.2}, vec{.4, .3}), 0.5)
			flap := smooth(vec{-.26, -.70}, vec{.1, -.86}, vec{.5, -.64}, vec{.66, -.12}, vec{.52, -.02}, vec{.2, -.36})
			a.piece(g, ear, c.darker(26), flap)
		}
	}
}

// upright paints an ear and the inside of it.
func (a *artist) upright(f frame, c rgb, shape []vec, inside float64) {
	a.piece(f, ear, c, a.earFur(shape))
	a.earMarks(f)
	in := make([]vec, len(shape))
	for i, v := range shape {
		in[i] = vec{float64(v.x * inside), float64((v.y+0.1)*inside) - 0.02}
	}
	a.paint(f, on(ear), inner(c), in)
}

func (a *artist) earFur(shape []vec) []vec {
	if a.Fur == Shaggy || a.Fur == Curly {
		return a.furred(shape, 0.55)
	}
	return shape
}

// earMarks carries the pattern on.
func (a *artist) earMarks(f frame) {
	if a.Pattern == Tabby || a.Pattern == Rosetted {
		a.paint(f, on(ear), a.mark, ellipse(vec{0.02, -1}, 0.5, 0.3))
	}
}

// frontEars paints ears that hang in front of the head.
func (a *artist) frontEars(f frame) {
	for _, side := range []float64{-1, 1} {
		c := a.earColour(side)
		switch a.Ears {
		case FoldedEars:
			g := a.earAt(f, 0.58, -0.66, 0.62, 0.35, side)
			shape := smooth(vec{-.5, -.2}, vec{0, -.42}, vec{.56, -.1}, vec{.5, .4}, vec{.1, .62}, vec{-.2, .34})
			a.piece(g, ear, c.darker(20), a.earFur(shape))
			a.shade(g, on(ear), shape, 0.12)
		case DroopingEars:
			g := a.earAt(f, 0.74, -0.62, 1, 0.02, side)
			swing := 0.1 + 0.1*math.Abs(a.yaw)
			shape := smooth(vec{-.24, -.06}, vec{.04, -.2}, vec{.3 + swing, .14}, vec{.46 + swing, .8}, vec{.3 + swing, 1.28}, vec{.02, 1.16}, vec{-.06, .55})
			a.piece(g, ear, c.darker(30), a.earFur(shape))
			a.shade(g, on(ear), shape, 0.16)
		}
	}
}
