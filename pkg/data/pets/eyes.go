package pets

// shapeOfEye is an eye's place and size, and the share of its lids.
type shapeOfEye struct{ x, y, rx, ry, slant, lid, pupil float64 }

var eyes = []shapeOfEye{
	RoundEyes:  {x: .40, y: -.10, rx: .20, ry: .21, pupil: .62},
	AlmondEyes: {x: .42, y: -.10, rx: .24, ry: .15, slant: -.42, pupil: .30},
	SleepyEyes: {x: .42, y: -.06, rx: .21, ry: .18, slant: .12, lid: .52, pupil: .55},
	BeadyEyes:  {x: .34, y: -.08, rx: .115, ry: .125, pupil: 1},
	WideEyes:   {x: .50, y: -.06, rx: .26, ry: .27, pupil: .50},
}

func (a *artist) drawEyes(f frame) {
	e := eyes[a.Eyes]
	for _, side := range []float64{-1, 1} {
		at := a.turn(side*e.x, e.y, 0.72)
		a.drawEye(f, e, at, side, a.foreshort(side*e.x))
	}
}

func (a *artist) drawEye(f frame, e shapeOfEye, at vec, side, narrow float64) {
	rx, slant := e.rx*narrow, e.slant*side
	rim := rgb(0x302a30)
	a.fill(f, ink{colour: rim, part: face}, turned(at, rx+0.045, e.ry+0.045, slant))
	if e.pupil < 1 {
		a.fill(f, ink{colour: a.iris, part: face}, turned(at, rx, e.ry, slant))
		a.fill(f, ink{colour: a.iris.lighter(70), part: face}, turned(at.plus(vec{0, e.ry * 0.4}), rx*0.7, e.ry*0.45, slant))
		look := at.plus(vec{rx * 0.25 * a.yaw, 0})
		wide := e.ry * e.pupil
		high := wide
		if a.Eyes == AlmondEyes { // a slit
			high = e.ry * 0.92
		}
		a.fill(f, ink{colour: 0x241e24, part: face}, ellipse(look, min(wide*narrow, rx), high))
	}
	if e.lid > 0 {
		lid := rect(at.x-rx*1.5, at.y-e.ry*1.6, at.x+rx*1.5, at.y+e.ry*(2*e.lid-1))
		for i := range lid {
			lid[i].y += (lid[i].x - at.x) * slant
		}
		a.lid(f, lid, at, rx, e.ry, slant)
	}
	shine := vec{at.x - 0.3*rx, at.y - 0.35*e.ry}
	if e.lid > 0 {
		shine.y = at.y + 0.35*e.ry
	}
	a.fill(f, ink{colour: 0xfffdf6, part: face}, ellipse(shine, e.ry*0.26, e.ry*0.26))
	a.fill(f, ink{colour: 0xfffdf6, part: face}, ellipse(vec{at.x + 0.4*rx, at.y + 0.42*e.ry}, e.ry*0.12, e.ry*0.12))
}

// lid paints the part of an eye above its lid's edge in the coat's colour.
func (a *artist) lid(f frame, above []vec, at vec, rx, ry, slant float64) {
	colour := a.coat.darker(40)
	if a.Pattern == Goggled || a.Pattern == Pointed {
		colour = a.mark.lighter(20)
	}
	eye := turned(at, rx+0.02, ry+0.02, slant)
	edge := above[2].y
	lid := make([]vec, len(eye))
	for i, v := range eye {
		lid[i] = vec{v.x, min(v.y, edge+(v.x-above[2].x)*slant)}
	}
	a.fill(f, ink{colour: 0x302a30, part: face}, moved(lid, vec{0, 0.05}))
	a.fill(f, ink{colour: colour, part: face}, lid)
}
