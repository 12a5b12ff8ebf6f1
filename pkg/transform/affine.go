package transform

import (
	"errors"
	"strconv"
)

// Affine turns a picture by Angle degrees clockwise, scales it by Scale, shears
// it by ShearX and ShearY degrees, all about its middle, and moves it by
// (DX, DY) pixels, as torchvision's affine does; torchvision's own default for
// Filter is Nearest. With TopLeft the fixed point is the top left corner instead,
// as for the shears of AutoAugment.
type Affine struct {
	Angle          float64
	DX, DY         int
	Scale          float64
	ShearX, ShearY float64
	Filter         Filter
	TopLeft        bool
	Fill           Fill
}

// String is the step's text.
func (a Affine) String() string {
	s := "affinemap(" + decimal(a.Angle) + "," + strconv.Itoa(a.DX) + "," + strconv.Itoa(a.DY) + "," + decimals(a.Scale, a.ShearX, a.ShearY)
	if a.TopLeft {
		s += ",topleft"
	}
	return s + turnText(a.Filter, false, a.Fill) + ")"
}

// Apply maps. A scale that isn't positive is an error.
func (a Affine) Apply(im *Image) (*Image, error) { return fresh(a, im) }

func (a Affine) apply(b *Buffers, im *Image) (*Image, error) {
	if !(a.Scale > 0) {
		return nil, errors.New("the scale must be positive")
	}
	m := a.inverse(im.Width, im.Height)
	return b.project(im, im.Width, im.Height, &m, a.Filter, a.Fill)
}

// inverse is the map from output to input positions, with the sums in
// torchvision's order.
func (a Affine) inverse(width, height int) projection {
	cx, cy := float64(width)*0.5, float64(height)*0.5
	if a.TopLeft {
		cx, cy = 0, 0
	}
	rot, sx, sy := radians(a.Angle), radians(a.ShearX), radians(a.ShearY)
	tan, cos := tangent(sx), cosine(sy)
	m0 := cosine(rot-sy) / cos
	m1 := float64(-cosine(rot-sy)*tan/cos) - sine(rot)
	m3 := sine(rot-sy) / cos
	m4 := float64(-sine(rot-sy)*tan/cos) + cosine(rot)
	m := projection{m4 / a.Scale, -m1 / a.Scale, 0, -m3 / a.Scale, m0 / a.Scale, 0}
	x, y := -cx-float64(a.DX), -cy-float64(a.DY)
	m[2] = float64(m[0]*x) + float64(m[1]*y) + cx
	m[5] = float64(m[3]*x) + float64(m[4]*y) + cy
	return m
}
