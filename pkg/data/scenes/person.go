package scenes

var (
	skins = []rgb{0xf2c9a4, 0xe8b48c, 0xc98d62, 0x9a643f, 0xf4d3b4}
	hairs = []rgb{0x3a2a22, 0x6b4226, 0xa8692f, 0xd9ab4e, 0x2a2628}
	jeans = []rgb{0x3d4a63, 0x5a5148, 0x4b4b52, 0x6d6257}
)

// person is how somebody looks.
type person struct {
	who         subject
	skin, hair  rgb
	shirt, legs rgb
	body, top   label // all but the shirt; the shirt
	warm        bool  // wears a hat
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
	hip, neck, head vec
	hands, feet     [2]vec
	elbow, knee     [2]float64 // which way they bend: -1 or 1
	facing          float64    // 0: at us, 1: to the right
}

// upright is the pose of somebody who stands.
func (b build) upright() pose {
	return pose{
		hip: vec{0, -b.hip}, neck: vec{0, -b.neck}, head: vec{0.01, -b.head},
		hands: [2]vec{{-b.shoulder - 0.07, -b.hip + 0.02}, {b.shoulder + 0.07, -b.hip + 0.02}},
		feet:  [2]vec{{-0.07, -0.02}, {0.07, -0.02}},
		elbow: [2]float64{-1, 1}, knee: [2]float64{1, -1},
		facing: 0.3,
	}
}

func (p *painter) newPerson(who subject, shirt rgb) person {
	return person{
		who: who, skin: pick(p.s, skins...), hair: pick(p.s, hairs...), shirt: shirt, legs: pick(p.s, jeans...),
		body: p.own(), top: p.own(), skirt: who == woman || who == girl,
	}
}

// figure paints a person up to the near arm, which nearArm paints: what the
// person holds may lie between.
func (p *painter) figure(f frame, who person, at pose) {
	b := who.build()
	p.arm(f, who, at, 0)
	if who.who == woman || who.who == girl {
		p.longHair(f, who, at, b)
	}
	p.leg(f, who, at, 0)
	p.leg(f, who, at, 1)
	if who.skirt {
		low := between(at.hip, between(at.feet[0], at.feet[1], 0.5), 0.55)
		p.piece(f, who.body, who.legs.lighter(30), []vec{at.hip.plus(vec{-b.waist, -0.03}), at.hip.plus(vec{b.waist, -0.03}), low.plus(vec{b.waist + 0.085, 0}), low.plus(vec{-b.waist - 0.085, 0})})
	}
	p.piece(f, who.body, who.skin.darker(18), line(0.035, at.neck.plus(vec{0, 0.03}), at.head))
	trunk := spline(at.neck.plus(vec{0, 0.005}), between(at.neck, at.hip, 0.5), at.hip.plus(vec{0, 0.02}))
	torso := ribbon(trunk, func(t float64) float64 {
		round := min(0.68+2.2*t, 1) // shoulders
		return float64((b.shoulder + float64((b.waist-b.shoulder)*t)) * round)
	})
	p.piece(f, who.top, who.shirt, torso)
	p.shade(f, who.top, torso, 0.035)
	p.face(f, who, at, b)
}

func (p *painter) arm(f frame, who person, at pose, i int) {
	b := who.build()
	side := float64(2*i-1) * (b.shoulder - b.arm*0.6) * (1 - 0.5*at.facing)
	from := at.neck.plus(vec{side, 0.055})
	elbow := joint(from, at.hands[i], 0.165+0.02*b.shoulder, at.elbow[i])
	sleeve := limb(b.arm*1.1, b.arm*0.85, from, elbow, at.hands[i])
	c := who.shirt
	if i == 0 {
		c = c.darker(40)
	}
	p.piece(f, who.body, who.skin, ellipse(at.hands[i], b.arm*1.05, b.arm*1.05))
	p.piece(f, who.top, c, sleeve)
}

// nearArm paints the arm on our side over everything else.
func (p *painter) nearArm(f frame, who person, at pose) { p.arm(f, who, at, 1) }

func (p *painter) leg(f frame, who person, at pose, i int) {
	b := who.build()
	side := float64(2*i-1) * b.waist * 0.45 * (1 - at.facing)
	from := at.hip.plus(vec{side, 0})
	knee := joint(from, at.feet[i], b.hip*0.5, at.knee[i])
	c := who.legs
	if who.skirt {
		c = who.skin
	}
	if i == 0 {
		c = c.darker(40)
	}
	toe := 0.03 + 0.03*at.facing
	if at.facing < 0.5 && i == 0 {
		toe = -toe
	}
	p.piece(f, who.body, 0x4a3a36, ellipse(at.feet[i].plus(vec{toe, 0}), 0.062, 0.032))
	p.piece(f, who.body, c, limb(b.leg*1.15, b.leg*0.85, from, knee, at.feet[i]))
}

// longHair is what hangs down behind a woman's or a girl's head.
func (p *painter) longHair(f frame, who person, at pose, b build) {
	h, r := at.head, b.radius
	if who.who == woman {
		p.piece(f, who.body, who.hair, smooth(h.plus(vec{-r * 1.15, -r * 0.3}), h.plus(vec{0, -r * 1.15}), h.plus(vec{r * 1.05, -r * 0.2}), h.plus(vec{r * 1.0, r * 1.7}), h.plus(vec{-r * 0.2, r * 1.9}), h.plus(vec{-r * 1.3, r * 1.7})))
		return
	}
	for _, side := range []float64{-1, 1} { // pigtails
		x := side*1.2 - 0.25*at.facing
		p.piece(f, who.body, who.hair, smooth(h.plus(vec{x * r * 0.8, -r * 0.35}), h.plus(vec{x * r * 1.25, -r * 0.3}), h.plus(vec{x * r * 1.45, r * 0.75}), h.plus(vec{x * r * 1.05, r * 0.6})))
		p.dab(f, who.body, 0xe86a8a, ellipse(h.plus(vec{x * r * 0.92, -r * 0.25}), r*0.16, r*0.16))
	}
}

// face paints the head, its hair and its features.
func (p *painter) face(f frame, who person, at pose, b build) {
	h, r := at.head, b.radius
	look := 0.34 * at.facing * r
	p.piece(f, who.body, who.skin, ellipse(h, r, r*1.04))
	p.shade(f, who.body, ellipse(h, r, r*1.04), r*0.2)
	hair := smooth(h.plus(vec{-r * 1.06, r * 0.12}), h.plus(vec{-r * 0.95, -r * 0.72}), h.plus(vec{0, -r * 1.2}), h.plus(vec{r * 0.98, -r * 0.68}), h.plus(vec{r * 1.0, -r * 0.1}),
		h.plus(vec{r*0.62 + look*0.6, -r * 0.5}), h.plus(vec{look * 0.8, -r * 0.42}), h.plus(vec{-r*0.66 + look*0.5, -r * 0.42}))
	if who.who == man {
		beard := smooth(h.plus(vec{-r*0.98 + look*0.5, r * 0.05}), h.plus(vec{-r*0.55 + look, r * 0.42}), h.plus(vec{look, r * 0.34}), h.plus(vec{r*0.6 + look, r * 0.42}), h.plus(vec{r * 0.99, r * 0.05}), h.plus(vec{r * 0.72, r * 0.95}), h.plus(vec{look * 0.6, r * 1.28}), h.plus(vec{-r * 0.72, r * 0.95}))
		p.dab(f, who.body, who.hair, beard)
	}
	p.piece(f, who.body, who.hair, hair)
	if who.warm {
		p.hat(f, who, h, r)
	} else if who.who == boy {
		p.cap(f, who, h, r)
	}
	for _, side := range []float64{-1, 1} {
		eye := h.plus(vec{side*r*0.36 + look, r * 0.06})
		p.dab(f, who.body, 0x2a2226, ellipse(eye, r*0.11, r*0.15))
		if who.who != man {
			p.tint(f, on(who.body), 0xe8705c, 90, ellipse(h.plus(vec{side*r*0.58 + look*0.8, r * 0.38}), r*0.2, r*0.14))
		}
	}
	p.dab(f, who.body, 0xa8443c, stroke(r*0.09, h.plus(vec{look - r*0.26, r * 0.5}), h.plus(vec{look, r * 0.62}), h.plus(vec{look + r*0.26, r * 0.5})))
}

// cap is a boy's, with a peak.
func (p *painter) cap(f frame, who person, h vec, r float64) {
	c := rgb(0x55606c)
	p.piece(f, who.body, c, smooth(h.plus(vec{-r * 1.08, -r * 0.2}), h.plus(vec{-r * 0.9, -r * 0.9}), h.plus(vec{0, -r * 1.3}), h.plus(vec{r * 0.9, -r * 0.9}), h.plus(vec{r * 1.08, -r * 0.25}), h.plus(vec{0, -r * 0.42})))
	p.piece(f, who.body, c.darker(50), smooth(h.plus(vec{r * 0.2, -r * 0.45}), h.plus(vec{r * 1.0, -r * 0.42}), h.plus(vec{r * 1.75, -r * 0.2}), h.plus(vec{r * 0.9, -r * 0.22})))
}

// hat is a woollen one for the snow.
func (p *painter) hat(f frame, who person, h vec, r float64) {
	c := rgb(0x7a4a58)
	p.piece(f, who.body, c, smooth(h.plus(vec{-r * 1.06, -r * 0.3}), h.plus(vec{-r * 0.85, -r * 1.05}), h.plus(vec{0, -r * 1.45}), h.plus(vec{r * 0.85, -r * 1.05}), h.plus(vec{r * 1.06, -r * 0.3})))
	p.dab(f, who.body, 0xf2e6d8, limb(r*0.16, r*0.16, h.plus(vec{-r * 1.05, -r * 0.38}), h.plus(vec{0, -r * 0.5}), h.plus(vec{r * 1.05, -r * 0.38})))
	p.piece(f, who.body, 0xf2e6d8, ellipse(h.plus(vec{0, -r * 1.45}), r*0.28, r*0.28))
}
