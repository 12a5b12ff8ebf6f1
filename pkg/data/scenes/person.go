package scenes

import "gaze/pkg/data/internal/draw"

var (
	skins = []draw.RGB{0xf2c9a4, 0xe8b48c, 0xc98d62, 0x9a643f, 0xf4d3b4}
	hairs = []draw.RGB{0x3a2a22, 0x6b4226, 0xa8692f, 0xd9ab4e, 0x2a2628}
	jeans = []draw.RGB{0x3d4a63, 0x5a5148, 0x4b4b52, 0x6d6257}
)

// person is how somebody looks.
type person struct {
	who         subject
	skin, hair  draw.RGB
	shirt, legs draw.RGB
	body, top   draw.Label // all but the shirt; the shirt
	warm        bool       // wears a hat
	skirt       bool
}

// build is a person's proportions, the height of an adult being 1. The feet
// are at the origin, up is negative.
type build struct {
	hip, neck, head, radius float64 // heights; the head's radius
	shoulder, waist         float64 // half widths
	leg, arm                float64 // half widths
	scale                   float64
}

func (p person) build() build {
	switch p.who {
	case man:
		return build{0.47, 0.80, 0.925, 0.105, 0.125, 0.085, 0.052, 0.042, 1}
	case woman:
		return build{0.47, 0.78, 0.90, 0.105, 0.095, 0.072, 0.043, 0.035, 0.96}
	}
	return build{0.40, 0.74, 0.93, 0.165, 0.115, 0.10, 0.054, 0.046, 0.74}
}

// pose is where a person's joints are: far ones first, then near ones.
type pose struct {
	hip, neck, head draw.Vec
	hands, feet     [2]draw.Vec
	elbow, knee     [2]float64 // which way they bend: -1 or 1
	facing          float64    // 0: at us, 1: to the right
}

// upright is the pose of somebody who stands.
func (b build) upright() pose {
	return pose{
		hip: draw.Pt(0, -b.hip), neck: draw.Pt(0, -b.neck), head: draw.Pt(0.01, -b.head),
		hands: [2]draw.Vec{draw.Pt(-b.shoulder-0.07, -b.hip+0.02), draw.Pt(b.shoulder+0.07, -b.hip+0.02)},
		feet:  [2]draw.Vec{draw.Pt(-0.07, -0.02), draw.Pt(0.07, -0.02)},
		elbow: [2]float64{-1, 1}, knee: [2]float64{1, -1},
		facing: 0.3,
	}
}

func (p *painter) newPerson(who subject, shirt draw.RGB) person {
	return person{
		who: who, skin: draw.Pick(p.s, skins...), hair: draw.Pick(p.s, hairs...), shirt: shirt, legs: draw.Pick(p.s, jeans...),
		body: p.own(), top: p.own(), skirt: who == woman || who == girl,
	}
}

// figure paints a person up to the near arm, which nearArm paints: what the
// person holds may lie between.
func (p *painter) figure(f draw.Frame, who person, at pose) {
	b := who.build()
	p.arm(f, who, at, 0)
	if who.who == woman || who.who == girl {
		p.longHair(f, who, at, b)
	}
	p.leg(f, who, at, 0)
	p.leg(f, who, at, 1)
	if who.skirt {
		low := draw.Between(at.hip, draw.Between(at.feet[0], at.feet[1], 0.5), 0.55)
		p.piece(f, who.body, who.legs.Lighter(30), []draw.Vec{at.hip.Plus(draw.Pt(-b.waist, -0.03)), at.hip.Plus(draw.Pt(b.waist, -0.03)), low.Plus(draw.Pt(b.waist+0.085, 0)), low.Plus(draw.Pt(-b.waist-0.085, 0))})
	}
	p.piece(f, who.body, who.skin.Darker(18), line(0.035, at.neck.Plus(draw.Pt(0, 0.03)), at.head))
	trunk := draw.Spline(at.neck.Plus(draw.Pt(0, 0.005)), draw.Between(at.neck, at.hip, 0.5), at.hip.Plus(draw.Pt(0, 0.02)))
	torso := draw.Ribbon(trunk, func(t float64) float64 {
		round := min(0.68+2.2*t, 1) // shoulders
		return float64((b.shoulder + float64((b.waist-b.shoulder)*t)) * round)
	})
	p.piece(f, who.top, who.shirt, torso)
	p.shade(f, who.top, torso, 0.035)
	p.face(f, who, at, b)
}

func (p *painter) arm(f draw.Frame, who person, at pose, i int) {
	b := who.build()
	side := float64(2*i-1) * (b.shoulder - b.arm*0.6) * (1 - 0.5*at.facing)
	from := at.neck.Plus(draw.Pt(side, 0.055))
	elbow := joint(from, at.hands[i], 0.165+0.02*b.shoulder, at.elbow[i])
	sleeve := draw.Limb(b.arm*1.1, b.arm*0.85, from, elbow, at.hands[i])
	c := who.shirt
	if i == 0 {
		c = c.Darker(40)
	}
	p.piece(f, who.body, who.skin, draw.Ellipse(at.hands[i], b.arm*1.05, b.arm*1.05))
	p.piece(f, who.top, c, sleeve)
}

// nearArm paints the arm on our side over everything else.
func (p *painter) nearArm(f draw.Frame, who person, at pose) { p.arm(f, who, at, 1) }

func (p *painter) leg(f draw.Frame, who person, at pose, i int) {
	b := who.build()
	side := float64(2*i-1) * b.waist * 0.45 * (1 - at.facing)
	from := at.hip.Plus(draw.Pt(side, 0))
	knee := joint(from, at.feet[i], b.hip*0.5, at.knee[i])
	c := who.legs
	if who.skirt {
		c = who.skin
	}
	if i == 0 {
		c = c.Darker(40)
	}
	toe := 0.03 + 0.03*at.facing
	if at.facing < 0.5 && i == 0 {
		toe = -toe
	}
	p.piece(f, who.body, 0x4a3a36, draw.Ellipse(at.feet[i].Plus(draw.Pt(toe, 0)), 0.062, 0.032))
	p.piece(f, who.body, c, draw.Limb(b.leg*1.15, b.leg*0.85, from, knee, at.feet[i]))
}

// longHair is what hangs down behind a woman's or a girl's head.
func (p *painter) longHair(f draw.Frame, who person, at pose, b build) {
	h, r := at.head, b.radius
	if who.who == woman {
		p.piece(f, who.body, who.hair, draw.Smooth(h.Plus(draw.Pt(-r*1.15, -r*0.3)), h.Plus(draw.Pt(0, -r*1.15)), h.Plus(draw.Pt(r*1.05, -r*0.2)), h.Plus(draw.Pt(r*1.0, r*1.7)), h.Plus(draw.Pt(-r*0.2, r*1.9)), h.Plus(draw.Pt(-r*1.3, r*1.7))))
		return
	}
	for _, side := range []float64{-1, 1} { // pigtails
		x := side*1.2 - 0.25*at.facing
		p.piece(f, who.body, who.hair, draw.Smooth(h.Plus(draw.Pt(x*r*0.8, -r*0.35)), h.Plus(draw.Pt(x*r*1.25, -r*0.3)), h.Plus(draw.Pt(x*r*1.45, r*0.75)), h.Plus(draw.Pt(x*r*1.05, r*0.6))))
		p.dab(f, who.body, 0xe86a8a, draw.Ellipse(h.Plus(draw.Pt(x*r*0.92, -r*0.25)), r*0.16, r*0.16))
	}
}

// face paints the head, its hair and its features.
func (p *painter) face(f draw.Frame, who person, at pose, b build) {
	h, r := at.head, b.radius
	look := 0.34 * at.facing * r
	p.piece(f, who.body, who.skin, draw.Ellipse(h, r, r*1.04))
	p.shade(f, who.body, draw.Ellipse(h, r, r*1.04), r*0.2)
	hair := draw.Smooth(h.Plus(draw.Pt(-r*1.06, r*0.12)), h.Plus(draw.Pt(-r*0.95, -r*0.72)), h.Plus(draw.Pt(0, -r*1.2)), h.Plus(draw.Pt(r*0.98, -r*0.68)), h.Plus(draw.Pt(r*1.0, -r*0.1)),
		h.Plus(draw.Pt(r*0.62+look*0.6, -r*0.5)), h.Plus(draw.Pt(look*0.8, -r*0.42)), h.Plus(draw.Pt(-r*0.66+look*0.5, -r*0.42)))
	if who.who == man {
		beard := draw.Smooth(h.Plus(draw.Pt(-r*0.98+look*0.5, r*0.05)), h.Plus(draw.Pt(-r*0.55+look, r*0.42)), h.Plus(draw.Pt(look, r*0.34)), h.Plus(draw.Pt(r*0.6+look, r*0.42)), h.Plus(draw.Pt(r*0.99, r*0.05)), h.Plus(draw.Pt(r*0.72, r*0.95)), h.Plus(draw.Pt(look*0.6, r*1.28)), h.Plus(draw.Pt(-r*0.72, r*0.95)))
		p.dab(f, who.body, who.hair, beard)
	}
	p.piece(f, who.body, who.hair, hair)
	if who.warm {
		p.hat(f, who, h, r)
	} else if who.who == boy {
		p.cap(f, who, h, r)
	}
	for _, side := range []float64{-1, 1} {
		eye := h.Plus(draw.Pt(side*r*0.36+look, r*0.06))
		p.dab(f, who.body, 0x2a2226, draw.Ellipse(eye, r*0.11, r*0.15))
		if who.who != man {
			p.tint(f, draw.On(who.body), 0xe8705c, 90, draw.Ellipse(h.Plus(draw.Pt(side*r*0.58+look*0.8, r*0.38)), r*0.2, r*0.14))
		}
	}
	p.dab(f, who.body, 0xa8443c, draw.Stroke(r*0.09, h.Plus(draw.Pt(look-r*0.26, r*0.5)), h.Plus(draw.Pt(look, r*0.62)), h.Plus(draw.Pt(look+r*0.26, r*0.5))))
}

// cap is a boy's, with a peak.
func (p *painter) cap(f draw.Frame, who person, h draw.Vec, r float64) {
	c := draw.RGB(0x55606c)
	p.piece(f, who.body, c, draw.Smooth(h.Plus(draw.Pt(-r*1.08, -r*0.2)), h.Plus(draw.Pt(-r*0.9, -r*0.9)), h.Plus(draw.Pt(0, -r*1.3)), h.Plus(draw.Pt(r*0.9, -r*0.9)), h.Plus(draw.Pt(r*1.08, -r*0.25)), h.Plus(draw.Pt(0, -r*0.42))))
	p.piece(f, who.body, c.Darker(50), draw.Smooth(h.Plus(draw.Pt(r*0.2, -r*0.45)), h.Plus(draw.Pt(r*1.0, -r*0.42)), h.Plus(draw.Pt(r*1.75, -r*0.2)), h.Plus(draw.Pt(r*0.9, -r*0.22))))
}

// hat is a woollen one for the snow.
func (p *painter) hat(f draw.Frame, who person, h draw.Vec, r float64) {
	c := draw.RGB(0x7a4a58)
	p.piece(f, who.body, c, draw.Smooth(h.Plus(draw.Pt(-r*1.06, -r*0.3)), h.Plus(draw.Pt(-r*0.85, -r*1.05)), h.Plus(draw.Pt(0, -r*1.45)), h.Plus(draw.Pt(r*0.85, -r*1.05)), h.Plus(draw.Pt(r*1.06, -r*0.3))))
	p.dab(f, who.body, 0xf2e6d8, draw.Limb(r*0.16, r*0.16, h.Plus(draw.Pt(-r*1.05, -r*0.38)), h.Plus(draw.Pt(0, -r*0.5)), h.Plus(draw.Pt(r*1.05, -r*0.38))))
	p.piece(f, who.body, 0xf2e6d8, draw.Ellipse(h.Plus(draw.Pt(0, -r*1.45)), r*0.28, r*0.28))
}
