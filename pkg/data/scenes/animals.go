package scenes

import "gaze/pkg/data/internal/draw"

// beast is how an animal that goes on four legs looks, 1 long from chest to
// rump. It looks to the right.
type beast struct {
	leg, thick   float64  // length of the legs; half the height of the trunk
	width        float64  // half that of a leg
	neck         draw.Vec // from the shoulder to the head
	neckWide     float64
	head, muzzle float64 // sizes
	tail         float64
	scale        float64
}

var beasts = [subjects]beast{
	sheep: {leg: 0.24, thick: 0.30, width: 0.045, neck: draw.Pt(0.13, -0.16), neckWide: 0.13, head: 0.16, muzzle: 0.13, tail: 0.06, scale: 0.42},
	dog:   {leg: 0.36, thick: 0.17, width: 0.055, neck: draw.Pt(0.16, -0.30), neckWide: 0.11, head: 0.20, muzzle: 0.15, tail: 0.42, scale: 0.36},
	cat:   {leg: 0.26, thick: 0.17, width: 0.05, neck: draw.Pt(0.10, -0.24), neckWide: 0.10, head: 0.22, muzzle: 0.08, tail: 0.60, scale: 0.31},
	horse: {leg: 0.56, thick: 0.21, width: 0.055, neck: draw.Pt(0.26, -0.44), neckWide: 0.13, head: 0.14, muzzle: 0.26, tail: 0.5, scale: 0.62},
	cow:   {leg: 0.36, thick: 0.26, width: 0.06, neck: draw.Pt(0.18, -0.16), neckWide: 0.15, head: 0.16, muzzle: 0.19, tail: 0.42, scale: 0.60},
}

// animal is one beast in a pose.
type animal struct {
	kind  subject
	coat  draw.RGB
	label draw.Label
	does  action // standing, grazing or lying
}

func (p *painter) newAnimal(kind subject, coat colour, does action) animal {
	return animal{kind, colourInks[coat].Vary(p.s, 12, 6), p.own(), does}
}

// animal paints a beast whose feet are at the origin; a unit is the length of
// its trunk.
func (p *painter) animal(f draw.Frame, a animal) {
	if a.kind == bird {
		p.bird(f, a)
		return
	}
	b := beasts[a.kind]
	if a.does == lying {
		b.leg *= 0.12
		b.neck.Y -= 0.04
	}
	p.legs(f, a, b)
	mid := draw.Pt(0, -b.leg-b.thick*0.92)
	p.tail(f, a, b, mid)
	shoulder := mid.Plus(draw.Pt(0.38, -b.thick*0.35))
	head := shoulder.Plus(b.neck)
	if a.does == grazing {
		head = draw.Pt(shoulder.X+0.26, -b.head*0.7-0.04)
	}
	dark := a.kind == sheep
	skin := a.coat
	if dark {
		skin = 0x4a4248
	}
	if a.kind != sheep {
		p.piece(f, a.label, a.coat, draw.Limb(b.neckWide*1.35, b.neckWide*0.85, shoulder.Plus(draw.Pt(-0.06, b.thick*0.3)), head))
	}
	trunk := draw.Smooth(mid.Plus(draw.Pt(-0.52, -b.thick*0.2)), mid.Plus(draw.Pt(-0.40, -b.thick)), mid.Plus(draw.Pt(0, -b.thick*0.86)), mid.Plus(draw.Pt(0.40, -b.thick*0.96)), mid.Plus(draw.Pt(0.53, -b.thick*0.1)), mid.Plus(draw.Pt(0.42, b.thick*0.86)), mid.Plus(draw.Pt(0, b.thick)), mid.Plus(draw.Pt(-0.42, b.thick*0.8)))
	if dark {
		p.fleece(f, a, mid, b)
	} else {
		p.piece(f, a.label, a.coat, trunk)
		p.dab(f, a.label, a.coat, draw.Limb(b.neckWide*1.2, b.neckWide*0.8, shoulder.Plus(draw.Pt(-0.08, b.thick*0.32)), head))
		p.shade(f, a.label, trunk, b.thick*0.35)
	}
	if a.kind == cow {
		p.patches(f, a, mid, b)
	}
	if a.kind == horse {
		p.mane(f, a, shoulder, head)
	}
	p.head(f, a, b, skin, head)
}

func (p *painter) legs(f draw.Frame, a animal, b beast) {
	c := a.coat
	if a.kind == sheep {
		c = 0x4a4248
	}
	if a.does == lying {
		for _, x := range []float64{-0.3, 0.34} {
			p.piece(f, a.label, c.Darker(25), draw.Limb(b.width*1.3, b.width, draw.Pt(x, -b.width), draw.Pt(x+0.26, -b.width)))
		}
		return
	}
	stride := p.s.In(0.02, 0.07)
	for i, x := range []float64{-0.27, 0.29, -0.37, 0.38} {
		shade := c
		step := stride
		if i < 2 {
			shade, step = c.Darker(60), -stride
		}
		foot := draw.Pt(x+step, -0.015)
		p.piece(f, a.label, shade, draw.Limb(b.width*1.5, b.width, draw.Pt(x, -b.leg-b.thick*0.6), draw.Pt(x+step*0.2, -b.leg*0.5), foot))
		p.dab(f, a.label, 0x3a302e, draw.Rect(foot.X-b.width*1.1, foot.Y-0.03, foot.X+b.width*1.1, foot.Y+0.02))
	}
}

func (p *painter) tail(f draw.Frame, a animal, b beast, mid draw.Vec) {
	root := mid.Plus(draw.Pt(-0.46, -b.thick*0.55))
	switch a.kind {
	case dog:
		p.piece(f, a.label, a.coat, draw.Limb(0.05, 0.03, root, root.Plus(draw.Pt(-0.16, -0.14)), root.Plus(draw.Pt(-0.14, -0.36))))
	case cat:
		p.piece(f, a.label, a.coat, draw.Limb(0.045, 0.04, root, root.Plus(draw.Pt(-0.22, -0.04)), root.Plus(draw.Pt(-0.24, -0.34)), root.Plus(draw.Pt(-0.12, -0.46))))
	case horse:
		p.piece(f, a.label, hairOf(a), draw.Limb(0.05, 0.09, root, root.Plus(draw.Pt(-0.14, 0.12)), root.Plus(draw.Pt(-0.12, 0.5))))
	case cow:
		p.piece(f, a.label, a.coat, draw.Limb(0.025, 0.02, root, root.Plus(draw.Pt(-0.09, 0.12)), root.Plus(draw.Pt(-0.07, 0.4))))
		p.piece(f, a.label, 0x3a302e, draw.Ellipse(root.Plus(draw.Pt(-0.07, 0.43)), 0.045, 0.06))
	}
}

// hairOf is the colour of mane and tail.
func hairOf(a animal) draw.RGB {
	if r, g, b := a.coat.Channels(); r+g+b > 500 || r+g+b < 200 {
		return 0x6e6664
	}
	return a.coat.Darker(150)
}

func (p *painter) mane(f draw.Frame, a animal, shoulder, head draw.Vec) {
	p.piece(f, a.label, hairOf(a), draw.Limb(0.07, 0.05, shoulder.Plus(draw.Pt(-0.16, -0.06)), draw.Between(shoulder, head, 0.55).Plus(draw.Pt(-0.13, -0.05)), head.Plus(draw.Pt(-0.06, -0.12))))
}

// fleece is a sheep's wool: a cloud.
func (p *painter) fleece(f draw.Frame, a animal, mid draw.Vec, b beast) {
	at := [...]draw.Vec{draw.Pt(-.40, -.1), draw.Pt(-.34, -.62), draw.Pt(-.04, -.82), draw.Pt(.28, -.68), draw.Pt(.42, -.16), draw.Pt(.34, .42), draw.Pt(.02, .62), draw.Pt(-.3, .48)}
	puffs := [][]draw.Vec{draw.Ellipse(mid, 0.42, b.thick*0.8)}
	for _, v := range at {
		puffs = append(puffs, draw.Ellipse(mid.Plus(draw.Pt(v.X, v.Y*b.thick)), 0.17, 0.15))
	}
	p.piece(f, a.label, a.coat, puffs...)
	p.shade(f, a.label, draw.Ellipse(mid.Plus(draw.Pt(0, 0.02)), 0.5, b.thick*1.05), b.thick*0.4)
	for _, v := range at[1:4] {
		at := mid.Plus(draw.Pt(v.X*0.7, v.Y*b.thick*0.4))
		p.dab(f, a.label, draw.Mix(a.coat, 0x808088, 70), draw.Stroke(0.02, at.Plus(draw.Pt(-0.07, 0)), at.Plus(draw.Pt(0, 0.06)), at.Plus(draw.Pt(0.07, 0))))
	}
}

// patches are a cow's, white on brown or black.
func (p *painter) patches(f draw.Frame, a animal, mid draw.Vec, b beast) {
	for _, v := range draw.Path(-0.28, -0.35, 0.12, 0.25, 0.36, -0.55) {
		at := mid.Plus(draw.Pt(v.X+p.s.Around(0.06), v.Y*b.thick))
		p.Fill(f, draw.Ink{Colour: 0xf6f2ea, Keep: true, Clip: draw.On(a.label)}, draw.Smooth(at.Plus(draw.Pt(-.14, -.05)), at.Plus(draw.Pt(0, -.13)), at.Plus(draw.Pt(.13, -.03)), at.Plus(draw.Pt(.06, .12)), at.Plus(draw.Pt(-.1, .11))))
	}
	p.piece(f, a.label, 0xf0a8a4, draw.Ellipse(mid.Plus(draw.Pt(-0.2, b.thick*0.95)), 0.1, 0.06))
}

// head paints a head that looks to the right, at and round v.
func (p *painter) head(f draw.Frame, a animal, b beast, skin draw.RGB, v draw.Vec) {
	r := b.head
	turn, drop := 0.35, 0.25
	if a.does == grazing {
		turn, drop = 0.95, 0.6
	}
	nose := v.Plus(draw.Pt(b.muzzle*(1.15-turn*0.4), b.muzzle*drop*1.2))
	switch a.kind {
	case horse, cow:
		for _, x := range []float64{-0.09, 0.03} {
			p.piece(f, a.label, skin.Darker(20), draw.Smooth(v.Plus(draw.Pt(x-0.03, -r*0.5)), v.Plus(draw.Pt(x, -r*1.5)), v.Plus(draw.Pt(x+0.05, -r*0.5))))
		}
	case cat:
		for _, x := range []float64{-0.62, 0.55} {
			p.piece(f, a.label, skin, []draw.Vec{v.Plus(draw.Pt((x-0.36)*r, -r*0.4)), v.Plus(draw.Pt(x*r*1.15, -r*1.55)), v.Plus(draw.Pt((x+0.36)*r, -r*0.5))})
		}
	}
	p.piece(f, a.label, skin, draw.Ellipse(v, r, r*0.95), draw.Limb(r*0.85, r*0.5, v, nose), draw.Ellipse(nose, r*0.52, r*0.5))
	if a.kind == cow {
		p.piece(f, a.label, 0xf0b4ac, draw.Turned(nose.Plus(draw.Pt(0.02, 0.02)), r*0.62, r*0.5, turn))
		for _, x := range []float64{-0.05, 0.07} {
			p.piece(f, a.label, 0xe8dcc0, draw.Smooth(v.Plus(draw.Pt(x-0.02, -r*0.9)), v.Plus(draw.Pt(x+0.03, -r*1.7)), v.Plus(draw.Pt(x+0.05, -r*0.8))))
		}
	}
	tip := nose.Plus(draw.Pt(r*0.42, -r*0.08))
	if a.kind != cow {
		p.dab(f, a.label, 0x2a2226, draw.Ellipse(tip.Plus(draw.Pt(-r*0.1, 0)), r*0.2, r*0.17))
	}
	if a.kind == sheep || a.kind == dog {
		p.piece(f, a.label, skin.Darker(40), draw.Turned(v.Plus(draw.Pt(-r*0.6, -r*0.1)), r*0.3, r*0.75, 0.35))
	}
	if a.kind == sheep {
		p.piece(f, a.label, a.coat, draw.Ellipse(v.Plus(draw.Pt(-r*0.2, -r*0.85)), r*0.6, r*0.42))
	}
	eye := v.Plus(draw.Pt(r*0.3, -r*0.22))
	p.dab(f, a.label, 0xffffff, draw.Ellipse(eye, r*0.26, r*0.28))
	p.dab(f, a.label, 0x221c20, draw.Ellipse(eye.Plus(draw.Pt(r*0.06, 0)), r*0.17, r*0.2))
}

// bird paints a songbird; a unit is its length.
func (p *painter) bird(f draw.Frame, a animal) {
	for _, x := range []float64{-0.02, 0.1} {
		p.dab(f, a.label, 0xd08a2c, line(0.025, draw.Pt(x, -0.2), draw.Pt(x+0.02, 0)), line(0.022, draw.Pt(x-0.02, 0), draw.Pt(x+0.1, 0)))
	}
	p.piece(f, a.label, a.coat.Darker(60), draw.Smooth(draw.Pt(-0.3, -0.38), draw.Pt(-0.72, -0.30), draw.Pt(-0.68, -0.20), draw.Pt(-0.26, -0.24)))
	trunk := draw.Smooth(draw.Pt(-0.4, -0.32), draw.Pt(-0.1, -0.58), draw.Pt(0.2, -0.66), draw.Pt(0.4, -0.44), draw.Pt(0.28, -0.2), draw.Pt(0, -0.12), draw.Pt(-0.24, -0.18))
	p.piece(f, a.label, 0xf0a030, draw.Path(0.5, -0.78, 0.74, -0.70, 0.5, -0.64))
	p.piece(f, a.label, a.coat, trunk, draw.Ellipse(draw.Pt(0.32, -0.7), 0.23, 0.22))
	p.tint(f, draw.On(a.label), 0xffffff, 120, draw.Ellipse(draw.Pt(0.26, -0.32), 0.2, 0.2))
	p.piece(f, a.label, a.coat.Darker(70), draw.Smooth(draw.Pt(0.12, -0.5), draw.Pt(-0.15, -0.5), draw.Pt(-0.46, -0.3), draw.Pt(-0.1, -0.26), draw.Pt(0.1, -0.34)))
	p.dab(f, a.label, 0xffffff, draw.Ellipse(draw.Pt(0.38, -0.74), 0.07, 0.07))
	p.dab(f, a.label, 0x201a1e, draw.Ellipse(draw.Pt(0.4, -0.74), 0.045, 0.05))
}
