package scenes

import (
	"math"

	"gaze/pkg/data/internal/draw"
)

// bike paints a bicycle that goes to the right; its wheels touch the ground at
// y 0, a unit is the height of an adult.
func (p *painter) bike(f draw.Frame, l draw.Label, c draw.RGB) {
	const r = 0.19
	back, front := draw.Pt(-0.27, -r), draw.Pt(0.29, -r)
	for _, at := range []draw.Vec{back, front} {
		p.Fill(f, draw.Ink{Colour: 0x2c2a30, Label: l}, ring(at, r-0.015, 0.022)...)
		p.Fill(f, draw.Ink{Colour: 0xd8d8dc, Label: l}, ring(at, r-0.045, 0.007)...)
		for i := range 4 {
			y, x := math.Sincos(float64(i) * math.Pi / 4)
			d := draw.Pt(x*(r-0.03), y*(r-0.03))
			p.dab(f, l, 0xb8b8c0, line(0.004, at.Minus(d), at.Plus(d)))
		}
	}
	pedal, seat, steer := draw.Pt(-0.03, -r+0.01), draw.Pt(-0.12, -0.46), draw.Pt(0.22, -0.47)
	p.piece(f, l, c, line(0.02, back, pedal), line(0.02, pedal, seat), line(0.02, seat, back), line(0.02, pedal, steer), line(0.02, seat.Plus(draw.Pt(0.02, 0.07)), steer), line(0.022, front, steer.Plus(draw.Pt(-0.02, -0.05))))
	p.piece(f, l, 0x3a3034, draw.Turned(seat.Plus(draw.Pt(0, -0.02)), 0.085, 0.028, 0.05))
	p.dab(f, l, 0x3a3034, line(0.018, steer.Plus(draw.Pt(-0.02, -0.05)), steer.Plus(draw.Pt(0.07, -0.07))))
	p.piece(f, l, 0x77777f, draw.Ellipse(pedal, 0.04, 0.04))
}

// umbrella paints an open umbrella whose handle is at the origin.
func (p *painter) umbrella(f draw.Frame, l draw.Label, c draw.RGB) {
	p.dab(f, l, 0x54403a, line(0.013, draw.Pt(0, 0.04), draw.Pt(0, -0.52)))
	const n = 4
	const w = 0.40
	edge := make([]draw.Vec, 0, 40)
	for i := range n { // scallops, from right to left
		x := w - 2*w*float64(i)/n
		edge = append(edge, draw.Pt(x, -0.27), draw.Pt(x-w/n*0.5, -0.31), draw.Pt(x-w/n, -0.325), draw.Pt(x-w/n*1.5, -0.31))
	}
	edge = append(edge, draw.Pt(-w, -0.27))
	top := func(w float64) []draw.Vec {
		out := []draw.Vec{}
		for i := range 17 {
			y, x := math.Sincos(math.Pi * float64(i) / 16)
			out = append(out, draw.Pt(-x*w, -0.27-y*0.30))
		}
		return out
	}
	p.piece(f, l, c, append(top(w), edge...))
	for i, k := range []float64{0.52, 0} {
		tone := c.Darker(50)
		if i == 1 {
			tone = c.Lighter(60)
		}
		shape := append(top(w*max(k, 0.12)), draw.Pt(w*max(k, 0.12), -0.31), draw.Pt(-w*max(k, 0.12), -0.31))
		p.tint(f, draw.On(l), tone, 150, shape)
	}
	p.dab(f, l, 0x54403a, line(0.014, draw.Pt(0, -0.55), draw.Pt(0, -0.62)))
}

// skis paints a pair of skis that point to the right, standing at y 0.
func (p *painter) skis(f draw.Frame, l draw.Label, c draw.RGB) {
	for _, at := range draw.Path(0.06, -0.025, 0, 0.01) {
		p.piece(f, l, c, draw.Limb(0.017, 0.015, at.Plus(draw.Pt(-0.42, 0)), at.Plus(draw.Pt(0.05, 0.005)), at.Plus(draw.Pt(0.40, 0)), at.Plus(draw.Pt(0.50, -0.07))))
	}
}

// pole paints a ski pole from a hand.
func (p *painter) pole(f draw.Frame, l draw.Label, hand, tip draw.Vec) {
	p.dab(f, l, 0x3a3a44, line(0.011, hand, tip))
	p.dab(f, l, 0x3a3a44, draw.Ellipse(draw.Between(hand, tip, 0.92), 0.03, 0.014))
}

// kite paints a kite with its tail round v.
func (p *painter) kite(f draw.Frame, l draw.Label, c draw.RGB, v draw.Vec) {
	at := func(x, y float64) draw.Vec { return v.Plus(draw.Pt(x, y)) }
	tail := []draw.Vec{at(-0.02, 0.2), at(-0.08, 0.28), at(-0.02, 0.35), at(-0.09, 0.43)}
	p.dab(f, l, 0x5a4a4a, draw.Limb(0.008, 0.008, tail...))
	for _, t := range tail[1:] {
		p.dab(f, l, c.Darker(30), []draw.Vec{t, t.Plus(draw.Pt(-0.05, -0.03)), t.Plus(draw.Pt(-0.05, 0.03))}, []draw.Vec{t, t.Plus(draw.Pt(0.05, 0.03)), t.Plus(draw.Pt(0.05, -0.03))})
	}
	p.piece(f, l, c, []draw.Vec{at(0.03, -0.24), at(0.17, -0.05), at(-0.02, 0.2), at(-0.14, -0.07)})
	p.dab(f, l, c.Lighter(110), []draw.Vec{at(0.03, -0.22), at(0.155, -0.05), at(0.01, -0.06)}, []draw.Vec{at(-0.125, -0.07), at(0.01, -0.06), at(-0.02, 0.18)})
}

// surfboard paints a board that stands upright, its foot at the origin.
func (p *painter) surfboard(f draw.Frame, l draw.Label, c draw.RGB) {
	board := draw.Smooth(draw.Pt(0, -1.08), draw.Pt(0.105, -0.78), draw.Pt(0.125, -0.42), draw.Pt(0.085, -0.08), draw.Pt(0, 0), draw.Pt(-0.085, -0.08), draw.Pt(-0.125, -0.42), draw.Pt(-0.105, -0.78))
	p.piece(f, l, c, board)
	p.dab(f, l, 0xfaf4e6, line(0.014, draw.Pt(0, -1.0), draw.Pt(0, -0.05)))
	p.shade(f, l, board, 0.04)
}

// ball paints a ball with white panels round v.
func (p *painter) ball(f draw.Frame, l draw.Label, c draw.RGB, v draw.Vec, r float64) {
	p.piece(f, l, c, draw.Ellipse(v, r, r))
	p.tint(f, draw.On(l), 0xffffff, 230, draw.Smooth(v.Plus(draw.Pt(-r*0.9, -r*0.2)), v.Plus(draw.Pt(0, -r*0.32)), v.Plus(draw.Pt(r*0.9, -r*0.2)), v.Plus(draw.Pt(r*0.9, r*0.2)), v.Plus(draw.Pt(0, r*0.12)), v.Plus(draw.Pt(-r*0.9, r*0.2))))
	p.shade(f, l, draw.Ellipse(v, r, r), r*0.4)
}

// bench paints a bench seen from the front; its feet stand at y 0.
func (p *painter) bench(f draw.Frame, l draw.Label) {
	const wood, iron = 0xa9713f, 0x4a4448
	for _, x := range []float64{-0.42, 0.42} {
		p.dab(f, l, iron, draw.Rect(x-0.025, -0.62, x+0.025, 0))
	}
	for _, y := range []float64{-0.62, -0.50, -0.38} {
		p.piece(f, l, wood, draw.Rect(-0.52, y, 0.52, y+0.085))
	}
	p.piece(f, l, draw.RGB(wood).Lighter(40), draw.Path(-0.52, -0.28, 0.52, -0.28, 0.56, -0.19, -0.56, -0.19))
}

// meal paints food round v, r being its size.
func (p *painter) meal(f draw.Frame, l draw.Label, kind food, v draw.Vec, r float64) {
	at := func(x, y float64) draw.Vec { return v.Plus(draw.Pt(x*r, y*r)) }
	switch kind {
	case pizza:
		p.piece(f, l, 0xf4c542, []draw.Vec{at(-0.95, -0.55), at(0.95, -0.55), at(0, 1.05)})
		p.piece(f, l, 0xc98440, draw.Limb(0.24*r, 0.24*r, at(-1, -0.62), at(0, -0.8), at(1, -0.62)))
		for _, d := range draw.Path(-0.36, -0.22, 0.34, -0.18, 0, 0.32) {
			p.dab(f, l, 0xc8332a, draw.Ellipse(at(d.X, d.Y), 0.21*r, 0.2*r))
		}
	case sandwich:
		p.piece(f, l, 0xd9a05c, draw.Smooth(at(-1, 0.2), at(1, 0.2), at(1.02, 0.62), at(-1.02, 0.62)))
		p.piece(f, l, 0x5cae3e, draw.Limb(0.17*r, 0.17*r, at(-1.15, 0.14), at(-0.6, 0.24), at(0, 0.1), at(0.6, 0.24), at(1.15, 0.12)))
		p.dab(f, l, 0xd8403a, draw.Rect(v.X-0.95*r, v.Y-0.12*r, v.X+0.95*r, v.Y+0.08*r))
		p.piece(f, l, 0xe2ad68, draw.Smooth(at(-1.04, -0.05), at(-0.9, -0.62), at(0, -0.85), at(0.9, -0.62), at(1.04, -0.05)))
	default:
		p.piece(f, l, 0xf6ddb0, draw.Rect(v.X-0.85*r, v.Y-0.3*r, v.X+0.85*r, v.Y+0.75*r))
		p.dab(f, l, 0xe58aa6, draw.Rect(v.X-0.85*r, v.Y+0.12*r, v.X+0.85*r, v.Y+0.34*r))
		p.piece(f, l, 0xf09ab4, draw.Smooth(at(-0.95, -0.38), at(0, -0.56), at(0.95, -0.38), at(0.9, 0.06), at(0.45, -0.12), at(0, 0.1), at(-0.45, -0.12), at(-0.9, 0.06)))
		p.piece(f, l, 0xd8342c, draw.Ellipse(at(0, -0.72), 0.26*r, 0.26*r))
	}
}

// tableTop paints a table across the picture's front.
func (p *painter) tableTop(f draw.Frame, y float64) {
	const cloth = 0xb07a4a
	p.piece(f, table, cloth, draw.Rect(-0.1, y, 1.1, y+0.06))
	p.dab(f, table, draw.RGB(cloth).Darker(50), draw.Rect(-0.1, y+0.06, 1.1, 1.1))
	p.dab(f, table, draw.RGB(cloth).Lighter(60), draw.Rect(-0.1, y+0.004, 1.1, y+0.014))
	for _, x := range []float64{0.12, 0.5, 0.88} {
		p.dab(f, table, draw.RGB(cloth).Darker(90), draw.Rect(x-0.004, y+0.06, x+0.004, 1.1))
	}
}
