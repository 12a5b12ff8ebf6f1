package pets

import "gaze/pkg/data/internal/draw"

// mostHidden is the share of the head that something in front may hide, and
// mostCovered the share of the whole animal.
const (
	mostHidden  = 0.25
	mostCovered = 0.35
)

// occlude puts one thing in front of the animal where it hides some of it, but
// neither too much of it nor of its head. It gives up after a few tries.
func (b *setting) occlude(f draw.Frame) {
	if place, known := b.place(); known {
		for try := range place + 1 {
			if shapes, colours := b.thing(); try == place {
				b.put(f, shapes, colours)
			}
		}
		return
	}
	face, animal := b.Area(headParts), b.Area(animalParts)
	for try := range 6 {
		shapes, colours := b.thing()
		outline := shapes[:1]
		hidden := b.Count(f, animalParts, outline...)
		if hidden < animal/50 || float64(hidden) > mostCovered*float64(animal) {
			continue
		}
		if float64(b.Count(f, headParts, outline...)) > mostHidden*float64(face) {
			continue
		}
		b.put(f, shapes, colours)
		b.placed(try)
		return
	}
}

// put paints a thing.
func (b *setting) put(f draw.Frame, shapes [][]draw.Vec, colours []draw.RGB) {
	defer b.begin(Occluder)()
	for i, shape := range shapes {
		b.paint(f, colours[i], shape)
	}
}

// thing returns a ball, a cushion, a post, a bush or a twig somewhere: shapes
// that lie within the first.
func (b *setting) thing() ([][]draw.Vec, []draw.RGB) {
	c := b.tone(things)
	x, y := b.s.In(0.1, 0.9), b.s.In(0.6, 1)
	r := b.s.In(0.09, 0.17)
	switch b.s.Below(5) {
	case 0:
		at := draw.Pt(x, y)
		return [][]draw.Vec{draw.Ellipse(at, r, r), draw.Turned(at, r*0.97, r*0.35, b.s.In(0, 3)), draw.Ellipse(at.Plus(draw.Pt(-r*0.35, -r*0.4)), r*0.22, r*0.16)},
			[]draw.RGB{c, c.Darker(60), c.Lighter(120)}
	case 1:
		at := draw.Pt(x, y+0.05)
		in := draw.Smooth(at.Plus(draw.Pt(-r*1.2, -r)), at.Plus(draw.Pt(0, -r*0.8)), at.Plus(draw.Pt(r*1.2, -r)), at.Plus(draw.Pt(r, 0)), at.Plus(draw.Pt(r*1.2, r)), at.Plus(draw.Pt(0, r*0.8)), at.Plus(draw.Pt(-r*1.2, r)), at.Plus(draw.Pt(-r, 0)))
		return [][]draw.Vec{in, draw.Grown(in, -r*0.2)}, []draw.RGB{c.Darker(36), c}
	case 2:
		w := r * 0.32
		return [][]draw.Vec{draw.Rect(x-w, -0.1, x+w, 1.1), draw.Rect(x-w, -0.1, x-w*0.4, 1.1)}, []draw.RGB{c, c.Lighter(50)}
	case 3:
		leaf := b.tone(greens).Darker(46)
		at := draw.Pt(x, 1.02)
		out := draw.Bumps(draw.Ellipse(at, r*1.6, r*1.3), r*0.5, r*0.16, curlyTooth)
		return [][]draw.Vec{out, draw.Bumps(draw.Ellipse(at.Plus(draw.Pt(-r*0.3, -r*0.2)), r*0.9, r*0.7), r*0.5, r*0.12, curlyTooth)}, []draw.RGB{leaf, leaf.Lighter(26)}
	}
	side := float64(b.s.Below(2))
	from, to := draw.Pt(side, b.s.In(0.3, 1)), draw.Pt(0.5, b.s.In(0.3, 0.9))
	leaf := b.tone(greens).Darker(70)
	return [][]draw.Vec{draw.Stroke(r*0.36, from, draw.Between(from, to, 0.5).Plus(draw.Pt(0, -0.05)), to), draw.Stroke(r*0.05, from, draw.Between(from, to, 0.5).Plus(draw.Pt(0, -0.05)), to)},
		[]draw.RGB{leaf, leaf.Lighter(60)}
}
