package scenes

import "gaze/pkg/data/internal/draw"

// setting paints where a scene is set.
type setting struct {
	*painter
	horizon float64 // height of the ground's far edge
	incline float64 // of a snow slope: how much it falls from left to right
}

var (
	blues  = []draw.RGB{0x9fcdec, 0x8cc0e8, 0xb4d8ee, 0xa8d0f0}
	meadow = []draw.RGB{0x8cc152, 0x7db548, 0x9bc55c, 0x86b856}
	walls  = []draw.RGB{0xf3e3c3, 0xdfe8e0, 0xf0dccc, 0xe6e0ee}
	houses = []draw.RGB{0xd9a284, 0xc9b79c, 0xb98c86, 0xe0c69a, 0xa9b2bc}
)

// newSetting decides on the lie of the land.
func newSetting(p *painter, plan plan) *setting {
	b := &setting{painter: p, horizon: 0.46 + p.s.Around(0.05)}
	switch {
	case plan.place == slope && plan.does == skiing:
		b.incline = p.s.In(0.22, 0.38)
	case plan.place == slope:
		b.incline = p.s.In(0.04, 0.12)
	case plan.place == kitchen:
		b.horizon = 0.66
	}
	return b
}

// floor is the height of the ground under x when y is in the middle.
func (b *setting) floor(x, y float64) float64 { return y + b.incline*(x-0.5) }

func (b *setting) draw(f draw.Frame, p plan) {
	switch p.place {
	case kitchen:
		b.kitchen(f)
	case slope:
		b.outside(f, p)
		b.snow(f, p)
	case street:
		b.outside(f, p)
		b.street(f, p)
	case beach:
		b.outside(f, p)
		b.beach(f)
	case park:
		b.outside(f, p)
		b.grass(f, p)
		b.path(f)
	default:
		b.outside(f, p)
		b.grass(f, p)
	}
}

// outside is the sky.
func (b *setting) outside(f draw.Frame, p plan) {
	c := draw.Pick(b.s, blues...)
	for i := range 6 { // paler towards the ground
		y := 0.12 + 0.09*float64(i)
		b.dab(f, sky, draw.Mix(c, 0xfff8ec, 30*i), draw.Rect(-1, y-0.12, 2, max(y, 0.9*float64(i/5))))
	}
	if p.sunny {
		at := draw.Pt(b.s.In(0.1, 0.25), b.s.In(0.1, 0.16))
		b.tint(f, 0, 0xfff2b0, 110, draw.Ellipse(at, 0.105, 0.105))
		b.dab(f, sky, 0xffdf5e, draw.Ellipse(at, 0.07, 0.07))
		return
	}
	for range 2 {
		at := draw.Pt(b.s.In(0.05, 0.95), b.s.In(0.08, 0.24))
		b.dab(f, sky, 0xfcfcfa, draw.Ellipse(at, 0.085, 0.04), draw.Ellipse(at.Plus(draw.Pt(-0.07, 0.015)), 0.06, 0.03), draw.Ellipse(at.Plus(draw.Pt(0.075, 0.012)), 0.06, 0.032))
	}
}

// grass is a meadow with hills behind it.
func (b *setting) grass(f draw.Frame, p plan) {
	h, c := b.horizon, draw.Pick(b.s, meadow...)
	b.dab(f, far, draw.Mix(c, 0xa4c8cc, 120), draw.Ellipse(draw.Pt(b.s.In(0, 1), h+0.12), 0.55, 0.25))
	b.dab(f, ground, c, draw.Smooth(draw.Pt(-0.3, h+0.02), draw.Pt(0.25, h-0.02), draw.Pt(0.7, h+0.015), draw.Pt(1.3, h-0.02), draw.Pt(1.3, 1.4), draw.Pt(-0.3, 1.4)))
	for i := range 3 {
		b.tint(f, draw.On(ground), c.Darker(60), 36, draw.Rect(-1, h+0.16+0.16*float64(i), 2, 2))
	}
	b.wood(f, p, h+0.02)
	for range 16 {
		at := draw.Pt(b.s.In(0, 1), b.s.In(h+0.08, 1))
		d := 0.03 * (0.4 + at.Y - h)
		b.dab(f, ground, c.Darker(70), []draw.Vec{at.Plus(draw.Pt(-d*0.5, -d)), at.Plus(draw.Pt(-d*0.1, 0)), at.Plus(draw.Pt(0, -d*1.5)), at.Plus(draw.Pt(d*0.15, 0)), at.Plus(draw.Pt(d*0.6, -d)), at.Plus(draw.Pt(d*0.3, d*0.2)), at.Plus(draw.Pt(-d*0.3, d*0.2))})
	}
	if p.place == field {
		for range 7 {
			at := draw.Pt(b.s.In(0, 1), b.s.In(h+0.1, 1))
			b.dab(f, ground, draw.Pick(b.s, draw.RGB(0xfdfbf2), 0xf9d8e4, 0xfff0a8), draw.Ellipse(at, 0.009, 0.008))
		}
	}
}

// wood is two trees, one at each side, if the plan has any.
func (b *setting) wood(f draw.Frame, p plan, foot float64) {
	if !p.tree {
		return
	}
	b.tree(f, draw.Pt(b.s.In(0.02, 0.10), foot+b.s.In(0.02, 0.06)), b.s.In(0.36, 0.46), p.place == slope)
	b.tree(f, draw.Pt(b.s.In(0.90, 0.98), foot+b.s.In(0, 0.04)), b.s.In(0.30, 0.40), p.place == slope)
}

func (b *setting) tree(f draw.Frame, at draw.Vec, size float64, fir bool) {
	g := f.Inside(at, size, 0, 1)
	leaf := draw.RGB(0x4c8c46).Vary(b.s, 24, 10)
	b.piece(g, trees, 0x7d5636, draw.Path(-0.05, 0, -0.035, -0.4, 0.035, -0.4, 0.05, 0))
	if fir {
		leaf = 0x3c7458
		b.piece(g, trees, leaf, draw.Path(-0.30, -0.18, 0, -0.6, 0.30, -0.18), draw.Path(-0.24, -0.42, 0, -0.82, 0.24, -0.42), draw.Path(-0.17, -0.66, 0, -1.02, 0.17, -0.66))
		b.dab(g, trees, 0xf4f8fa, draw.Path(-0.06, -0.92, 0, -1.02, 0.06, -0.92), draw.Path(-0.22, -0.28, -0.12, -0.34, -0.1, -0.24), draw.Path(0.08, -0.56, 0.14, -0.54, 0.1, -0.46))
		return
	}
	crown := [][]draw.Vec{draw.Ellipse(draw.Pt(0, -0.66), 0.28, 0.30), draw.Ellipse(draw.Pt(-0.19, -0.52), 0.19, 0.17), draw.Ellipse(draw.Pt(0.19, -0.52), 0.19, 0.17)}
	b.piece(g, trees, leaf, crown...)
	b.dab(g, trees, leaf.Lighter(50), draw.Ellipse(draw.Pt(-0.09, -0.75), 0.11, 0.09))
}

// path is what tells a park from a field: a way, a lawn cut short, a lamp.
func (b *setting) path(f draw.Frame) {
	h := b.horizon
	x := b.s.In(0.35, 0.65)
	way := draw.Limb(0.02, 0.17, draw.Pt(x, h), draw.Pt(x-0.05, h+0.1), draw.Pt(x+0.06, h+0.28), draw.Pt(x-0.04, 1.15))
	b.dab(f, road, 0xdcc8a0, way)
	b.tint(f, draw.On(road), 0xb09a74, 90, draw.Moved(way, draw.Pt(0.02, 0.3)))
	at := x + 0.2*b.s.Sign()
	g := f.Inside(draw.Pt(at, h+0.1), 0.36, 0, 1)
	b.dab(g, road, 0x3c4448, draw.Rect(-0.02, -1, 0.02, 0), draw.Ellipse(draw.Pt(0, 0), 0.07, 0.03))
	b.piece(g, road, 0xfff0b4, draw.Ellipse(draw.Pt(0, -1.05), 0.1, 0.1))
}

// snow is a slope before mountains.
func (b *setting) snow(f draw.Frame, p plan) {
	h := b.horizon
	x := b.s.In(0.1, 0.3)
	for i := range 3 {
		u := x + 0.36*float64(i)
		top := draw.Pt(u, b.s.In(0.14, 0.24))
		b.piece(f, far, 0x8296ae, []draw.Vec{top, draw.Pt(u+0.36, 0.75), draw.Pt(u-0.36, 0.75)})
		b.dab(f, far, 0xf6fafc, []draw.Vec{top, top.Plus(draw.Pt(0.085, 0.15)), top.Plus(draw.Pt(0.03, 0.11)), top.Plus(draw.Pt(-0.01, 0.16)), top.Plus(draw.Pt(-0.05, 0.11)), top.Plus(draw.Pt(-0.09, 0.16))})
	}
	edge := func(x float64) draw.Vec { return draw.Pt(x, b.floor(x, h)) }
	b.dab(f, ground, 0xf4f8fc, []draw.Vec{edge(-0.5), edge(1.5), draw.Pt(1.5, 1.5), draw.Pt(-0.5, 1.5)})
	for i := range 3 {
		d := draw.Pt(0, 0.12+0.15*float64(i))
		b.tint(f, draw.On(ground), 0xa8c4e0, 40, draw.Smooth(edge(-0.4).Plus(d), edge(0.3).Plus(d).Plus(draw.Pt(0, b.s.Around(0.05))), edge(1.4).Plus(d), draw.Pt(1.5, 1.5), draw.Pt(-0.5, 1.5)))
	}
	if p.tree {
		for _, x := range []float64{b.s.In(0.03, 0.09), b.s.In(0.91, 0.97)} {
			b.tree(f, draw.Pt(x, b.floor(x, h)+0.03), b.s.In(0.3, 0.4), true)
		}
	}
}

// street is a road with houses along it.
func (b *setting) street(f draw.Frame, p plan) {
	h := b.horizon + 0.1
	for i := range 4 {
		x := -0.04 + 0.28*float64(i)
		top := b.s.In(0.1, 0.24)
		c := draw.Pick(b.s, houses...)
		b.piece(f, far, c, draw.Rect(x, top, x+0.26, h+0.02))
		if b.s.Chance(0.5) {
			b.piece(f, far, 0x8c5048, draw.Path(x-0.01, top, x+0.13, top-0.1, x+0.27, top))
		}
		for j := range 6 {
			u, v := x+0.035+0.075*float64(j%3), top+0.04+0.11*float64(j/3)
			b.dab(f, far, c.Darker(70), draw.Rect(u-0.004, v-0.004, u+0.049, v+0.069))
			b.dab(f, far, 0xd4e6f0, draw.Rect(u, v, u+0.045, v+0.065))
		}
	}
	b.dab(f, ground, 0xc4c0b8, draw.Rect(-1, h, 2, h+0.07))
	b.wood(f, p, h)
	b.dab(f, ground, 0x8a8680, draw.Rect(-1, h+0.07, 2, h+0.085))
	b.dab(f, road, 0x74767c, draw.Rect(-1, h+0.085, 2, 2))
	b.tint(f, draw.On(road), 0x3c3c44, 30, draw.Rect(-1, h+0.26, 2, 2))
	for i := range 5 {
		x := 0.02 + 0.23*float64(i)
		b.dab(f, road, 0xf4f0e0, draw.Path(x, h+0.225, x+0.11, h+0.225, x+0.105, h+0.245, x-0.005, h+0.245))
	}
}

// beach is sand before the sea.
func (b *setting) beach(f draw.Frame) {
	h := b.horizon
	b.dab(f, far, 0x4aa0c4, draw.Rect(-1, h-0.10, 2, h+0.1))
	b.tint(f, draw.On(far), 0x2c78a8, 90, draw.Rect(-1, h-0.10, 2, h-0.03))
	for range 5 {
		at := draw.Pt(b.s.In(0, 1), b.s.In(h-0.07, h+0.01))
		b.dab(f, far, 0xd8f0f4, draw.Stroke(0.006, at.Plus(draw.Pt(-0.06, 0)), at, at.Plus(draw.Pt(0.06, 0))))
	}
	shore := func(y float64) []draw.Vec {
		return draw.Smooth(draw.Pt(-0.3, y), draw.Pt(0.1, y+0.012), draw.Pt(0.4, y-0.01), draw.Pt(0.75, y+0.014), draw.Pt(1.3, y), draw.Pt(1.3, 1.4), draw.Pt(-0.3, 1.4))
	}
	b.dab(f, far, 0xf4fafa, shore(h+0.02))
	sand := draw.RGB(0xf0d9a0).Vary(b.s, 10, 6)
	b.dab(f, ground, sand, shore(h+0.04))
	b.tint(f, draw.On(ground), 0xc8a468, 36, draw.Rect(-1, h+0.24, 2, 2))
	b.tint(f, draw.On(ground), 0xc8a468, 36, draw.Rect(-1, h+0.42, 2, 2))
	for range 24 {
		at := draw.Pt(b.s.In(0, 1), b.s.In(h+0.08, 1))
		b.dab(f, ground, sand.Darker(50), draw.Ellipse(at, 0.006, 0.004))
	}
}

// kitchen is a room with cupboards, a stove and a window.
func (b *setting) kitchen(f draw.Frame) {
	wall, wood := draw.Pick(b.s, walls...), draw.Pick(b.s, draw.RGB(0x8fb0a8), 0xc98f5c, 0xd8d0c0, 0x9ab0c8)
	h := b.horizon
	b.dab(f, room, wall, draw.Rect(-1, -1, 2, 2))
	x := b.s.In(0.36, 0.46)
	b.piece(f, room, 0xfcfaf4, draw.Rect(x-0.02, 0.06, x+0.24, 0.34))
	b.dab(f, room, 0xaed8ee, draw.Rect(x, 0.08, x+0.10, 0.32), draw.Rect(x+0.12, 0.08, x+0.22, 0.32))
	for _, u := range []float64{-0.02, 0.16, 0.74, 0.92} {
		if u > x-0.2 && u < x+0.24 {
			continue
		}
		b.piece(f, room, wood, draw.Rect(u, 0.04, u+0.165, 0.30))
		b.dab(f, room, wood.Darker(90), draw.Ellipse(draw.Pt(u+0.03, 0.25), 0.01, 0.01))
	}
	b.dab(f, room, 0xd2c4ac, draw.Rect(-1, h, 2, 2))
	for i := range 7 {
		u := float64(i)/6 - 0.02
		b.dab(f, room, 0xb8a890, line(0.003, draw.Pt(u, h), draw.Pt(0.5+(u-0.5)*1.9, 1.05)))
	}
	b.dab(f, room, 0xb8a890, draw.Rect(-1, h+0.1, 2, h+0.106), draw.Rect(-1, h+0.23, 2, h+0.237))
	b.piece(f, room, wood.Lighter(30), draw.Rect(-0.2, 0.47, 1.2, h))
	for i := range 6 {
		u := 0.01 + 0.17*float64(i)
		b.dab(f, room, wood.Darker(70), draw.Rect(u, 0.49, u+0.004, h))
		b.dab(f, room, wood.Darker(90), draw.Rect(u+0.06, 0.515, u+0.11, 0.525))
	}
	b.piece(f, room, 0xf0ece4, draw.Rect(-0.2, 0.445, 1.2, 0.475))
	b.piece(f, room, 0x55555e, draw.Rect(0.70, 0.38, 0.84, 0.447), line(0.01, draw.Pt(0.84, 0.40), draw.Pt(0.9, 0.38)))
	b.piece(f, room, 0xd8645c, draw.Ellipse(draw.Pt(0.14, 0.405), 0.045, 0.04))
}
