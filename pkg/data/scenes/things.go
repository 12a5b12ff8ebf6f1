package scenes

import "math"

// bike paints a bicycle that goes to the right; its wheels touch the ground at
// y 0, a unit is the height of an adult.
func (p *painter) bike(f frame, l label, c rgb) {
	const r = 0.19
	back, front := vec{-0.27, -r}, vec{0.29, -r}
	for _, at := range []vec{back, front} {
		p.fill(f, ink{colour: 0x2c2a30, label: l}, ring(at, r-0.015, 0.022)...)
		p.fill(f, ink{colour: 0xd8d8dc, label: l}, ring(at, r-0.045, 0.007)...)
		for i := range 4 {
			y, x := math.Sincos(float64(i) * math.Pi / 4)
			d := vec{x * (r - 0.03), y * (r - 0.03)}
			p.dab(f, l, 0xb8b8c0, line(0.004, at.minus(d), at.plus(d)))
		}
	}
	pedal, seat, steer := vec{-0.03, -r + 0.01}, vec{-0.12, -0.46}, vec{0.22, -0.47}
	p.piece(f, l, c, line(0.02, back, pedal), line(0.02, pedal, seat), line(0.02, seat, back), line(0.02, pedal, steer), line(0.02, seat.plus(vec{0.02, 0.07}), steer), line(0.022, front, steer.plus(vec{-0.02, -0.05})))
	p.piece(f, l, 0x3a3034, turned(seat.plus(vec{0, -0.02}), 0.085, 0.028, 0.05))
	p.dab(f, l, 0x3a3034, line(0.018, steer.plus(vec{-0.02, -0.05}), steer.plus(vec{0.07, -0.07})))
	p.piece(f, l, 0x77777f, ellipse(pedal, 0.04, 0.04))
}

// umbrella paints an open umbrella whose handle is at the origin.
func (p *painter) umbrella(f frame, l label, c rgb) {
	p.dab(f, l, 0x54403a, line(0.013, vec{0, 0.04}, vec{0, -0.52}))
	const n = 4
	const w = 0.40
	edge := make([]vec, 0, 40)
	for i := range n { // scallops, from right to left
		x := w - 2*w*float64(i)/n
		edge = append(edge, vec{x, -0.27}, vec{x - w/n*0.5, -0.31}, vec{x - w/n, -0.325}, vec{x - w/n*1.5, -0.31})
	}
	edge = append(edge, vec{-w, -0.27})
	top := func(w float64) []vec {
		out := []vec{}
		for i := range 17 {
			y, x := math.Sincos(math.Pi * float64(i) / 16)
			out = append(out, vec{-x * w, -0.27 - y*0.30})
		}
		return out
	}
	p.piece(f, l, c, append(top(w), edge...))
	for i, k := range []float64{0.52, 0} {
		tone := c.darker(50)
		if i == 1 {
			tone = c.lighter(60)
		}
		shape := append(top(w*max(k, 0.12)), vec{w * max(k, 0.12), -0.31}, vec{-w * max(k, 0.12), -0.31})
		p.tint(f, on(l), tone, 150, shape)
	}
	p.dab(f, l, 0x54403a, line(0.014, vec{0, -0.55}, vec{0, -0.62}))
}

// skis paints a pair of skis that point to the right, standing at y 0.
func (p *painter) skis(f frame, l label, c rgb) {
	for _, at := range []vec{{0.06, -0.025}, {0, 0.01}} {
		p.piece(f, l, c, limb(0.017, 0.015, at.plus(vec{-0.42, 0}), at.plus(vec{0.05, 0.005}), at.plus(vec{0.40, 0}), at.plus(vec{0.50, -0.07})))
	}
}

// pole paints a ski pole from a hand.
func (p *painter) pole(f frame, l label, hand, tip vec) {
	p.dab(f, l, 0x3a3a44, line(0.011, hand, tip))
	p.dab(f, l, 0x3a3a44, ellipse(between(hand, tip, 0.92), 0.03, 0.014))
}

// kite paints a kite with its tail round v.
func (p *painter) kite(f frame, l label, c rgb, v vec) {
	at := func(x, y float64) vec { return v.plus(vec{x, y}) }
	tail := []vec{at(-0.02, 0.2), at(-0.08, 0.28), at(-0.02, 0.35), at(-0.09, 0.43)}
	p.dab(f, l, 0x5a4a4a, limb(0.008, 0.008, tail...))
	for _, t := range tail[1:] {
		p.dab(f, l, c.darker(30), []vec{t, t.plus(vec{-0.05, -0.03}), t.plus(vec{-0.05, 0.03})}, []vec{t, t.plus(vec{0.05, 0.03}), t.plus(vec{0.05, -0.03})})
	}
	p.piece(f, l, c, []vec{at(0.03, -0.24), at(0.17, -0.05), at(-0.02, 0.2), at(-0.14, -0.07)})
	p.dab(f, l, c.lighter(110), []vec{at(0.03, -0.22), at(0.155, -0.05), at(0.01, -0.06)}, []vec{at(-0.125, -0.07), at(0.01, -0.06), at(-0.02, 0.18)})
}

// surfboard paints a board that stands upright, its foot at the origin.
func (p *painter) surfboard(f frame, l label, c rgb) {
	board := smooth(vec{0, -1.08}, vec{0.105, -0.78}, vec{0.125, -0.42}, vec{0.085, -0.08}, vec{0, 0}, vec{-0.085, -0.08}, vec{-0.125, -0.42}, vec{-0.105, -0.78})
	p.piece(f, l, c, board)
	p.dab(f, l, 0xfaf4e6, line(0.014, vec{0, -1.0}, vec{0, -0.05}))
	p.shade(f, l, board, 0.04)
}

// ball paints a ball with white panels round v.
func (p *painter) ball(f frame, l label, c rgb, v vec, r float64) {
	p.piece(f, l, c, ellipse(v, r, r))
	p.tint(f, on(l), 0xffffff, 230, smooth(v.plus(vec{-r * 0.9, -r * 0.2}), v.plus(vec{0, -r * 0.32}), v.plus(vec{r * 0.9, -r * 0.2}), v.plus(vec{r * 0.9, r * 0.2}), v.plus(vec{0, r * 0.12}), v.plus(vec{-r * 0.9, r * 0.2})))
	p.shade(f, l, ellipse(v, r, r), r*0.4)
}

// bench paints a bench seen from the front; its feet stand at y 0.
func (p *painter) bench(f frame, l label) {
	const wood, iron = 0xa9713f, 0x4a4448
	for _, x := range []float64{-0.42, 0.42} {
		p.dab(f, l, iron, rect(x-0.025, -0.62, x+0.025, 0))
	}
	for _, y := range []float64{-0.62, -0.50, -0.38} {
		p.piece(f, l, wood, rect(-0.52, y, 0.52, y+0.085))
	}
	p.piece(f, l, rgb(wood).lighter(40), []vec{{-0.52, -0.28}, {0.52, -0.28}, {0.56, -0.19}, {-0.56, -0.19}})
}

// meal paints food round v, r being its size.
func (p *painter) meal(f frame, l label, kind food, v vec, r float64) {
	at := func(x, y float64) vec { return v.plus(vec{x * r, y * r}) }
	switch kind {
	case pizza:
		p.piece(f, l, 0xf4c542, []vec{at(-0.95, -0.55), at(0.95, -0.55), at(0, 1.05)})
		p.piece(f, l, 0xc98440, limb(0.24*r, 0.24*r, at(-1, -0.62), at(0, -0.8), at(1, -0.62)))
		for _, d := range []vec{{-0.36, -0.22}, {0.34, -0.18}, {0, 0.32}} {
			p.dab(f, l, 0xc8332a, ellipse(at(d.x, d.y), 0.21*r, 0.2*r))
		}
	case sandwich:
		p.piece(f, l, 0xd9a05c, smooth(at(-1, 0.2), at(1, 0.2), at(1.02, 0.62), at(-1.02, 0.62)))
		p.piece(f, l, 0x5cae3e, limb(0.17*r, 0.17*r, at(-1.15, 0.14), at(-0.6, 0.24), at(0, 0.1), at(0.6, 0.24), at(1.15, 0.12)))
		p.dab(f, l, 0xd8403a, rect(v.x-0.95*r, v.y-0.12*r, v.x+0.95*r, v.y+0.08*r))
		p.piece(f, l, 0xe2ad68, smooth(at(-1.04, -0.05), at(-0.9, -0.62), at(0, -0.85), at(0.9, -0.62), at(1.04, -0.05)))
	default:
		p.piece(f, l, 0xf6ddb0, rect(v.x-0.85*r, v.y-0.3*r, v.x+0.85*r, v.y+0.75*r))
		p.dab(f, l, 0xe58aa6, rect(v.x-0.85*r, v.y+0.12*r, v.x+0.85*r, v.y+0.34*r))
		p.piece(f, l, 0xf09ab4, smooth(at(-0.95, -0.38), at(0, -0.56), at(0.95, -0.38), at(0.9, 0.06), at(0.45, -0.12), at(0, 0.1), at(-0.45, -0.12), at(-0.9, 0.06)))
		p.piece(f, l, 0xd8342c, ellipse(at(0, -0.72), 0.26*r, 0.26*r))
	}
}

// tableTop paints a table across the picture's front.
func (p *painter) tableTop(f frame, y float64) {
	const cloth = 0xb07a4a
	p.piece(f, table, cloth, rect(-0.1, y, 1.1, y+0.06))
	p.dab(f, table, rgb(cloth).darker(50), rect(-0.1, y+0.06, 1.1, 1.1))
	p.dab(f, table, rgb(cloth).lighter(60), rect(-0.1, y+0.004, 1.1, y+0.014))
	for _, x := range []float64{0.12, 0.5, 0.88} {
		p.dab(f, table, rgb(cloth).darker(90), rect(x-0.004, y+0.06, x+0.004, 1.1))
	}
}
