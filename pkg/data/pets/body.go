package pets

import (
	"math"

	"gaze/pkg/data/internal/draw"
)

// proportions of a build; the animal stands on y = 0 and is about 0.8 high.
type proportions struct{ leg, length, thick, neck, head, tuck, limb float64 }

var builds = []proportions{
	Slender: {leg: .25, length: .40, thick: .150, neck: .07, head: .165, tuck: .22, limb: .024},
	Medium:  {leg: .19, length: .40, thick: .200, neck: .03, head: .185, tuck: .08, limb: .034},
	Stocky:  {leg: .15, length: .40, thick: .270, neck: .00, head: .205, tuck: .00, limb: .048},
	LongLow: {leg: .09, length: .56, thick: .190, neck: .03, head: .180, tuck: .00, limb: .038},
	Toy:     {leg: .11, length: .27, thick: .185, neck: .00, head: .235, tuck: .04, limb: .030},
}

// grown returns the proportions of one animal: its legs, length, thickness and head,
// each times a factor.
func (b proportions) grown(by [4]float64) proportions {
	b.leg, b.length, b.thick, b.head = float64(b.leg*by[0]), float64(b.length*by[1]), float64(b.thick*by[2]), float64(b.head*by[3])
	return b
}

// pose is how an animal holds itself.
type pose uint8

const (
	portrait pose = iota
	sitting
	standing
	lying
)

// bounds is the box that an animal in a pose fills, and where its head is.
type bounds struct {
	lo, hi draw.Vec
	head   draw.Vec
	radius float64 // of the head
}

// headAt returns where an animal's head is in its frame.
func headAt(p pose, b proportions) draw.Vec {
	switch p {
	case sitting:
		return draw.Pt(0, -sittingHeight(b)-b.head*0.6)
	case standing:
		return draw.Pt(b.length*0.5+b.head*0.25, -b.leg-b.thick*0.8-b.neck-b.head*0.62)
	case lying:
		return draw.Pt(b.length*0.44+b.head*0.1, -b.thick*0.85-b.neck*0.7-b.head*0.5)
	}
	return draw.Pt(0, -0.12-b.head)
}

func sittingHeight(b proportions) float64 { return 0.17 + b.leg*0.55 + b.thick*0.3 }

// earTops are how high above the middle of the head ears stand, in its radii.
var earTops = []float64{
	PointedEars: 1.5, RoundEars: 1.3, BatEars: 1.75, TuftedEars: 1.75, FoldedEars: 1.15, DroopingEars: 1.1, ButtonEars: 1.25,
}

// extent returns the box of an animal in a pose.
func extent(p pose, b proportions, ears Ears) bounds {
	h := headAt(p, b)
	out := bounds{lo: draw.Pt(-b.length*0.62, h.Y-b.head*earTops[ears]), hi: draw.Pt(h.X+b.head*1.15, 0.02), head: h, radius: b.head}
	switch p {
	case sitting:
		out.lo.X, out.hi.X = -b.thick*0.85-0.06, b.thick*0.85+0.06
	case portrait:
		out.lo = draw.Pt(-b.head*1.35, h.Y-b.head*(earTops[ears]+0.1))
		out.hi = draw.Pt(b.head*1.35, h.Y+b.head*1.4)
	}
	return out
}

// drawAnimal paints the animal in the frame.
func (a *artist) drawAnimal(f draw.Frame, p pose, b proportions) {
	switch p {
	case sitting:
		a.sit(f, b)
	case standing:
		a.stand(f, b)
	case lying:
		a.lie(f, b)
	default:
		a.shoulders(f, b)
	}
	nod := a.s.Around(0.12)
	a.drawHead(f.Inside(headAt(p, b), b.head, nod, 1))
}

// stand paints all but the head of an animal seen from the side.
func (a *artist) stand(f draw.Frame, b proportions) {
	mid := -b.leg - b.thick/2
	l, t := b.length, b.thick
	a.drawTail(f.Inside(draw.Pt(-l*0.47, mid-t*0.28), 1, 0, 1))
	step := a.s.Around(0.05)
	a.drawLeg(f, farLeg, l*0.25, mid+t*0.3, step, b)
	a.drawLeg(f, farLeg, -l*0.24, mid+t*0.3, -step, b)
	at := func(x, y float64) draw.Vec { return draw.Pt(l*x, mid+t*y) }
	trunk := a.furred(draw.Smooth(at(.5, .02), at(.44, .38), at(.3, .54), at(-.05, .46-b.tuck), at(-.36, .4), at(-.5, .08), at(-.46, -.3), at(-.36, -.46), at(0, -.42), at(.34, -.48), at(.46, -.3)), t*0.9)
	h := headAt(standing, b)
	neck := draw.Limb(t*0.40, b.head*0.62, at(.34, -.06), draw.Between(at(.34, -.06), h, 0.6), h)
	a.trunk(f, trunk, t*0.22, trunk, neck)
	a.drawLeg(f, nearLeg, l*0.38, mid+t*0.25, -step, b)
	a.drawLeg(f, nearLeg, -l*0.39, mid+t*0.2, step, b)
	a.bodyMarks(f, region{mid: draw.Pt(0, mid), rx: l * 0.5, ry: t * 0.5}, coated)
}

// drawLeg paints a leg that stands at x, its paw shifted by step.
func (a *artist) drawLeg(f draw.Frame, p draw.Label, x, top, step float64, b proportions) {
	defer a.begin(PartLegs)()
	w := b.limb
	colour := a.coat
	if p == farLeg {
		colour = colour.Darker(46)
	}
	hip, paw := draw.Pt(x, top), draw.Pt(x+step, -w*0.7)
	a.limb(f, p, colour, hip, draw.Pt(-step*0.3, 0), paw, w)
	a.socks(f, p, x+step/2, -top, w)
}

// limb paints a leg from hip to paw, bent by bend; no line is drawn round the
// hip, so that the leg grows out of the body.
func (a *artist) limb(f draw.Frame, p draw.Label, colour draw.RGB, hip, bend, paw draw.Vec, w float64) {
	knee := draw.Between(hip, paw, 0.5).Plus(bend)
	shape := draw.Limb(w*1.4, w*0.88, hip, knee, paw)
	low := draw.Limb(w*1.15, w*0.88, draw.Between(hip, paw, 0.42).Plus(bend.Times(0.9)), draw.Between(knee, paw, 0.5), paw)
	foot := draw.Ellipse(paw.Plus(draw.Pt(w*0.3, 0)), w*1.38, w*0.74)
	if a.Fur == Shaggy {
		low = draw.Bumps(low, 0.045, 0.016, shaggyTooth)
	}
	a.piece(f, p, colour, low, foot)
	a.Fill(f, draw.Ink{Colour: colour, Label: p}, shape, draw.Ellipse(hip, w*1.4, w*1.4))
}

// sit paints all but the head of a sitting animal that faces us.
func (a *artist) sit(f draw.Frame, b proportions) {
	h, w, t := sittingHeight(b), b.thick, b.limb
	a.drawTail(f.Inside(draw.Pt(-w*0.5, -0.05), 0.92, 0, 1))
	at := func(x, y float64) draw.Vec { return draw.Pt(w*x, h*y) }
	end := a.begin(PartLegs)
	for _, side := range []float64{-1, 1} {
		thigh := draw.Ellipse(at(side*0.5, -.19), w*0.30, h*0.22)
		foot := draw.Ellipse(draw.Pt(side*w*0.66, -t*0.55), t*1.5, t*0.7)
		a.piece(f, haunch, a.coat.Darker(16), thigh, foot)
	}
	end()
	trunk := a.furred(draw.Smooth(at(0, -1.1), at(.34, -.95), at(.48, -.62), at(.54, -.28), at(.44, -.04), at(0, -.02),
		at(-.44, -.04), at(-.54, -.28), at(-.48, -.62), at(-.34, -.95)), w*0.9)
	a.trunk(f, trunk, w*0.16, trunk)
	end = a.begin(PartLegs)
	for _, side := range []float64{-1, 1} {
		x := side * w * 0.2
		a.limb(f, nearLeg, a.coat, draw.Pt(x, -h*0.42), draw.Pt(-x*0.05, 0), draw.Pt(x, -t*0.62), t)
		a.socks(f, nearLeg, x, h*0.5, t*0.8)
	}
	end()
	a.bodyMarks(f, region{mid: at(0, -.52), rx: w * 0.55, ry: h * 0.5, upright: true}, coated)
}

// lie paints all but the head of an animal that lies, seen from the side.
func (a *artist) lie(f draw.Frame, b proportions) {
	l, t, w := b.length, b.thick*1.05, b.limb
	a.drawTail(f.Inside(draw.Pt(-l*0.48, -t*0.3), 0.9, -0.25, 1))
	at := func(x, y float64) draw.Vec { return draw.Pt(l*x, t*y) }
	end := a.begin(PartLegs)
	a.piece(f, farLeg, a.coat.Darker(46), draw.Limb(w, w*0.85, at(.3, -.2), draw.Pt(l*0.5, -w*1.5), draw.Pt(l*0.5+0.1, -w*1.3)), draw.Ellipse(draw.Pt(l*0.5+0.11, -w*1.3), w*1.2, w*0.75))
	end()
	trunk := a.furred(draw.Smooth(at(.5, -.4), at(.42, -.03), at(0, 0), at(-.42, -.01), at(-.54, -.35), at(-.4, -.78), at(0, -.86), at(.34, -.95), at(.46, -.75)), t*0.9)
	h := headAt(lying, b)
	neck := draw.Limb(t*0.40, b.head*0.62, at(.3, -.5), draw.Between(at(.3, -.5), h, 0.6), h)
	a.trunk(f, trunk, t*0.2, trunk, neck)
	end = a.begin(PartLegs)
	thigh := draw.Ellipse(at(-.3, -.34), l*0.19, t*0.36)
	a.piece(f, haunch, a.coat, thigh, draw.Ellipse(draw.Pt(-l*0.1, -w*0.65), w*1.6, w*0.7))
	a.shade(f, draw.On(haunch), thigh, t*0.12)
	paw := draw.Pt(l*0.42+0.12, -w*0.8)
	a.limb(f, nearLeg, a.coat, at(.32, -.22), draw.Pt(0, w*0.4), paw, w)
	end()
	a.bodyMarks(f, region{mid: at(0, -.45), rx: l * 0.52, ry: t * 0.48}, coated)
	if a.Pattern == Pointed || a.Pattern == Tuxedo {
		defer a.begin(PartMarkings)()
		a.paint(f, draw.On(nearLeg), a.mark, draw.Rect(l*0.46, -0.3, l+0.5, 0.1))
	}
}

// shoulders paints what is seen of the body below a portrait's head.
func (a *artist) shoulders(f draw.Frame, b proportions) {
	h, r := headAt(portrait, b), b.head
	k := r * (0.75 + b.thick*2.2)
	at := func(x, y float64) draw.Vec { return draw.Pt(h.X+k*x, h.Y+r*y) }
	trunk := a.furred(draw.Smooth(at(-.5, .2), at(.5, .2), at(.72, .95), at(1.12, 1.5), at(1.3, 2.6), at(1.2, 4), at(-1.2, 4), at(-1.3, 2.6), at(-1.12, 1.5), at(-.72, .95)), r*0.9)
	end := a.begin(PartTrunk)
	a.piece(f, body, a.coat, trunk)
	end()
	a.bodyMarks(f, region{mid: at(0, 1.8), rx: k * 1.05, ry: r * 0.9, upright: true}, coated)
	defer a.begin(PartTrunk)()
	a.shade(f, draw.On(body), trunk, r*0.2)
}

// trunk paints the trunk and the neck, and shades an outline.
func (a *artist) trunk(f draw.Frame, shaded []draw.Vec, depth float64, shapes ...[]draw.Vec) {
	defer a.begin(PartTrunk)()
	a.piece(f, body, a.coat, shapes...)
	a.shade(f, draw.On(body), shaded, depth)
}

// tailShape is a tail's line from its root and half its width along it.
type tailShape struct {
	line  []draw.Vec
	width func(t float64) float64
}

var tails = []tailShape{
	ThinTail:   {draw.Path(0.04, 0.02, -.08, .01, -.16, -.08, -.17, -.2, -.13, -.3), func(t float64) float64 { return 0.021 - 0.007*t }},
	BushyTail:  {draw.Path(0.04, 0.02, -.1, .0, -.19, -.09, -.2, -.24), func(t float64) float64 { return 0.02 + 0.22*t*(1-t)*(0.5+t) }},
	CurledTail: {draw.Path(0.05, 0.03, -.07, -.03, -.1, -.13, -.02, -.2, .07, -.16, .06, -.07, 0, -.07), func(t float64) float64 { return 0.033 - 0.016*t }},
	StubTail:   {draw.Path(0.05, 0.03, -.0, 0, -.05, -.03), func(t float64) float64 { return 0.04 - 0.012*t }},
	PlumedTail: {draw.Path(0.04, 0.02, -.06, -.06, -.1, -.17, -.22, -.26), func(t float64) float64 { return 0.02 + 0.075*math.Sin(2.6*t) }},
	TippedTail: {draw.Path(0.04, 0.02, -.1, .03, -.2, .0, -.25, -.1), func(t float64) float64 { return 0.032 }},
}

// drawTail paints a tail whose root is the frame's origin, to the left.
func (a *artist) drawTail(f draw.Frame) {
	defer a.begin(PartTail)()
	f = f.Inside(draw.Vec{}, 1, a.s.Around(0.25), 1)
	t := tails[a.Tail]
	line := draw.Spline(t.line...)
	shape := draw.Ribbon(line, t.width)
	tip := line[len(line)-1]
	shapes := [][]draw.Vec{shape, draw.Ellipse(tip, t.width(1), t.width(1))}
	switch {
	case a.Tail == PlumedTail:
		shapes[0] = draw.Bumps(shape, 0.07, 0.04, shaggyTooth)
	case a.Tail != StubTail:
		shapes[0] = a.furred(shape, 0.13)
	}
	colour := a.coat.Darker(14)
	if a.Pattern == Pointed || a.Pattern == Saddled {
		colour = a.dyed(colour)
	}
	a.piece(f, tail, colour, shapes...)
	a.tailMarks(f, line)
	if a.Tail == TippedTail || a.Pattern == Goggled && !a.missing[PartMarkings] {
		colour := a.mark
		if a.Pattern == Plain {
			colour = a.coat.Darker(130)
		}
		a.paint(f, draw.On(tail), colour, draw.Ellipse(tip, 0.085, 0.085))
	}
}

// tailMarks paints rings round the tail.
func (a *artist) tailMarks(f draw.Frame, line []draw.Vec) {
	defer a.begin(PartMarkings)()
	if a.Pattern == Tabby || a.Pattern == Rosetted {
		for i := 1; i < 5; i++ {
			k := i * (len(line) - 1) / 5
			across := line[k+1].Minus(line[k])
			across = draw.Pt(-across.Y, across.X).Times(0.1 / max(across.Length(), 1e-9))
			a.paint(f, draw.On(tail), a.mark, draw.Stroke(0.016, line[k].Minus(across), line[k], line[k].Plus(across)))
		}
	}
}
