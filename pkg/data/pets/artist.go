package pets

// artist paints one animal.
type artist struct {
	BreedSpec
	*canvas
	s       *stream // of what is this animal's own
	coat    rgb
	mark    rgb
	iris    rgb
	yaw     float64 // of the head, in radians; positive: to the right
	pitch   float64 // of the head; positive: down
	shadow  float64 // side of the shadows, -1 or 1
	outline float64 // width of the outlines in samples
}

var (
	coated = on(body, haunch, nearLeg) // what the body's markings run over
	legs   = on(nearLeg, farLeg)
)

// lineOf is what the outline of a part counts as.
func lineOf(p part) part {
	if headParts.has(p) {
		return face
	}
	return bodyLine
}

// piece paints shapes as one, with a darker outline round them.
func (a *artist) piece(f frame, p part, colour rgb, shapes ...[]vec) {
	a.pieceIn(f, p, colour, colour.darker(120), shapes...)
}

func (a *artist) pieceIn(f frame, p part, colour, line rgb, shapes ...[]vec) {
	w := a.outline / f.size()
	wide := make([][]vec, len(shapes))
	for i, shape := range shapes {
		if turning(shape) < 0 {
			shapes[i] = reversed(shape)
		}
		wide[i] = grown(shapes[i], w)
	}
	a.fill(f, ink{colour: line, part: lineOf(p)}, wide...)
	a.fill(f, ink{colour: colour, part: p}, shapes...)
}

// paint colours what of the shapes lies on some parts.
func (a *artist) paint(f frame, c clip, colour rgb, shapes ...[]vec) {
	a.fill(f, ink{colour: colour, keep: true, clip: c}, shapes...)
}

// tint mixes alpha/256 of a colour in.
func (a *artist) tint(f frame, c clip, colour rgb, alpha int, shapes ...[]vec) {
	a.fill(f, ink{colour: colour, alpha: alpha, keep: true, clip: c}, shapes...)
}

// shade gives a shape volume: a soft shadow along its lower edge.
func (a *artist) shade(f frame, c clip, shape []vec, depth float64) {
	for i, alpha := range []int{26, 24} {
		d := depth * (1 - 0.5*float64(i))
		a.tint(f, c, 0x2c2440, alpha, shape, reversed(moved(shape, vec{-a.shadow * d * 0.7, -d})))
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
func (a *artist) furred(shape []vec, size float64) []vec {
	switch a.Fur {
	case Plush:
		return bumps(shape, 0.22*size, 0.045*size, plushTooth)
	case Shaggy:
		return bumps(shape, 0.30*size, 0.16*size, shaggyTooth)
	case Curly:
		return bumps(shape, 0.40*size, 0.13*size, curlyTooth)
	}
	return shape
}
