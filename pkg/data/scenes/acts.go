package scenes

import "gaze/pkg/data/internal/draw"

// Each of these paints a person who does something, in the person's own frame:
// feet at the origin, an adult 1 high.

func (t *stage) stands(f draw.Frame, who person, at pose) {
	if t.s().Chance(0.4) { // waves
		at.hands[1] = draw.Pt(who.build().shoulder+0.14, -who.build().head-0.02)
		at.elbow[1] = -1
	}
	t.figure(f, who, at)
	t.nearArm(f, who, at)
}

func (t *stage) bikes(f draw.Frame, who person, at pose) {
	b := who.build()
	who.skirt = false
	l := t.own()
	t.is(theThing, l)
	t.shadow(f, draw.Pt(0, 0), 0.46)
	at.hip = draw.Pt(-0.12, -0.50)
	at.neck = at.hip.Plus(draw.Pt(0.17, -(b.neck-b.hip)*0.93))
	at.head = at.neck.Plus(draw.Pt(0.05, -(b.head - b.neck)))
	at.hands = [2]draw.Vec{draw.Pt(0.28, -0.54), draw.Pt(0.27, -0.53)}
	at.feet = [2]draw.Vec{draw.Pt(-0.08, -0.27), draw.Pt(0.0, -0.10)}
	at.knee, at.elbow = [2]float64{1, 1}, [2]float64{-1, -1}
	at.facing = 1
	t.bike(f, l, t.thingInk())
	t.figure(f, who, at)
	t.nearArm(f, who, at)
}

func (t *stage) shelters(f draw.Frame, who person, at pose) {
	b := who.build()
	l := t.own()
	t.is(theThing, l)
	at.hands[1] = draw.Pt(b.shoulder+0.10, -(b.head+b.radius)+0.24)
	at.elbow[1] = -1
	t.umbrella(f.Inside(at.hands[1], 1.12, t.s().In(-0.20, -0.05), 1), l, t.thingInk())
	t.figure(f, who, at)
	t.nearArm(f, who, at)
}

func (t *stage) slides(f draw.Frame, who person, at pose) {
	b := who.build()
	who.skirt = false
	l := t.own()
	t.is(theThing, l)
	bend := t.s().In(0.78, 0.92)
	at.hip = draw.Pt(-0.09, -b.hip*bend)
	at.neck = at.hip.Plus(draw.Pt(0.18, -(b.neck-b.hip)*0.9))
	at.head = at.neck.Plus(draw.Pt(0.05, -(b.head - b.neck)))
	at.feet = [2]draw.Vec{draw.Pt(0.04, -0.05), draw.Pt(-0.03, -0.02)}
	at.hands = [2]draw.Vec{draw.Pt(0.34, at.hip.Y-0.02), draw.Pt(0.28, at.hip.Y-0.04)}
	at.knee, at.elbow = [2]float64{1, 1}, [2]float64{-1, -1}
	at.facing = 1
	t.tint(f, draw.On(ground), 0x86a8cc, 70, draw.Ellipse(draw.Pt(0.02, 0.02), 0.5, 0.035))
	t.pole(f, l, at.hands[0], draw.Pt(-0.06, -0.02))
	t.skis(f, l, t.thingInk())
	t.figure(f, who, at)
	t.pole(f, l, at.hands[1], draw.Pt(-0.26, 0))
	t.nearArm(f, who, at)
}

func (t *stage) eats(f, page draw.Frame, who person, at pose) {
	b := who.build()
	l := t.own()
	t.is(theThing, l)
	r := 0.125 / (0.35 + 0.65*b.scale)
	at.facing = 0
	hold := draw.Pt(b.shoulder+0.13, -b.neck+0.14)
	at.hands[1] = hold
	at.elbow[1] = -1
	t.figure(f, who, at)
	if t.dinner {
		at.hands[1] = draw.Pt(b.shoulder+0.12, -b.hip-0.10)
		t.nearArm(f, who, at)
		t.tableTop(page, 0.77)
		side := t.s().In(0.2, 0.26)
		x := (f.X - page.X) / page.XX
		if x > 0.5 {
			side = -side
		}
		v := draw.Pt(x+side, 0.78)
		t.dab(page, table, 0xfdfcf8, draw.Ellipse(v.Plus(draw.Pt(0, 0.012)), 0.17, 0.035))
		t.dab(page, table, 0xd8d4cc, draw.Ellipse(v.Plus(draw.Pt(0, 0.016)), 0.12, 0.02))
		t.meal(page, l, t.food, v.Plus(draw.Pt(0, -0.07)), 0.105)
		return
	}
	t.nearArm(f, who, at)
	t.meal(f, l, t.food, hold.Plus(draw.Pt(0.02, -r*0.85)), r)
	t.piece(f, who.body, who.skin, draw.Ellipse(hold, b.arm*1.1, b.arm*0.9))
}

func (t *stage) kites(f, page draw.Frame, who person, at pose) {
	b := who.build()
	l := t.own()
	t.is(theThing, l)
	at.hands[1] = draw.Pt(b.shoulder+0.19, -b.neck-0.06)
	at.elbow[1] = -1
	at.facing = 0.6
	v := draw.Pt(t.s().In(0.68, 0.8), t.s().In(0.2, 0.26))
	hand := f.At(at.hands[1])
	from := draw.Pt((hand.X-page.X)/page.XX, hand.Y/page.YY)
	t.dab(page, l, 0x5a4a4a, draw.Limb(0.003, 0.003, from, draw.Between(from, v, 0.5).Plus(draw.Pt(0.03, 0.03)), v))
	t.kite(page.Inside(v, 1.05, 0.25, 1), l, t.thingInk(), draw.Vec{})
	t.figure(f, who, at)
	t.nearArm(f, who, at)
}

func (t *stage) surfs(f draw.Frame, who person, at pose) {
	b := who.build()
	who.skirt = false
	l := t.own()
	t.is(theThing, l)
	at.hands[1] = draw.Pt(b.shoulder+0.14, -b.hip-0.04)
	t.surfboard(f.Inside(draw.Pt(b.shoulder+0.15, 0), 1.05, 0.06, 1), l, t.thingInk())
	t.figure(f, who, at)
	t.nearArm(f, who, at)
}

func (t *stage) rests(f draw.Frame, who person, at pose) {
	b := who.build()
	who.skirt = false
	l := t.own()
	t.is(theThing, l)
	g := f.Inside(draw.Vec{}, 1/b.scale, 0, 1)
	t.shadow(g, draw.Pt(0, 0), 0.55)
	t.bench(g, l)
	seat := -0.25 / b.scale
	at.hip = draw.Pt(-0.04, seat-0.03)
	at.neck = at.hip.Plus(draw.Pt(0, -(b.neck - b.hip)))
	at.head = at.neck.Plus(draw.Pt(0.02, -(b.head - b.neck)))
	at.hands = [2]draw.Vec{draw.Pt(-b.shoulder-0.05, seat-0.04), draw.Pt(0.16, seat-0.07)}
	at.feet = [2]draw.Vec{draw.Pt(0.14, -0.03), draw.Pt(0.22, -0.01)}
	at.knee, at.elbow = [2]float64{1, 1}, [2]float64{-1, -1}
	at.facing = 0.5
	t.figure(f, who, at)
	t.nearArm(f, who, at)
}

func (t *stage) plays(f draw.Frame, who person, at pose) {
	b := who.build()
	l := t.own()
	t.is(theThing, l)
	at.feet[1] = draw.Pt(0.21, -0.07)
	at.knee[1] = 1
	at.hands[0].X -= 0.06
	at.hands[0].Y -= 0.14
	at.hands[1].Y -= 0.12
	at.facing = 0.6
	r := 0.1 / b.scale
	t.shadow(f, draw.Pt(0.36+r*0.5, 0), r*0.9)
	t.figure(f, who, at)
	t.nearArm(f, who, at)
	t.ball(f, l, t.thingInk(), draw.Pt(0.33+r, -r), r)
}

func (t *stage) leads(f draw.Frame, who person, at pose) {
	b := who.build()
	at.feet = [2]draw.Vec{draw.Pt(-0.13, -0.02), draw.Pt(0.12, -0.02)}
	at.knee = [2]float64{1, 1}
	at.hands[1] = draw.Pt(b.shoulder+0.12, -b.hip-0.06)
	at.elbow[1] = -1
	at.facing = 0.9
	g := f.Inside(draw.Pt(0.62/b.scale, 0.02), 0.38/b.scale, 0, 1)
	t.shadow(g, draw.Pt(0, 0), 0.55)
	a := t.newAnimal(dog, t.coat, standing)
	t.is(theBeast, a.label)
	t.animal(g, a)
	neck := draw.Pt(0.62/b.scale+0.19/b.scale, -0.26/b.scale)
	t.figure(f, who, at)
	t.dab(f, a.label, 0x8a2c34, draw.Limb(0.009, 0.009, at.hands[1], draw.Between(at.hands[1], neck, 0.5).Plus(draw.Pt(0, 0.05)), neck))
	t.nearArm(f, who, at)
}

func (t *stage) rides(f draw.Frame, who person, at pose) {
	b := who.build()
	who.skirt = false
	g := f.Inside(draw.Vec{}, 0.80/b.scale, 0, 1)
	t.shadow(g, draw.Pt(0, 0), 0.55)
	a := t.newAnimal(horse, t.coat, standing)
	t.is(theBeast, a.label)
	t.animal(g, a)
	back := -0.70 / b.scale
	t.piece(f, a.label, 0x7a3c34, draw.Smooth(draw.Pt(-0.2, back-0.02), draw.Pt(0.12, back-0.04), draw.Pt(0.16, back+0.14), draw.Pt(-0.16, back+0.16)))
	at.hip = draw.Pt(-0.04, back-0.04)
	at.neck = at.hip.Plus(draw.Pt(0.04, -(b.neck - b.hip)))
	at.head = at.neck.Plus(draw.Pt(0.03, -(b.head - b.neck)))
	at.feet = [2]draw.Vec{draw.Pt(0.08, back+b.hip*0.75), draw.Pt(0.06, back+b.hip*0.8)}
	at.hands = [2]draw.Vec{draw.Pt(0.26, back-0.10), draw.Pt(0.25, back-0.08)}
	at.knee, at.elbow = [2]float64{1, 1}, [2]float64{-1, -1}
	at.facing = 1
	t.dab(f, a.label, 0x5a3a34, line(0.008, at.hands[1], draw.Pt(0.58/b.scale, -1.0/b.scale)))
	at.feet[0] = at.feet[1] // the far leg is behind the horse
	t.figure(f, who, at)
	t.nearArm(f, who, at)
}
