package pets

import "gaze/pkg/data/internal/draw"

// artist paints one animal.
type artist struct {
	BreedSpec
	*stage
	s       *draw.Stream // of what is this animal's own
	coat    draw.RGB
	mark    draw.RGB
	iris    draw.RGB
	yaw     float64 // of the head, in radians; positive: to the right
	pitch   float64 // of the head; positive: down
	shadow  float64 // side of the shadows, -1 or 1
	outline float64 // width of the outlines in samples
}

var (
	coated = draw.On(body, haunch, nearLeg) // what the body's markings run over
	legs   = draw.On(nearLeg, farLeg)
)

// lineOf is what the outline of a part counts as.
func lineOf(p draw.Label) draw.Label {
	if headParts.Has(p) {
		return face
	}
	return bodyLine
}

// piece paints shapes as one, with a darker outline round them.
func (a *artist) piece(f draw.Frame, p draw.Label, colour draw.RGB, shapes ...[]draw.Vec) {
	a.pieceIn(f, p, colour, colour.Darker(120), shapes...)
}

func (a *artist) pieceIn(f draw.Frame, p draw.Label, colour, line draw.RGB, shapes ...[]draw.Vec) {
	a.Fill(f, draw.Ink{Colour: line, Label: lineOf(p)}, draw.Widened(a.outline/f.Size(), shapes)...)
	a.Fill(f, draw.Ink{Colour: colour, Label: p}, shapes...)
}

// paint colours what of the shapes lies on some parts.
func (a *artist) paint(f draw.Frame, c draw.Labels, colour draw.RGB, shapes ...[]draw.Vec) {
	a.Fill(f, draw.Ink{Colour: colour, Keep: true, Clip: c}, shapes...)
}

// tint mixes alpha/256 of a colour in.
func (a *artist) tint(f draw.Frame, c draw.Labels, colour draw.RGB, alpha int, shapes ...[]draw.Vec) {
	a.Fill(f, draw.Ink{Colour: colour, Alpha: alpha, Keep: true, Clip: c}, shapes...)
}

// shade gives a shape volume: a soft shadow along its lower edge.
func (a *artist) shade(f draw.Frame, c draw.Labels, shape []draw.Vec, depth float64) {
	for i, alpha := range []int{26, 24} {
		d := depth * (1 - 0.5*float64(i))
		a.tint(f, c, 0x2c2440, alpha, shape, draw.Reversed(draw.Moved(shape, draw.Pt(-a.shadow*d*0.7, -d))))
	}
}

// The outlines of fur, each one tooth.
var (
	plushTooth  = []float64{0, 0.5, 0.87, 1, 0.87, 0.5}
	shaggyTooth = []float64{0, 0.18, 0.42, 0.72, 1, 0.4}
	curlyTooth  = []float64{0, 0.66, 0.9, 1, 0.9, 0.66}
)

// furred gives an outline the breed's fur; size is that of the animal's head or
// body.
func (a *artist) furred(shape []draw.Vec, size float64) []draw.Vec {
	switch a.Fur {
	case Plush:
		return draw.Bumps(shape, 0.22*size, 0.045*size, plushTooth)
	case Shaggy:
		return draw.Bumps(shape, 0.30*size, 0.16*size, shaggyTooth)
	case Curly:
		return draw.Bumps(shape, 0.40*size, 0.13*size, curlyTooth)
	}
	return shape
}

// dyed is the colour of a piece that the pattern dyes, and its own if there are no
// markings.
func (a *artist) dyed(plain draw.RGB) draw.RGB {
	if a.missing[PartMarkings] {
		return plain
	}
	return a.mark
}
