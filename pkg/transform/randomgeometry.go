package transform

import (
	"math"
)

// RandomRotation rotates pictures counter-clockwise by an angle drawn from Degrees; the
// rest is as in [Rotate]. torchvision: RandomRotation.
type RandomRotation struct {
	Degrees Range
	Filter  Filter
	Expand  bool
	Fill    Fill
}

// String is the step's text.
func (o RandomRotation) String() string {
	return "rotation(" + o.Degrees.around() + turnText(o.Filter, o.Expand, o.Fill) + ")"
}

// Draw draws the angle.
func (o RandomRotation) Draw(r *Rand, _, _ int) ImageOp { return o.draw(r) }

func (o RandomRotation) draw(r *Rand) Rotate {
	return Rotate{Degrees: o.Degrees.draw(r), Filter: o.Filter, Expand: o.Expand, Fill: o.Fill}
}

func (o RandomRotation) run(b *Buffers, r *Rand, im *Image) (*Image, error) {
	return o.draw(r).apply(b, im)
}

// RandomAffine rotates, moves, scales and shears pictures; the rest is as in [Affine].
// torchvision: RandomAffine.
type RandomAffine struct {
	Degrees        Range      // clockwise
	Translate      [2]float64 // largest moves as fractions of width and height
	Scale          Range      // the zero value keeps the scale
	ShearX, ShearY Range      // degrees
	Filter         Filter
	Fill           Fill
}

// String is the step's text.
func (o RandomAffine) String() string {
	s := "affine(" + o.Degrees.around()
	if o.Translate != [2]float64{} {
		s += ",translate=[" + decimals(o.Translate[:]...) + "]"
	}
	if o.Scale != (Range{}) {
		s += ",scale=" + o.Scale.text()
	}
	if o.ShearX != (Range{}) {
		s += ",shear=" + o.ShearX.around()
	}
	if o.ShearY != (Range{}) {
		s += ",sheary=" + o.ShearY.around()
	}
	return s + turnText(o.Filter, false, o.Fill) + ")"
}

// Draw draws the map.
func (o RandomAffine) Draw(r *Rand, width, height int) ImageOp { return o.draw(r, width, height) }

func (o RandomAffine) draw(r *Rand, width, height int) Affine {
	a := Affine{Angle: o.Degrees.draw(r), Scale: 1, Filter: o.Filter, Fill: o.Fill}
	move := func(part float64, size int) int {
		most := part * float64(size)
		return int(math.RoundToEven(r.Uniform(-most, most)))
	}
	a.DX, a.DY = move(o.Translate[0], width), move(o.Translate[1], height)
	if o.Scale != (Range{}) {
		a.Scale = o.Scale.draw(r)
	}
	a.ShearX, a.ShearY = o.ShearX.draw(r), o.ShearY.draw(r)
	return a
}

func (o RandomAffine) run(b *Buffers, r *Rand, im *Image) (*Image, error) {
	return o.draw(r, im.Width, im.Height).apply(b, im)
}

// RandomPerspective warps pictures with probability P: each corner moves inwards by up to
// Distortion/2 of the width and the height; the rest is as in [Warp]. torchvision:
// RandomPerspective.
type RandomPerspective struct {
	Distortion, P float64
	Filter        Filter
	Fill          Fill
}

// String is the step's text.
func (o RandomPerspective) String() string {
	s := "perspective(" + decimal(o.Distortion) + ",p=" + decimal(o.P)
	if o.Filter != Bilinear {
		s += "," + o.Filter.String()
	}
	return s + o.Fill.text() + ")"
}

// Draw draws whether to warp, and the corners.
func (o RandomPerspective) Draw(r *Rand, width, height int) ImageOp {
	if w, ok := o.draw(r, width, height); ok {
		return w
	}
	return Identity{}
}

func (o RandomPerspective) draw(r *Rand, width, height int) (w Warp, ok bool) {
	if r.Float64() >= o.P {
		return w, false
	}
	right, bottom := float64(width-1), float64(height-1)
	dx, dy := int(o.Distortion*float64(width/2))+1, int(o.Distortion*float64(height/2))+1
	in := func(n int) float64 { return float64(r.IntN(n)) }
	return Warp{
		From:   [4][2]float64{{0, 0}, {right, 0}, {right, bottom}, {0, bottom}},
		To:     [4][2]float64{{in(dx), in(dy)}, {right - in(dx), in(dy)}, {right - in(dx), bottom - in(dy)}, {in(dx), bottom - in(dy)}},
		Filter: o.Filter,
		Fill:   o.Fill,
	}, true
}

func (o RandomPerspective) run(b *Buffers, r *Rand, im *Image) (*Image, error) {
	w, ok := o.draw(r, im.Width, im.Height)
	if !ok {
		return im, nil
	}
	return w.apply(b, im)
}
