package scenes

import (
	"math"

	"gaze/pkg/data/internal/draw"
)

// painter paints persons, animals and things.
type painter struct {
	*draw.Canvas
	s    *draw.Stream
	next draw.Label // the next free one
	line float64    // width of the outlines in samples
}

// own returns a label that nothing else has.
func (p *painter) own() draw.Label {
	p.next++
	return p.next - 1
}

// piece paints shapes as one, with a darker outline round them; black ones have
// a paler one, so that one animal stands out from the next.
func (p *painter) piece(f draw.Frame, l draw.Label, c draw.RGB, shapes ...[]draw.Vec) {
	edge := c.Darker(150)
	if r, g, b := c.Channels(); r+g+b < 220 {
		edge = c.Lighter(60)
	}
	p.Fill(f, draw.Ink{Colour: edge, Label: l}, draw.Widened(p.line/f.Size(), shapes)...)
	p.Fill(f, draw.Ink{Colour: c, Label: l}, shapes...)
}

// dab paints shapes without an outline.
func (p *painter) dab(f draw.Frame, l draw.Label, c draw.RGB, shapes ...[]draw.Vec) {
	p.Fill(f, draw.Ink{Colour: c, Label: l}, shapes...)
}

// tint mixes alpha/256 of a colour into what of the shapes shows some labels.
func (p *painter) tint(f draw.Frame, clip draw.Labels, c draw.RGB, alpha int, shapes ...[]draw.Vec) {
	p.Fill(f, draw.Ink{Colour: c, Alpha: alpha, Keep: true, Clip: clip}, shapes...)
}

// shade gives what shows a label volume: a soft shadow away from the light.
func (p *painter) shade(f draw.Frame, l draw.Label, shape []draw.Vec, depth float64) {
	if draw.Turning(shape) < 0 {
		shape = draw.Reversed(shape)
	}
	p.tint(f, draw.On(l), 0x2c2440, 40, shape, draw.Reversed(draw.Moved(shape, draw.Pt(-depth*0.8, -depth))))
}

// shadow paints what something casts on the ground.
func (p *painter) shadow(f draw.Frame, at draw.Vec, wide float64) {
	for _, k := range []float64{1.12, 0.85} {
		p.tint(f, 0, 0x2c2838, 46, draw.Ellipse(at, wide*k, wide*0.2*k))
	}
}

// joint returns the elbow or knee of a limb from a to b whose two bones are as
// long as bone; it lies on the left of the way if bend is positive.
func joint(a, b draw.Vec, bone, bend float64) draw.Vec {
	d := b.Minus(a)
	l := max(d.Length(), 1e-9)
	out := math.Sqrt(max(float64(bone*bone)-float64(l*l)/4, 0))
	if bend < 0 {
		out = -out
	}
	return draw.Between(a, b, 0.5).Plus(draw.Pt(float64(d.Y*out)/l, float64(-d.X*out)/l))
}

// line returns the outline of a straight line that is w wide to either side.
func line(w float64, a, b draw.Vec) []draw.Vec { return draw.Limb(w, w, a, b) }

// ring returns the outlines of a ring.
func ring(at draw.Vec, r, w float64) [][]draw.Vec {
	return [][]draw.Vec{draw.Ellipse(at, r+w, r+w), draw.Reversed(draw.Ellipse(at, r-w, r-w))}
}
