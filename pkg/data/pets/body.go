package pets

import "math"

// proportions of a build; the animal stands on y = 0 and is about 0.8 high.
type proportions struct{ leg, length, thick, neck, head, tuck, limb float64 }

var builds = []proportions{
	Slender: {leg: .25, length: .40, thick: .150, neck: .07, head: .165, tuck: .22, limb: .024},
	Medium:  {leg: .19, length: .40, thick: .200, neck: .03, head: .185, tuck: .08, limb: .034},
	Stocky:  {leg: .15, length: .40, thick: .270, neck: .00, head: .205, tuck: .00, limb: .048},
	LongLow: {leg: .09, length: .56, thick: .190, neck: .03, head: .180, tuck: .00, limb: .038},
	Toy:     {leg: .11, length: .27, thick: .185, neck: .00, head: .235, tuck: .04, limb: .030},
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
	lo, hi vec
	head   vec
	radius float64 // of the head
}

// headAt returns where an animal's head is in its frame.
func headAt(p pose, b proportions) vec {
	switch p {
	case sitting:
		return vec{0, -sittingHeight(b) - b.head*0.6}
	case standing:
		return vec{b.length*0.5 + b.head*0.25, -b.leg - b.thick*0.8 - b.neck - b.head*0.62}
	case lying:
		return vec{b.length*0.44 + b.head*0.1, -b.thick*0.85 - b.neck*0.7 - b.head*0.5}
	}
	return vec{0, -0.12 - b.head}
}

func sittingHeight(b proportions) float64 { return 0.17 + b.leg*0.55 + b.thick*0.3 }

// earTops are how high above the middle of the head ears stand, in its radii.
var earTops = []float64{
	PointedEars: 1.5, RoundEars: 1.3, BatEars: 1.75, TuftedEars: 1.75, FoldedEars: 1.15, DroopingEars: 1.1, ButtonEars: 1.25,
}

// extent returns the box of an animal in a pose.
func extent(p pose, b proportions, ears Ears) bounds {
	h := headAt(p, b)
	out := bounds{lo: vec{-b.length * 0.62, h.y - b.head*earTops[ears]}, hi: vec{h.x + b.head*1.15, 0.02}, head: h, radius: b.head}
	switch p {
	case sitting:
		out.lo.x, out.hi.x = -b.thick*0.85-0.06, b.thick*0.85+0.06
	case portrait:
		out.lo = vec{-b.head * 1.35, h.y - b.head*(earTops[ears]+0.1)}
		out.hi = vec{b.head * 1.35, h.y + b.head*1.4}
	}
	return out
}

// drawAnimal paints the animal in the frame.
func (a *artist) drawAnimal(f frame, p pose, b proportions) {
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
	nod := a.s.around(0.12)
	a.drawHead(f.inside(headAt(p, b), b.head, nod, 1))
}

// stand paints all but the head of an animal seen from the side.
func (a *artist) stand(f frame, b proportions) {
	mid := -b.leg - b.thick/2
	l, t := b.length, b.thick
	a.drawTail(f.inside(vec{-l * 0.47, mid - t*0.28}, 1, 0, 1))
	step := a.s.around(0.05)
	a.drawLeg(f, farLeg, l*0.25, mid+t*0.3, step, b)
	a.drawLeg(f, farLeg, -l*0.24, mid+t*0.3, -step, b)
	at := func(x, y float64) vec { return vec{l * x, mid + t*y} }
	trunk := a.furred(smooth(at(.5, .02), at(.44, .38), at(.3, .54), at(-.05, .46-b.tuck), at(-.36, .4), at(-.5, .08), at(-.46, -.3), at(-.36, -.46), at(0, -.42), at(.34, -.48), at(.46, -.3)), t*0.9)
	h := headAt(standing, b)
	neck := limb(t*0.40, b.head*0.62, at(.34, -.06), between(at(.34, -.06), h, 0.6), h)
	a.piece(f, body, a.coat, trunk, neck)
	a.shade(f, on(body), trunk, t*0.22)
	a.drawLeg(f, nearLeg, l*0.38, mid+t*0.25, -step, b)
	a.drawLeg(f, nearLeg, -l*0.39, mid+t*0.2, step, b)
	a.bodyMarks(f, region{mid: vec{0, mid}, rx: l * 0.5, ry: t * 0.5}, coated)
}

// drawLeg paints a leg that stands at x, its paw shifted by step.
func (a *artist) drawLeg(f frame, p part, x, top, step float64, b proportions) {
	w := b.limb
	colour := a.coat
	if p == farLeg {
		colour = colour.darker(46)
	}
	hip, paw := vec{x, top}, vec{x + step, -w * 0.7}
	a.limb(f, p, colour, hip, vec{-step * 0.3, 0}, paw, w)
	a.socks(f, p, x+step/2, -top, w)
}

// limb paints a leg from hip to paw, bent by bend; no line is drawn round the
// hip, so that the leg grows out of the body.
func (a *artist) limb(f frame, p part, colour rgb, hip, bend, paw vec, w float64) {
	knee := between(hip, paw, 0.5).plus(bend)
	shape := limb(w*1.4, w*0.88, hip, knee, paw)
	low := limb(w*1.15, w*0.88, between(hip, paw, 0.42).plus(bend.times(0.9)), between(knee, paw, 0.5), paw)
	foot := ellipse(paw.plus(vec{w * 0.3, 0}), w*1.38, w*0.74)
	if a.Fur == Shaggy {
		low = bumps(low, 0.045, 0.016, shaggyTooth)
	}
	a.piece(f, p, colour, low, foot)
	a.fill(f, ink{colour: colour, part: p}, shape, ellipse(hip, w*1.4, w*1.4))
}

// sit paints all but the head of a sitting animal that faces us.
func (a *artist) sit(f frame, b proportions) {
	h, w, t := sittingHeight(b), b.thick, b.limb
	a.drawTail(f.inside(vec{-w * 0.5, -0.05}, 0.92, 0, 1))
	at := func(x, y float64) vec { return vec{w * x, h * y} }
	for _, side := range []float64{-1, 1} {
		thigh := ellipse(at(side*0.5, -.19), w*0.30, h*0.22)
		foot := ellipse(vec{side * w * 0.66, -t * 0.55}, t*1.5, t*0.7)
		a.piece(f, haunch, a.coat.darker(16), thigh, foot)
	}
	trunk := a.furred(smooth(at(0, -1.1), at(.34, -.95), at(.48, -.62), at(.54, -.28), at(.44, -.04), at(0, -.02),
		at(-.44, -.04), at(-.54, -.28), at(-.48, -.62), at(-.34, -.95)), w*0.9)
	a.piece(f, body, a.coat, trunk)
	a.shade(f, on(body), trunk, w*0.16)
	for _, side := range []float64{-1, 1} {
		x := side * w * 0.2
		a.limb(f, nearLeg, a.coat, vec{x, -h * 0.42}, vec{-x * 0.05, 0}, vec{x, -t * 0.62}, t)
		a.socks(f, nearLeg, x, h*0.5, t*0.8)
	}
	a.bodyMarks(f, region{mid: at(0, -.52), rx: w * 0.55, ry: h * 0.5, upright: true}, coated)
}

// lie paints all but the head of an animal that lies, seen from the side.
func (a *artist) lie(f frame, b proportions) {
	l, t, w := b.length, b.thick*1.05, b.limb
	a.drawTail(f.inside(vec{-l * 0.48, -t * 0.3}, 0.9, -0.25, 1))
	at := func(x, y float64) vec { return vec{l * x, t * y} }
	a.piece(f, farLeg, a.coat.darker(46), limb(w, w*0.85, at(.3, -.2), vec{l * 0.5, -w * 1.5}, vec{l*0.5 + 0.1, -w * 1.3}), ellipse(vec{l*0.5 + 0.11, -w * 1.3}, w*1.2, w*0.75))
	trunk := a.furred(smooth(at(.5, -.4), at(.42, -.03), at(0, 0), at(-.42, -.01), at(-.54, -.35), at(-.4, -.78), at(0, -.86), at(.34, -.95), at(.46, -.75)), t*0.9)
	h := headAt(lying, b)
	neck := limb(t*0.40, b.head*0.62, at(.3, -.5), between(at(.3, -.5), h, 0.6), h)
	a.piece(f, body, a.coat, trunk, neck)
	a.shade(f, on(body), trunk, t*0.2)
	thigh := ellipse(at(-.3, -.34), l*0.19, t*0.36)
	a.piece(f, haunch, a.coat, thigh, ellipse(vec{-l * 0.1, -w * 0.65}, w*1.6, w*0.7))
	a.shade(f, on(haunch), thigh, t*0.12)
	paw := vec{l*0.42 + 0.12, -w * 0.8}
	a.limb(f, nearLeg, a.coat, at(.32, -.22), vec{0, w * 0.4}, paw, w)
	a.bodyMarks(f, region{mid: at(0, -.45), rx: l * 0.52, ry: t * 0.48}, coated)
	if a.Pattern == Pointed || a.Pattern == Tuxedo {
		a.paint(f, on(nearLeg), a.mark, rect(l*0.46, -0.3, l+0.5, 0.1))
	}
}

// shoulders paints what is seen of the body below a portrait's head.
func (a *artist) shoulders(f frame, b proportions) {
	h, r := headAt(portrait, b), b.head
	k := r * (0.75 + b.thick*2.2)
	at := func(x, y float64) vec { return vec{h.x + k*x, h.y + r*y} }
	trunk := a.furred(smooth(at(-.5, .2), at(.5, .2), at(.72, .95), at(1.12, 1.5), at(1.3, 2.6), at(1.2, 4), at(-1.2, 4), at(-1.3, 2.6), at(-1.12, 1.5), at(-.72, .95)), r*0.9)
	a.piece(f, body, a.coat, trunk)
	a.bodyMarks(f, region{mid: at(0, 1.8), rx: k * 1.05, ry: r * 0.9, upright: true}, coated)
	a.shade(f, on(body), trunk, r*0.2)
}

// tailShape is a tail's line from its root and half its width along it.
type tailShape struct {
	line  []vec
	width func(t float64) float64
}

var tails = []tailShape{
	ThinTail:   {[]vec{{0.04, 0.02}, {-.08, .01}, {-.16, -.08}, {-.17, -.2}, {-.13, -.3}}, func(t float64) float64 { return 0.021 - 0.007*t }},
	BushyTail:  {[]vec{{0.04, 0.02}, {-.1, .0}, {-.19, -.09}, {-.2, -.24}}, func(t float64) float64 { return 0.02 + 0.22*t*(1-t)*(0.5+t) }},
	CurledTail: {[]vec{{0.05, 0.03}, {-.07, -.03}, {-.1, -.13}, {-.02, -.2}, {.07, -.16}, {.06, -.07}, {0, -.07}}, func(t float64) float64 { return 0.033 - 0.016*t }},
	StubTail:   {[]vec{{0.05, 0.03}, {-.0, 0}, {-.05, -.03}}, func(t float64) float64 { return 0.04 - 0.012*t }},
	PlumedTail: {[]vec{{0.04, 0.02}, {-.06, -.06}, {-.1, -.17}, {-.22, -.26}}, func(t float64) float64 { return 0.02 + 0.075*math.Sin(2.6*t) }},
	TippedTail: {[]vec{{0.04, 0.02}, {-.1, .03}, {-.2, .0}, {-.25, -.1}}, func(t float64) float64 { return 0.032 }},
}

// drawTail paints a tail whose root is the frame's origin, to the left.
func (a *artist) drawTail(f frame) {
	f = f.inside(vec{}, 1, a.s.around(0.25), 1)
	t := tails[a.Tail]
	line := spline(t.line...)
	shape := ribbon(line, t.width)
	tip := line[len(line)-1]
	shapes := [][]vec{shape, ellipse(tip, t.width(1), t.width(1))}
	switch {
	case a.Tail == PlumedTail:
		shapes[0] = bumps(shape, 0.07, 0.04, shaggyTooth)
	case a.Tail != StubTail:
		shapes[0] = a.furred(shape, 0.13)
	}
	colour := a.coat.darker(14)
	if a.Pattern == Pointed || a.Pattern == Saddled {
		colour = a.mark
	}
	a.piece(f, tail, colour, shapes...)
	if a.Pattern == Tabby || a.Pattern == Rosetted {
		for i := 1; i < 5; i++ {
			k := i * (len(line) - 1) / 5
			across := line[k+1].minus(line[k])
			across = vec{-across.y, across.x}.times(0.1 / max(across.length(), 1e-9))
			a.paint(f, on(tail), a.mark, stroke(0.016, line[k].minus(across), line[k], line[k].plus(across)))
		}
	}
	if a.Tail == TippedTail || a.Pattern == Goggled {
		colour := a.mark
		if a.Pattern == Plain {
			colour = a.coat.darker(130)
		}
		a.paint(f, on(tail), colour, ellipse(tip, 0.085, 0.085))
	}
}
