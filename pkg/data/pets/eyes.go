package pets

import "gaze/pkg/data/internal/draw"

// shapeOfEye is an eye's place and size, and the share of its lids.
type shapeOfEye struct{ x, y, rx, ry, slant, lid, pupil float64 }

var eyes = []shapeOfEye{
	RoundEyes:  {x: .40, y: -.10, rx: .20, ry: .21, pupil: .62},
	AlmondEyes: {x: .42, y: -.10, rx: .24, ry: .15, slant: -.42, pupil: .30},
	SleepyEyes: {x: .42, y: -.06, rx: .21, ry: .18, slant: .12, lid: .52, pupil: .55},
	BeadyEyes:  {x: .34, y: -.08, rx: .115, ry: .125, pupil: 1},
	WideEyes:   {x: .50, y: -.06, rx: .26, ry: .27, pupil: .50},
}

func (a *artist) drawEyes(f draw.Frame) {
	defer a.begin(PartEyes)()
	e := eyes[a.Eyes]
	for _, side := range []float64{-1, 1} {
		at := a.turn(side*e.x, e.y, 0.72)
		a.drawEye(f, e, at, side, a.foreshort(side*e.x))
	}
}

func (a *artist) drawEye(f draw.Frame, e shapeOfEye, at draw.Vec, side, narrow float64) {
	rx, slant := e.rx*narrow, e.slant*side
	rim := draw.RGB(0x302a30)
	a.Fill(f, draw.Ink{Colour: rim, Label: face}, draw.Turned(at, rx+0.045, e.ry+0.045, slant))
	if e.pupil < 1 {
		a.Fill(f, draw.Ink{Colour: a.iris, Label: face}, draw.Turned(at, rx, e.ry, slant))
		a.Fill(f, draw.Ink{Colour: a.iris.Lighter(70), Label: face}, draw.Turned(at.Plus(draw.Pt(0, e.ry*0.4)), rx*0.7, e.ry*0.45, slant))
		look := at.Plus(draw.Pt(rx*0.25*a.yaw, 0))
		wide := e.ry * e.pupil
		high := wide
		if a.Eyes == AlmondEyes { // a slit
			high = e.ry * 0.92
		}
		a.Fill(f, draw.Ink{Colour: 0x241e24, Label: face}, draw.Ellipse(look, min(wide*narrow, rx), high))
	}
	if e.lid > 0 {
		lid := draw.Rect(at.X-rx*1.5, at.Y-e.ry*1.6, at.X+rx*1.5, at.Y+e.ry*(2*e.lid-1))
		for i := range lid {
			lid[i].Y += (lid[i].X - at.X) * slant
		}
		a.lid(f, lid, at, rx, e.ry, slant)
	}
	shine := draw.Pt(at.X-0.3*rx, at.Y-0.35*e.ry)
	if e.lid > 0 {
		shine.Y = at.Y + 0.35*e.ry
	}
	a.Fill(f, draw.Ink{Colour: 0xfffdf6, Label: face}, draw.Ellipse(shine, e.ry*0.26, e.ry*0.26))
	a.Fill(f, draw.Ink{Colour: 0xfffdf6, Label: face}, draw.Ellipse(draw.Pt(at.X+0.4*rx, at.Y+0.42*e.ry), e.ry*0.12, e.ry*0.12))
}

// lid paints the part of an eye above its lid's edge in the coat's colour.
func (a *artist) lid(f draw.Frame, above []draw.Vec, at draw.Vec, rx, ry, slant float64) {
	colour := a.coat.Darker(40)
	if (a.Pattern == Goggled || a.Pattern == Pointed) && !a.missing[PartMarkings] {
		colour = a.mark.Lighter(20)
	}
	eye := draw.Turned(at, rx+0.02, ry+0.02, slant)
	edge := above[2].Y
	lid := make([]draw.Vec, len(eye))
	for i, v := range eye {
		lid[i] = draw.Pt(v.X, min(v.Y, edge+(v.X-above[2].X)*slant))
	}
	a.Fill(f, draw.Ink{Colour: 0x302a30, Label: face}, draw.Moved(lid, draw.Pt(0, 0.05)))
	a.Fill(f, draw.Ink{Colour: colour, Label: face}, lid)
}
