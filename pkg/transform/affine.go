package transform

import (
	"errors"
	"math"
	"strconv"
)

// Affine rotates a picture by Angle degrees clockwise, scales it by Scale, shears it by
// ShearX and ShearY degrees, all about its centre, and moves it by (DX, DY) pixels, like
// torchvision's affine, whose default for Filter is Nearest. With TopLeft the fixed point
// is the top left corner instead, as for the shears of AutoAugment.
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

// Apply maps the picture. A scale that isn't positive is an error.
func (a Affine) Apply(im *Image) (*Image, error) { return fresh(a, im) }

func (a Affine) apply(b *Buffers, im *Image) (*Image, error) {
	if !(a.Scale > 0) {
		return nil, errors.New("the scale must be positive")
	}
	m := a.inverse(im.Width, im.Height)
	return b.project(im, im.Width, im.Height, &m, a.Filter, a.Fill)
}

// inverse is the map from output to input positions, with sums in torchvision's order.
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

// Rotate rotates a picture counter-clockwise by Degrees about its centre, like
// torchvision's rotate, whose default for Filter is Nearest. With Expand the result is as
// large as the rotated picture, otherwise as large as the original. Pixels from outside
// the picture get the colour Fill.
type Rotate struct {
	Degrees float64
	Filter  Filter
	Expand  bool
	Fill    Fill
}

// String is the step's text.
func (r Rotate) String() string {
	return "rotate(" + decimal(r.Degrees) + turnText(r.Filter, r.Expand, r.Fill) + ")"
}

// turnText is the text of the arguments shared by rotate and rotation.
func turnText(f Filter, expand bool, fill Fill) string {
	s := ""
	if f != Nearest {
		s = "," + f.String()
	}
	if expand {
		s += ",expand"
	}
	return s + fill.text()
}

// Apply rotates the picture. An angle that isn't finite leaves it unchanged.
func (r Rotate) Apply(im *Image) (*Image, error) { return fresh(r, im) }

func (r Rotate) apply(b *Buffers, im *Image) (*Image, error) {
	angle := r.angle()
	square := r.Expand || im.Width == im.Height
	switch {
	case angle == 0 || angle != angle:
		return im, nil
	case angle == 180:
		return b.walk(im, im.Width, im.Height, im.Width*im.Height-1, -1, -im.Width), nil
	case angle == 90 && square:
		return b.walk(im, im.Height, im.Width, im.Width-1, im.Width, -1), nil
	case angle == 270 && square:
		return b.walk(im, im.Height, im.Width, im.Width*(im.Height-1), -im.Width, 1), nil
	}
	m, width, height := r.plan(angle, im.Width, im.Height)
	return b.project(im, width, height, &m, r.Filter, r.Fill)
}

// angle is within [0, 360), or NaN.
func (r Rotate) angle() float64 {
	angle := math.Mod(r.Degrees, 360)
	if angle < 0 {
		angle += 360
	}
	return angle
}

// Output implements [Sizer].
func (r Rotate) Output(width, height int) (newWidth, newHeight int) {
	angle := r.angle()
	if !r.Expand || angle != angle || angle == 0 || angle == 180 {
		return width, height
	}
	if angle == 90 || angle == 270 {
		return height, width
	}
	_, newWidth, newHeight = r.plan(angle, width, height)
	return newWidth, newHeight
}

// walk makes a picture whose pixel (x, y) is the source pixel at start + x*right +
// y*down.
func (b *Buffers) walk(im *Image, width, height, start, right, down int) *Image {
	out := b.image(im, width, height, im.Channels)
	n := im.Channels
	for y := range height {
		from := start + y*down
		row := out.Pix[y*width*n : (y+1)*width*n]
		for x := 0; x < len(row); x += n {
			copy(row[x:x+n], im.Pix[from*n:])
			from += right
		}
	}
	return out
}

// plan returns the map from output to input positions, and the output's size. PIL rounds
// the sine and the cosine to 15 decimals, so that right angles are exact. Products are
// converted explicitly, so that no compiler fuses them with the sums.
func (r Rotate) plan(degrees float64, width, height int) (m projection, newWidth, newHeight int) {
	angle := -radians(degrees)
	sin, cos := round15(sine(angle)), round15(cosine(angle))
	m = projection{cos, sin, 0, -sin, cos, 0}
	x, y := float64(width)/2, float64(height)/2
	m[2], m[5] = m.at(-x, -y)
	m[2] += x
	m[5] += y
	if !r.Expand {
		return m, width, height
	}
	w, h := float64(width), float64(height)
	left, top := math.Inf(1), math.Inf(1)
	right, bottom := math.Inf(-1), math.Inf(-1)
	for _, corner := range [4][2]float64{{0, 0}, {w, 0}, {w, h}, {0, h}} {
		cx, cy := m.at(corner[0], corner[1])
		left, right = min(left, cx), max(right, cx)
		top, bottom = min(top, cy), max(bottom, cy)
	}
	newW, newH := math.Ceil(right)-math.Floor(left), math.Ceil(bottom)-math.Floor(top)
	m[2], m[5] = m.at(-(newW-w)/2, -(newH-h)/2)
	return m, int(newW), int(newH)
}

// at applies an affine map to a position.
func (m *projection) at(x, y float64) (float64, float64) {
	return float64(m[0]*x) + float64(m[1]*y) + m[2], float64(m[3]*x) + float64(m[4]*y) + m[5]
}

// radians rounds π/180 first, as Python does.
func radians(degrees float64) float64 { return degrees * float64(math.Pi/180.0) }

func round15(v float64) float64 {
	var text [32]byte
	r, err := strconv.ParseFloat(string(strconv.AppendFloat(text[:0], v, 'f', 15, 64)), 64)
	if err != nil {
		return v
	}
	return r
}
