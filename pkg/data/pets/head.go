package pets

import (
	"math"

	"gaze/pkg/data/internal/draw"
)

// The right halves of the heads' outlines, from the top to the chin; the head
// is about 1 in radius.
var skulls = [][]draw.Vec{
	RoundSkull:  {draw.Pt(0, -.92), draw.Pt(.5, -.83), draw.Pt(.9, -.42), draw.Pt(1.02, .1), draw.Pt(.84, .58), draw.Pt(.44, .86), draw.Pt(0, .94)},
	WedgeSkull:  {draw.Pt(0, -.84), draw.Pt(.52, -.8), draw.Pt(.94, -.46), draw.Pt(.92, -.02), draw.Pt(.62, .46), draw.Pt(.3, .84), draw.Pt(0, .98)},
	SquareSkull: {draw.Pt(0, -.8), draw.Pt(.56, -.82), draw.Pt(.9, -.58), draw.Pt(.94, 0), draw.Pt(.94, .52), draw.Pt(.62, .84), draw.Pt(0, .88)},
	LongSkull:   {draw.Pt(0, -1.02), draw.Pt(.42, -.92), draw.Pt(.7, -.5), draw.Pt(.74, .05), draw.Pt(.62, .6), draw.Pt(.4, 1), draw.Pt(0, 1.12)},
}

// turn returns where a point of the face, depth in front of the head's
// middle, is seen on the turned head.
func (a *artist) turn(x, y, depth float64) draw.Vec {
	s, c := math.Sincos(a.yaw)
	return draw.Pt(float64(x*c)+float64(depth*s), y+float64(a.pitch*depth))
}

// foreshort is how much narrower something at x on the face looks.
func (a *artist) foreshort(x float64) float64 {
	s, c := math.Sincos(a.yaw)
	return min(max(c-float64(0.7*x*s), 0.5), 1.1)
}

// drawHead paints a head of radius 1 in the frame.
func (a *artist) drawHead(f draw.Frame) {
	defer a.begin(PartHead)()
	half := skulls[a.Skull]
	var points []draw.Vec
	lean := float64(0.1 * math.Sin(a.yaw))
	for i := range 2*len(half) - 2 {
		v, flip := half[min(i, 2*len(half)-2-i)], 1.0
		if i >= len(half) {
			flip = -1
		}
		points = append(points, draw.Pt(v.X*flip+float64(lean*(v.Y+0.2)), v.Y))
	}
	bare := draw.Smooth(points...)
	skull := a.furred(bare, 1)
	if a.Fur == Maned {
		a.mane(f, bare)
	}
	a.backEars(f)
	a.piece(f, head, a.coat, skull)
	a.headMarks(f)
	a.shade(f, draw.On(head), skull, 0.22)
	if a.Fur == Wrinkled {
		a.wrinkles(f)
	}
	a.drawMuzzle(f)
	a.drawEyes(f)
	a.frontEars(f)
	if a.Fur == Shaggy || a.Fur == Curly {
		a.fringe(f)
	}
}

// mane paints a collar of long fur round the head.
func (a *artist) mane(f draw.Frame, skull []draw.Vec) {
	defer a.begin(PartMane)()
	ruff := draw.Moved(scaled(skull, 1.24, 1.2), draw.Pt(0, 0.2))
	ruff = draw.Bumps(ruff, 0.42, 0.2, shaggyTooth)
	colour := a.coat.Darker(46)
	if a.Pattern == Pointed || a.Pattern == Saddled {
		colour = a.dyed(colour)
	}
	if a.Pattern == Tuxedo && !a.missing[PartMarkings] {
		colour = draw.Mix(a.coat, a.mark, 120)
	}
	a.piece(f, chest, colour, ruff)
	a.shade(f, draw.On(chest), ruff, 0.2)
}

// scaled returns the shape wider and higher.
func scaled(shape []draw.Vec, kx, ky float64) []draw.Vec {
	out := make([]draw.Vec, len(shape))
	for i, v := range shape {
		out[i] = draw.Pt(float64(v.X*kx), float64(v.Y*ky))
	}
	return out
}

// wrinkles paints folds of skin on the brow and beside the muzzle.
func (a *artist) wrinkles(f draw.Frame) {
	defer a.begin(PartMane)()
	dark := a.coat.Darker(100)
	for i := range 3 {
		y := -0.66 + 0.13*float64(i)
		w := 0.3 + 0.06*float64(i)
		a.paint(f, draw.On(head), dark, draw.Stroke(0.024, a.turn(-w, y-0.03, 0.7), a.turn(0, y+0.05, 0.8), a.turn(w, y-0.03, 0.7)))
	}
	for _, side := range []float64{-1, 1} {
		a.paint(f, draw.On(head), dark, draw.Stroke(0.024, a.turn(side*0.62, 0.12, 0.6), a.turn(side*0.78, 0.4, 0.5), a.turn(side*0.6, 0.66, 0.5)))
		a.paint(f, draw.On(head), dark, draw.Stroke(0.022, a.turn(side*0.74, 0, 0.5), a.turn(side*0.9, 0.32, 0.3), a.turn(side*0.78, 0.6, 0.3)))
	}
}

// fringe paints locks that fall over the brow.
func (a *artist) fringe(f draw.Frame) {
	defer a.begin(PartMane)()
	colour := a.coat.Lighter(30)
	if a.Pattern == Saddled && !a.missing[PartMarkings] {
		colour = a.mark.Lighter(24)
	}
	if a.Fur == Curly {
		for _, x := range []float64{-0.34, 0.34, 0} {
			at := a.turn(x, -0.78-0.1*(1-math.Abs(x)*2), 0.3)
			a.piece(f, head, colour, draw.Turned(at, 0.28, 0.24, x))
		}
		return
	}
	for _, x := range []float64{-0.4, -0.2, 0.2, 0.4, 0} {
		lock := []draw.Vec{a.turn(x*0.5-0.11, -0.98, 0.3), a.turn(x*0.5+0.11, -0.98, 0.3), a.turn(x+0.08, -0.62, 0.6), a.turn(x*1.15, -0.34, 0.75), a.turn(x-0.1, -0.6, 0.6)}
		a.piece(f, head, colour, draw.Smooth(lock...))
	}
}

// shapeOfMuzzle is the muzzle's place, size and how far it stands out.
type shapeOfMuzzle struct{ y, rx, ry, out, nose float64 }

var muzzles = []shapeOfMuzzle{
	FlatMuzzle:  {y: .30, rx: .40, ry: .26, out: .02, nose: .12},
	ShortMuzzle: {y: .38, rx: .40, ry: .31, out: .16, nose: .14},
	JowlyMuzzle: {y: .44, rx: .60, ry: .34, out: .22, nose: .21},
	LongMuzzle:  {y: .52, rx: .40, ry: .46, out: .62, nose: .20},
	FoxMuzzle:   {y: .50, rx: .26, ry: .36, out: .55, nose: .13},
}

// muzzleColour is the coat's colour there; plain: without markings.
func (a *artist) muzzleColour(plain bool) draw.RGB {
	switch a.Pattern {
	case Pointed, Tuxedo:
		if !plain {
			return a.mark
		}
		return a.coat.Lighter(70)
	case Plain, Saddled, Goggled:
		return a.coat.Lighter(70)
	}
	return a.coat.Lighter(110)
}

func (a *artist) drawMuzzle(f draw.Frame) {
	defer a.begin(PartMuzzle)()
	m := muzzles[a.Muzzle]
	colour := a.muzzleColour(a.missing[PartMarkings])
	tip := a.turn(0, m.y, 0.84+m.out)
	tip.Y += float64(0.2 * m.out)
	shape := [][]draw.Vec{draw.Ellipse(tip, m.rx*0.98, m.ry)}
	switch a.Muzzle {
	case JowlyMuzzle:
		shape = [][]draw.Vec{
			draw.Turned(tip.Plus(draw.Pt(-0.27, 0.1)), 0.36, m.ry, 0.25), draw.Turned(tip.Plus(draw.Pt(0.27, 0.1)), 0.36, m.ry, -0.25),
			draw.Ellipse(tip.Plus(draw.Pt(0, -0.1)), 0.36, 0.28),
		}
	case LongMuzzle, FoxMuzzle: // a bridge from between the eyes
		bridge := draw.Limb(m.rx*0.62, m.rx*0.9, a.turn(0, -0.12, 0.8), draw.Between(a.turn(0, 0.1, 0.85), tip, 0.5), tip)
		shape = append(shape, bridge)
	case FlatMuzzle:
		shape = [][]draw.Vec{draw.Ellipse(tip.Plus(draw.Pt(-0.18, 0.05)), 0.25, m.ry*0.85), draw.Ellipse(tip.Plus(draw.Pt(0.18, 0.05)), 0.25, m.ry*0.85)}
	}
	chin := tip.Plus(draw.Pt(0, m.ry*0.86))
	a.pieceIn(f, muzzle, colour.Darker(24), a.coat.Darker(110), draw.Ellipse(chin, m.rx*0.5, 0.15))
	a.pieceIn(f, muzzle, colour, draw.Mix(colour, a.coat.Darker(90), 200), shape...)
	a.shade(f, draw.On(muzzle), shape[0], 0.1)
	a.muzzleMarks(f, tip, m)
	a.drawNose(f, tip, m)
	if a.Muzzle == FlatMuzzle || a.Muzzle == ShortMuzzle || a.Muzzle == FoxMuzzle {
		a.whiskers(f, tip, m)
	}
}

// muzzleMarks lets half-faced and goggled markings run down the muzzle.
func (a *artist) muzzleMarks(f draw.Frame, tip draw.Vec, m shapeOfMuzzle) {
	defer a.begin(PartMarkings)()
	switch {
	case a.Pattern == Spotted || a.Pattern == Speckled:
		for _, x := range []float64{-1, 1} {
			for i := range 3 {
				at := tip.Plus(draw.Pt(x*m.rx*(0.45+0.16*float64(i%2)), m.ry*(0.02+0.2*float64(i))))
				a.paint(f, draw.On(muzzle), a.coat.Darker(140), draw.Ellipse(at, 0.026, 0.026))
			}
		}
	case a.Pattern == HalfFaced:
		a.paint(f, draw.On(muzzle), a.mark, draw.Rect(tip.X, -1, tip.X+2, 2))
	}
}

func (a *artist) drawNose(f draw.Frame, tip draw.Vec, m shapeOfMuzzle) {
	dark := draw.RGB(0x3c3236)
	if a.EyeColour == BlueEyes || a.Coat == White && a.Pattern != Pointed {
		dark = 0xb06c70
	}
	if a.muzzleColour(false).Luma() < 110 {
		dark = dark.Darker(120)
	}
	top := tip.Y - m.ry*0.62
	if a.Muzzle == LongMuzzle || a.Muzzle == FoxMuzzle {
		top = tip.Y - m.ry*0.2
	}
	n := m.nose
	w, h := n*1.15, n*0.9
	mouth := a.coat.Darker(170)
	low := top + h*1.9
	line := 0.028
	a.Fill(f, draw.Ink{Colour: mouth, Label: face}, draw.Stroke(line, draw.Pt(tip.X, top+h), draw.Pt(tip.X, (top+low)/2), draw.Pt(tip.X, low)))
	for _, side := range []float64{-1, 1} {
		a.Fill(f, draw.Ink{Colour: mouth, Label: face},
			draw.Stroke(line, draw.Pt(tip.X, low), draw.Pt(tip.X+side*m.rx*0.28, low+0.09), draw.Pt(tip.X+side*m.rx*0.58, low+0.01)))
	}
	a.Fill(f, draw.Ink{Colour: dark, Label: face}, draw.Smooth(
		draw.Pt(tip.X-w, top-h*0.3), draw.Pt(tip.X-w*0.4, top-h*0.7), draw.Pt(tip.X+w*0.4, top-h*0.7), draw.Pt(tip.X+w, top-h*0.3),
		draw.Pt(tip.X+w*0.55, top+h*0.55), draw.Pt(tip.X, top+h), draw.Pt(tip.X-w*0.55, top+h*0.55)))
	a.Fill(f, draw.Ink{Colour: dark.Lighter(110), Label: face}, draw.Ellipse(draw.Pt(tip.X-w*0.3, top-h*0.25), w*0.28, h*0.18))
}

func (a *artist) whiskers(f draw.Frame, tip draw.Vec, m shapeOfMuzzle) {
	colour := draw.Mix(a.coat.Lighter(150), 0x80787c, 90)
	for _, side := range []float64{-1, 1} {
		for i := range 3 {
			y := m.ry * (0.1 + 0.2*float64(i))
			from := tip.Plus(draw.Pt(side*m.rx*0.6, y))
			to := tip.Plus(draw.Pt(side*(m.rx+0.62), y-0.2+0.2*float64(i)))
			a.Fill(f, draw.Ink{Colour: colour, Label: face}, draw.Stroke(0.013, from, draw.Between(from, to, 0.5).Plus(draw.Pt(0, -0.05)), to))
		}
	}
}
