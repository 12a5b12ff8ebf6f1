package scenes

// Each of these paints a person who does something, in the person's own frame:
// feet at the origin, an adult 1 high.

func (t *stage) stands(f frame, who person, at pose) {
	if t.s().chance(0.4) { // waves
		at.hands[1] = vec{who.build().shoulder + 0.14, -who.build().head - 0.02}
		at.elbow[1] = -1
	}
	t.figure(f, who, at)
	t.nearArm(f, who, at)
}

func (t *stage) bikes(f frame, who person, at pose) {
	b := who.build()
	who.skirt = false
	l := t.own()
	t.is(theThing, l)
	t.shadow(f, vec{0, 0}, 0.46)
	at.hip = vec{-0.12, -0.50}
	at.neck = at.hip.plus(vec{0.17, -(b.neck - b.hip) * 0.93})
	at.head = at.neck.plus(vec{0.05, -(b.head - b.neck)})
	at.hands = [2]vec{{0.28, -0.54}, {0.27, -0.53}}
	at.feet = [2]vec{{-0.08, -0.27}, {0.0, -0.10}}
	at.knee, at.elbow = [2]float64{1, 1}, [2]float64{-1, -1}
	at.facing = 1
	t.bike(f, l, t.thingInk())
	t.figure(f, who, at)
	t.nearArm(f, who, at)
}

func (t *stage) shelters(f frame, who person, at pose) {
	b := who.build()
	l := t.own()
	t.is(theThing, l)
	at.hands[1] = vec{b.shoulder + 0.10, -(b.head + b.radius) + 0.24}
	at.elbow[1] = -1
	t.umbrella(f.inside(at.hands[1], 1.12, t.s().in(-0.20, -0.05), 1), l, t.thingInk())
	t.figure(f, who, at)
	t.nearArm(f, who, at)
}

func (t *stage) slides(f frame, who person, at pose) {
	b := who.build()
	who.skirt = false
	l := t.own()
	t.is(theThing, l)
	bend := t.s().in(0.78, 0.92)
	at.hip = vec{-0.09, -b.hip * bend}
	at.neck = at.hip.plus(vec{0.18, -(b.neck - b.hip) * 0.9})
	at.head = at.neck.plus(vec{0.05, -(b.head - b.neck)})
	at.feet = [2]vec{{0.04, -0.05}, {-0.03, -0.02}}
	at.hands = [2]vec{{0.34, at.hip.y - 0.02}, {0.28, at.hip.y - 0.04}}
	at.knee, at.elbow = [2]float64{1, 1}, [2]float64{-1, -1}
	at.facing = 1
	t.tint(f, on(ground), 0x86a8cc, 70, ellipse(vec{0.02, 0.02}, 0.5, 0.035))
	t.pole(f, l, at.hands[0], vec{-0.06, -0.02})
	t.skis(f, l, t.thingInk())
	t.figure(f, who, at)
	t.pole(f, l, at.hands[1], vec{-0.26, 0})
	t.nearArm(f, who, at)
}

func (t *stage) eats(f, page frame, who person, at pose) {
	b := who.build()
	l := t.own()
	t.is(theThing, l)
	r := 0.125 / (0.35 + 0.65*b.scale)
	at.facing = 0
	hold := vec{b.shoulder + 0.13, -b.neck + 0.14}
	at.hands[1] = hold
	at.elbow[1] = -1
	t.figure(f, who, at)
	if t.dinner {
		at.hands[1] = vec{b.shoulder + 0.12, -b.hip - 0.10}
		t.nearArm(f, who, at)
		t.tableTop(page, 0.77)
		side := t.s().in(0.2, 0.26)
		x := (f.x - page.x) / page.xx
		if x > 0.5 {
			side = -side
		}
		v := vec{x + side, 0.78}
		t.dab(page, table, 0xfdfcf8, ellipse(v.plus(vec{0, 0.012}), 0.17, 0.035))
		t.dab(page, table, 0xd8d4cc, ellipse(v.plus(vec{0, 0.016}), 0.12, 0.02))
		t.meal(page, l, t.food, v.plus(vec{0, -0.07}), 0.105)
		return
	}
	t.nearArm(f, who, at)
	t.meal(f, l, t.food, hold.plus(vec{0.02, -r * 0.85}), r)
	t.piece(f, who.body, who.skin, ellipse(hold, b.arm*1.1, b.arm*0.9))
}

func (t *stage) kites(f, page frame, who person, at pose) {
	b := who.build()
	l := t.own()
	t.is(theThing, l)
	at.hands[1] = vec{b.shoulder + 0.19, -b.neck - 0.06}
	at.elbow[1] = -1
	at.facing = 0.6
	v := vec{t.s().in(0.68, 0.8), t.s().in(0.2, 0.26)}
	hand := f.at(at.hands[1])
	from := vec{(hand.x - page.x) / page.xx, hand.y / page.yy}
	t.dab(page, l, 0x5a4a4a, limb(0.003, 0.003, from, between(from, v, 0.5).plus(vec{0.03, 0.03}), v))
	t.kite(page.inside(v, 1.05, 0.25, 1), l, t.thingInk(), vec{})
	t.figure(f, who, at)
	t.nearArm(f, who, at)
}

func (t *stage) surfs(f frame, who person, at pose) {
	b := who.build()
	who.skirt = false
	l := t.own()
	t.is(theThing, l)
	at.hands[1] = vec{b.shoulder + 0.14, -b.hip - 0.04}
	t.surfboard(f.inside(vec{b.shoulder + 0.15, 0}, 1.05, 0.06, 1), l, t.thingInk())
	t.figure(f, who, at)
	t.nearArm(f, who, at)
}

func (t *stage) rests(f frame, who person, at pose) {
	b := who.build()
	who.skirt = false
	l := t.own()
	t.is(theThing, l)
	g := f.inside(vec{}, 1/b.scale, 0, 1)
	t.shadow(g, vec{0, 0}, 0.55)
	t.bench(g, l)
	seat := -0.25 / b.scale
	at.hip = vec{-0.04, seat - 0.03}
	at.neck = at.hip.plus(vec{0, -(b.neck - b.hip)})
	at.head = at.neck.plus(vec{0.02, -(b.head - b.neck)})
	at.hands = [2]vec{{-b.shoulder - 0.05, seat - 0.04}, {0.16, seat - 0.07}}
	at.feet = [2]vec{{0.14, -0.03}, {0.22, -0.01}}
	at.knee, at.elbow = [2]float64{1, 1}, [2]float64{-1, -1}
	at.facing = 0.5
	t.figure(f, who, at)
	t.nearArm(f, who, at)
}

func (t *stage) plays(f frame, who person, at pose) {
	b := who.build()
	l := t.own()
	t.is(theThing, l)
	at.feet[1] = vec{0.21, -0.07}
	at.knee[1] = 1
	at.hands[0].x -= 0.06
	at.hands[0].y -= 0.14
	at.hands[1].y -= 0.12
	at.facing = 0.6
	r := 0.1 / b.scale
	t.shadow(f, vec{0.36 + r*0.5, 0}, r*0.9)
	t.figure(f, who, at)
	t.nearArm(f, who, at)
	t.ball(f, l, t.thingInk(), vec{0.33 + r, -r}, r)
}

func (t *stage) leads(f frame, who person, at pose) {
	b := who.build()
	at.feet = [2]vec{{-0.13, -0.02}, {0.12, -0.02}}
	at.knee = [2]float64{1, 1}
	at.hands[1] = vec{b.shoulder + 0.12, -b.hip - 0.06}
	at.elbow[1] = -1
	at.facing = 0.9
	g := f.inside(vec{0.62 / b.scale, 0.02}, 0.38/b.scale, 0, 1)
	t.shadow(g, vec{0, 0}, 0.55)
	a := t.newAnimal(dog, t.coat, standing)
	t.is(theBeast, a.label)
	t.animal(g, a)
	neck := vec{0.62/b.scale + 0.19/b.scale, -0.26 / b.scale}
	t.figure(f, who, at)
	t.dab(f, a.label, 0x8a2c34, limb(0.009, 0.009, at.hands[1], between(at.hands[1], neck, 0.5).plus(vec{0, 0.05}), neck))
	t.nearArm(f, who, at)
}

func (t *stage) rides(f frame, who person, at pose) {
	b := who.build()
	who.skirt = false
	g := f.inside(vec{}, 0.80/b.scale, 0, 1)
	t.shadow(g, vec{0, 0}, 0.55)
	a := t.newAnimal(horse, t.coat, standing)
	t.is(theBeast, a.label)
	t.animal(g, a)
	back := -0.70 / b.scale
	t.piece(f, a.label, 0x7a3c34, smooth(vec{-0.2, back - 0.02}, vec{0.12, back - 0.04}, vec{0.16, back + 0.14}, vec{-0.16, back + 0.16}))
	at.hip = vec{-0.04, back - 0.04}
	at.neck = at.hip.plus(vec{0.04, -(b.neck - b.hip)})
	at.head = at.neck.plus(vec{0.03, -(b.head - b.neck)})
	at.feet = [2]vec{{0.08, back + b.hip*0.75}, {0.06, back + b.hip*0.8}}
	at.hands = [2]vec{{0.26, back - 0.10}, {0.25, back - 0.08}}
	at.knee, at.elbow = [2]float64{1, 1}, [2]float64{-1, -1}
	at.facing = 1
	t.dab(f, a.label, 0x5a3a34, line(0.008, at.hands[1], vec{0.58 / b.scale, -1.0 / b.scale}))
	at.feet[0] = at.feet[1] // the far leg is behind the horse
	t.figure(f, who, at)
	t.nearArm(f, who, at)
}
