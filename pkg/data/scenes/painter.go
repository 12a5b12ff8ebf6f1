package scenes

import "math"

// painter paints persons, animals and things.
type painter struct {
	*canvas
	s    *stream
	next label   // the next free one
	line float64 // width of the outlines in samples
}

// own returns a label that nothing else has.
func (p *painter) own() label {
	p.next++
	return p.next - 1
}

// piece paints shapes as one, with a darker outline round them; black ones have
// a paler one, so that one animal stands out from the next.
func (p *painter) piece(f frame, l label, c rgb, shapes ...[]vec) {
	w := p.line / f.size()
	wide := make([][]vec, len(shapes))
	for i, shape := range shapes {
		if turning(shape) < 0 {
			shapes[i] = reversed(shape)
		}
		wide[i] = grown(shapes[i], w)
	}
	edge := c.darker(150)
	if r, g, b := c.channels(); r+g+b < 220 {
		edge = c.lighter(60)
	}
	p.fill(f, ink{colour: edge, label: l}, wide...)
	p.fill(f, ink{colour: c, label: l}, shapes...)
}

// dab paints shapes without an outline.
func (p *painter) dab(f frame, l label, c rgb, shapes ...[]vec) {
	p.fill(f, ink{colour: c, label: l}, shapes...)
}

// tint mixes alpha/256 of a colour into what of the shapes shows some labels.
func (p *painter) tint(f frame, clip labels, c rgb, alpha int, shapes ...[]vec) {
	p.fill(f, ink{colour: c, alpha: alpha, keep: true, clip: clip}, shapes...)
}

// shade gives what shows a label volume: a soft shadow away from the light.
func (p *painter) shade(f frame, l label, shape []vec, depth float64) {
	if turning(shape) < 0 {
		shape = reversed(shape)
	}
	p.tint(f, on(l), 0x2c2440, 40, shape, reversed(moved(shape, vec{-depth * 0.8, -depth})))
}

// shadow paints what something casts on the ground.
func (p *painter) shadow(f frame, at vec, wide float64) {
	for _, k := range []float64{1.12, 0.85} {
		p.tint(f, 0, 0x2c2838, 46, ellipse(at, wide*k, wide*0.2*k))
	}
}

// joint returns the elbow or knee of a limb from a to b whose two bones are as
// long as bone; it lies on the left of the way if bend is positive.
func joint(a, b vec, bone, bend float64) vec {
	d := b.minus(a)
	l := max(d.length(), 1e-9)
	out := math.Sqrt(max(float64(bone*bone)-float64(l*l)/4, 0))
	if bend < 0 {
		out = -out
	}
	return between(a, b, 0.5).plus(vec{float64(d.y*out) / l, float64(-d.x*out) / l})
}

// line returns the outline of a straight line that is w wide to either side.
func line(w float64, a, b vec) []vec { return limb(w, w, a, b) }

// ring returns the outlines of a ring.
func ring(at vec, r, w float64) [][]vec {
	return [][]vec{ellipse(at, r+w, r+w), reversed(ellipse(at, r-w, r-w))}
}
