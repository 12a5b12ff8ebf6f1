package pets

// mostHidden is the share of the head that something in front may hide, and
// mostCovered the share of the whole animal.
const (
	mostHidden  = 0.25
	mostCovered = 0.35
)

// occlude puts one thing in front of the animal where it hides some of it, but
// neither too much of it nor of its head. It gives up after a few tries.
func (b *setting) occlude(f frame) {
	face, animal := b.area(headParts), b.area(animalParts)
	for range 6 {
		shapes, colours := b.thing()
		outline := shapes[:1]
		hidden := b.count(f, animalParts, outline...)
		if hidden < animal/50 || float64(hidden) > mostCovered*float64(animal) {
			continue
		}
		if float64(b.count(f, headParts, outline...)) > mostHidden*float64(face) {
			continue
		}
		for i, shape := range shapes {
			b.paint(f, colours[i], shape)
		}
		return
	}
}

// thing returns a ball, a cushion, a post, a bush or a twig somewhere: shapes
// that lie within the first.
func (b *setting) thing() ([][]vec, []rgb) {
	c := b.tone(things)
	x, y := b.s.in(0.1, 0.9), b.s.in(0.6, 1)
	r := b.s.in(0.09, 0.17)
	switch b.s.below(5) {
	case 0:
		at := vec{x, y}
		return [][]vec{ellipse(at, r, r), turned(at, r*0.97, r*0.35, b.s.in(0, 3)), ellipse(at.plus(vec{-r * 0.35, -r * 0.4}), r*0.22, r*0.16)},
			[]rgb{c, c.darker(60), c.lighter(120)}
	case 1:
		at := vec{x, y + 0.05}
		in := smooth(at.plus(vec{-r * 1.2, -r}), at.plus(vec{0, -r * 0.8}), at.plus(vec{r * 1.2, -r}), at.plus(vec{r, 0}), at.plus(vec{r * 1.2, r}), at.plus(vec{0, r * 0.8}), at.plus(vec{-r * 1.2, r}), at.plus(vec{-r, 0}))
		return [][]vec{in, grown(in, -r*0.2)}, []rgb{c.darker(36), c}
	case 2:
		w := r * 0.32
		return [][]vec{rect(x-w, -0.1, x+w, 1.1), rect(x-w, -0.1, x-w*0.4, 1.1)}, []rgb{c, c.lighter(50)}
	case 3:
		leaf := b.tone(greens).darker(46)
		at := vec{x, 1.02}
		out := bumps(ellipse(at, r*1.6, r*1.3), r*0.5, r*0.16, curlyTooth)
		return [][]vec{out, bumps(ellipse(at.plus(vec{-r * 0.3, -r * 0.2}), r*0.9, r*0.7), r*0.5, r*0.12, curlyTooth)}, []rgb{leaf, leaf.lighter(26)}
	}
	side := float64(b.s.below(2))
	from, to := vec{side, b.s.in(0.3, 1)}, vec{0.5, b.s.in(0.3, 0.9)}
	leaf := b.tone(greens).darker(70)
	return [][]vec{stroke(r*0.36, from, between(from, to, 0.5).plus(vec{0, -0.05}), to), stroke(r*0.05, from, between(from, to, 0.5).plus(vec{0, -0.05}), to)},
		[]rgb{leaf, leaf.lighter(60)}
}
