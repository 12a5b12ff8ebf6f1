package pets

import "math"

// The right halves of the heads' outlines, from the top to the chin; the head
// is about 1 in radius.
var skulls = [][]vec{
	RoundSkull:  {{0, -.92}, {.5, -.83}, {.9, -.42}, {1.02, .1}, {.84, .58}, {.44, .86}, {0, .94}},
	WedgeSkull:  {{0, -.84}, {.52, -.8}, {.94, -.46}, {.92, -.02}, {.62, .46}, {.3, .84}, {0, .98}},
	SquareSkull: {{0, -.8}, {.56, -.82}, {.9, -.58}, {.94, 0}, {.94, .52}, {.62, .84}, {0, .88}},
	LongSkull:   {{0, -1.02}, {.42, -.92}, {.7, -.5}, {.74, .05}, {.62, .6}, {.4, 1}, {0, 1.12}},
}

// turn returns where a point of the face, depth in front of the head's
// middle, is seen on the turned head.
func (a *artist) turn(x, y, depth float64) vec {
	s, c := math.Sincos(a.yaw)
	return vec{float64(x*c) + float64(depth*s), y + float64(a.pitch*depth)}
}

// foreshort is how much narrower something at x on the face looks.
func (a *artist) foreshort(x float64) float64 {
	s, c := math.Sincos(a.yaw)
	return min(max(c-float64(0.7*x*s), 0.5), 1.1)
}

// drawHead paints a head of radius 1 in the frame.
func (a *artist) drawHead(f frame) {
	half := skulls[a.Skull]
	var points []vec
	lean := float64(0.1 * math.Sin(a.yaw))
	for i := range 2*len(half) - 2 {
		v, flip := half[min(i, 2*len(half)-2-i)], 1.0
		if i >= len(half) {
			flip = -1
		}
		points = append(points, vec{v.x*flip + float64(lean*(v.y+0.2)), v.y})
	}
	bare := smooth(points...)
	skull := a.furred(bare, 1)
	if a.Fur == Maned {
		a.mane(f, bare)
	}
	a.backEars(f)
	a.piece(f, head, a.coat, skull)
	a.headMarks(f)
	a.shade(f, on(head), skull, 0.22)
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
func (a *artist) mane(f frame, skull []vec) {
	ruff := moved(scaled(skull, 1.24, 1.2), vec{0, 0.2})
	ruff = bumps(ruff, 0.42, 0.2, shaggyTooth)
	colour := a.coat.darker(46)
	if a.Pattern == Pointed || a.Pattern == Saddled {
		colour = a.mark
	}
	if a.Pattern == Tuxedo {
		colour = mix(a.coat, a.mark, 120)
	}
	a.piece(f, chest, colour, ruff)
	a.shade(f, on(chest), ruff, 0.2)
}

// scaled returns the shape wider and higher.
func scaled(shape []vec, kx, ky float64) []vec {
	out := make([]vec, len(shape))
	for i, v := range shape {
		out[i] = vec{float64(v.x * kx), float64(v.y * ky)}
	}
	return out
}

// wrinkles paints folds of skin on the brow and beside the muzzle.
func (a *artist) wrinkles(f frame) {
	dark := a.coat.darker(100)
	for i := range 3 {
		y := -0.66 + 0.13*float64(i)
		w := 0.3 + 0.06*float64(i)
		a.paint(f, on(head), dark, stroke(0.024, a.turn(-w, y-0.03, 0.7), a.turn(0, y+0.05, 0.8), a.turn(w, y-0.03, 0.7)))
	}
	for _, side := range []float64{-1, 1} {
		a.paint(f, on(head), dark, stroke(0.024, a.turn(side*0.62, 0.12, 0.6), a.turn(side*0.78, 0.4, 0.5), a.turn(side*0.6, 0.66, 0.5)))
		a.paint(f, on(head), dark, stroke(0.022, a.turn(side*0.74, 0, 0.5), a.turn(side*0.9, 0.32, 0.3), a.turn(side*0.78, 0.6, 0.3)))
	}
}

// fringe paints locks that fall over the brow.
func (a *artist) fringe(f frame) {
	colour := a.coat.lighter(30)
	if a.Pattern == Saddled {
		colour = a.mark.lighter(24)
	}
	if a.Fur == Curly {
		for _, x := range []float64{-0.34, 0.34, 0} {
			at := a.turn(x, -0.78-0.1*(1-math.Abs(x)*2), 0.3)
			a.piece(f, head, colour, turned(at, 0.28, 0.24, x))
		}
		return
	}
	for _, x := range []float64{-0.4, -0.2, 0.2, 0.4, 0} {
		lock := []vec{a.turn(x*0.5-0.11, -0.98, 0.3), a.turn(x*0.5+0.11, -0.98, 0.3), a.turn(x+0.08, -0.62, 0.6), a.turn(x*1.15, -0.34, 0.75), a.turn(x-0.1, -0.6, 0.6)}
		a.piece(f, head, colour, smooth(lock...))
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

// muzzleColour is the coat's colour there.
func (a *artist) muzzleColour() rgb {
	switch a.Pattern {
	case Pointed, Tuxedo:
		return a.mark
	case Plain, Saddled, Goggled:
		return a.coat.lighter(70)
	}
	return a.coat.lighter(110)
}

func (a *artist) drawMuzzle(f frame) {
	m := muzzles[a.Muzzle]
	colour := a.muzzleColour()
	tip := a.turn(0, m.y, 0.84+m.out)
	tip.y += float64(0.2 * m.out)
	shape := [][]vec{ellipse(tip, m.rx*0.98, m.ry)}
	switch a.Muzzle {
	case JowlyMuzzle:
		shape = [][]vec{
			turned(tip.plus(vec{-0.27, 0.1}), 0.36, m.ry, 0.25), turned(tip.plus(vec{0.27, 0.1}), 0.36, m.ry, -0.25),
			ellipse(tip.plus(vec{0, -0.1}), 0.36, 0.28),
		}
	case LongMuzzle, FoxMuzzle: // a bridge from between the eyes
		bridge := limb(m.rx*0.62, m.rx*0.9, a.turn(0, -0.12, 0.8), between(a.turn(0, 0.1, 0.85), tip, 0.5), tip)
		shape = append(shape, bridge)
	case FlatMuzzle:
		shape = [][]vec{ellipse(tip.plus(vec{-0.18, 0.05}), 0.25, m.ry*0.85), ellipse(tip.plus(vec{0.18, 0.05}), 0.25, m.ry*0.85)}
	}
	chin := tip.plus(vec{0, m.ry * 0.86})
	a.pieceIn(f, muzzle, colour.darker(24), a.coat.darker(110), ellipse(chin, m.rx*0.5, 0.15))
	a.pieceIn(f, muzzle, colour, mix(colour, a.coat.darker(90), 200), shape...)
	a.shade(f, on(muzzle), shape[0], 0.1)
	a.muzzleMarks(f, tip, m)
	a.drawNose(f, tip, m)
	if a.Muzzle == FlatMuzzle || a.Muzzle == ShortMuzzle || a.Muzzle == FoxMuzzle {
		a.whiskers(f, tip, m)
	}
}

// muzzleMarks lets half-faced and goggled markings run down the muzzle.
func (a *artist) muzzleMarks(f frame, tip vec, m shapeOfMuzzle) {
	switch {
	case a.Pattern == Spotted || a.Pattern == Speckled:
		for _, x := range []float64{-1, 1} {
			for i := range 3 {
				at := tip.plus(vec{x * m.rx * (0.45 + 0.16*float64(i%2)), m.ry * (0.02 + 0.2*float64(i))})
				a.paint(f, on(muzzle), a.coat.darker(140), ellipse(at, 0.026, 0.026))
			}
		}
	case a.Pattern == HalfFaced:
		a.paint(f, on(muzzle), a.mark, rect(tip.x, -1, tip.x+2, 2))
	}
}

func (a *artist) drawNose(f frame, tip vec, m shapeOfMuzzle) {
	dark := rgb(0x3c3236)
	if a.EyeColour == BlueEyes || a.Coat == White && a.Pattern != Pointed {
		dark = 0xb06c70
	}
	if a.muzzleColour().luma() < 110 {
		dark = dark.darker(120)
	}
	top := tip.y - m.ry*0.62
	if a.Muzzle == LongMuzzle || a.Muzzle == FoxMuzzle {
		top = tip.y - m.ry*0.2
	}
	n := m.nose
	w, h := n*1.15, n*0.9
	mouth := a.coat.darker(170)
	low := top + h*1.9
	line := 0.028
	a.fill(f, ink{colour: mouth, part: face}, stroke(line, vec{tip.x, top + h}, vec{tip.x, (top + low) / 2}, vec{tip.x, low}))
	for _, side := range []float64{-1, 1} {
		a.fill(f, ink{colour: mouth, part: face},
			stroke(line, vec{tip.x, low}, vec{tip.x + side*m.rx*0.28, low + 0.09}, vec{tip.x + side*m.rx*0.58, low + 0.01}))
	}
	a.fill(f, ink{colour: dark, part: face}, smooth(
		vec{tip.x - w, top - h*0.3}, vec{tip.x - w*0.4, top - h*0.7}, vec{tip.x + w*0.4, top - h*0.7}, vec{tip.x + w, top - h*0.3},
		vec{tip.x + w*0.55, top + h*0.55}, vec{tip.x, top + h}, vec{tip.x - w*0.55, top + h*0.55}))
	a.fill(f, ink{colour: dark.lighter(110), part: face}, ellipse(vec{tip.x - w*0.3, top - h*0.25}, w*0.28, h*0.18))
}

func (a *artist) whiskers(f frame, tip vec, m shapeOfMuzzle) {
	colour := mix(a.coat.lighter(150), 0x80787c, 90)
	for _, side := range []float64{-1, 1} {
		for i := range 3 {
			y := m.ry * (0.1 + 0.2*float64(i))
			from := tip.plus(vec{side * m.rx * 0.6, y})
			to := tip.plus(vec{side * (m.rx + 0.62), y - 0.2 + 0.2*float64(i)})
			a.fill(f, ink{colour: colour, part: face}, stroke(0.013, from, between(from, to, 0.5).plus(vec{0, -0.05}), to))
		}
	}
}
