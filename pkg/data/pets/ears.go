package pets

import (
	"math"

	"gaze/pkg/data/internal/draw"
)

// earAt is the frame of an ear: its root in the origin, its top at y = -1
// upright, the outer side to the right on both ears.
func (a *artist) earAt(f draw.Frame, x, y, size, lean, side float64) draw.Frame {
	root := a.turn(side*x, y, -0.12)
	narrow := 0.82 + 0.18*a.foreshort(-side*1.2)
	f = f.Inside(root, size, side*lean, side)
	f.XX, f.YX = f.XX*narrow, f.YX*narrow
	return f
}

// earColour is the coat's colour on an ear.
func (a *artist) earColour(side float64) draw.RGB {
	switch a.Pattern {
	case Pointed, Saddled:
		return a.dyed(a.coat)
	case Patched:
		if side < 0 {
			return a.dyed(a.coat)
		}
	case HalfFaced:
		if side > 0 {
			return a.dyed(a.coat)
		}
	case Goggled:
		return draw.Mix(a.coat, a.dyed(a.coat), 70)
	}
	return a.coat
}

// inner is the colour of the inside of an ear.
func inner(c draw.RGB) draw.RGB { return draw.Mix(c, 0xe8a8a0, 150) }

// backEars paints ears that stand behind the head.
func (a *artist) backEars(f draw.Frame) {
	defer a.begin(PartEars)()
	for _, side := range []float64{-1, 1} {
		c := a.earColour(side)
		switch a.Ears {
		case PointedEars:
			g := a.earAt(f, 0.56, -0.52, 0.95, 0.34, side)
			a.upright(g, c, draw.Spline(draw.Pt(-.36, .2), draw.Pt(-.24, -.45), draw.Pt(.02, -1), draw.Pt(.28, -.4), draw.Pt(.4, .3)), 0.58)
		case TuftedEars:
			g := a.earAt(f, 0.58, -0.52, 0.98, 0.30, side)
			a.upright(g, c, draw.Spline(draw.Pt(-.38, .2), draw.Pt(-.24, -.4), draw.Pt(.02, -.84), draw.Pt(.28, -.4), draw.Pt(.4, .3)), 0.56)
			dark := a.mark.Darker(60)
			if a.Pattern == Plain {
				dark = a.coat.Darker(150)
			}
			a.Fill(g, draw.Ink{Colour: dark, Label: ear}, draw.Stroke(0.07, draw.Pt(.02, -.66), draw.Pt(.03, -1), draw.Pt(.14, -1.32)))
			a.Fill(g, draw.Ink{Colour: dark, Label: ear}, draw.Stroke(0.05, draw.Pt(-.04, -.66), draw.Pt(-.06, -.95), draw.Pt(-.03, -1.2)))
			for _, x := range []float64{-.12, 0, .12} {
				a.Fill(g, draw.Ink{Colour: c.Lighter(150), Label: ear}, draw.Stroke(0.045, draw.Pt(x, .1), draw.Pt(x*1.2, -.2), draw.Pt(x*0.7+.06, -.5)))
			}
		case RoundEars:
			g := a.earAt(f, 0.70, -0.62, 1, 0.4, side)
			a.upright(g, c, draw.Ellipse(draw.Pt(0, -.12), .40, .42), 0.62)
		case BatEars:
			g := a.earAt(f, 0.60, -0.45, 1.3, 0.38, side)
			a.upright(g, c, draw.Smooth(draw.Pt(-.28, .2), draw.Pt(-.36, -.4), draw.Pt(-.2, -.9), draw.Pt(.06, -1), draw.Pt(.3, -.74), draw.Pt(.42, -.2), draw.Pt(.3, .25)), 0.66)
		case ButtonEars:
			g := a.earAt(f, 0.60, -0.52, 0.9, 0.42, side)
			a.upright(g, c, draw.Spline(draw.Pt(-.38, .2), draw.Pt(-.34, -.4), draw.Pt(-.14, -.74), draw.Pt(.26, -.66), draw.Pt(.42, -.2), draw.Pt(.4, .3)), 0.5)
			flap := draw.Smooth(draw.Pt(-.26, -.70), draw.Pt(.1, -.86), draw.Pt(.5, -.64), draw.Pt(.66, -.12), draw.Pt(.52, -.02), draw.Pt(.2, -.36))
			a.piece(g, ear, c.Darker(26), flap)
		}
	}
}

// upright paints an ear and the inside of it.
func (a *artist) upright(f draw.Frame, c draw.RGB, shape []draw.Vec, inside float64) {
	a.piece(f, ear, c, a.earFur(shape))
	a.earMarks(f)
	in := make([]draw.Vec, len(shape))
	for i, v := range shape {
		in[i] = draw.Pt(float64(v.X*inside), float64((v.Y+0.1)*inside)-0.02)
	}
	a.paint(f, draw.On(ear), inner(c), in)
}

func (a *artist) earFur(shape []draw.Vec) []draw.Vec {
	if a.Fur == Shaggy || a.Fur == Curly {
		return a.furred(shape, 0.55)
	}
	return shape
}

// earMarks carries the pattern on.
func (a *artist) earMarks(f draw.Frame) {
	defer a.begin(PartMarkings)()
	if a.Pattern == Tabby || a.Pattern == Rosetted {
		a.paint(f, draw.On(ear), a.mark, draw.Ellipse(draw.Pt(0.02, -1), 0.5, 0.3))
	}
}

// frontEars paints ears that hang in front of the head.
func (a *artist) frontEars(f draw.Frame) {
	defer a.begin(PartEars)()
	for _, side := range []float64{-1, 1} {
		c := a.earColour(side)
		switch a.Ears {
		case FoldedEars:
			g := a.earAt(f, 0.58, -0.66, 0.62, 0.35, side)
			shape := draw.Smooth(draw.Pt(-.5, -.2), draw.Pt(0, -.42), draw.Pt(.56, -.1), draw.Pt(.5, .4), draw.Pt(.1, .62), draw.Pt(-.2, .34))
			a.piece(g, ear, c.Darker(20), a.earFur(shape))
			a.shade(g, draw.On(ear), shape, 0.12)
		case DroopingEars:
			g := a.earAt(f, 0.74, -0.62, 1, 0.02, side)
			swing := 0.1 + 0.1*math.Abs(a.yaw)
			shape := draw.Smooth(draw.Pt(-.24, -.06), draw.Pt(.04, -.2), draw.Pt(.3+swing, .14), draw.Pt(.46+swing, .8), draw.Pt(.3+swing, 1.28), draw.Pt(.02, 1.16), draw.Pt(-.06, .55))
			a.piece(g, ear, c.Darker(30), a.earFur(shape))
			a.shade(g, draw.On(ear), shape, 0.16)
		}
	}
}
