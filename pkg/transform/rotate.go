package transform

import (
	"math"
	"strconv"
)

// Rotate turns a picture counter-clockwise by Degrees about its middle and keeps
// its size: the nearest pixel is taken, and what comes from outside is black, as
// in torchvision's rotate by default.
type Rotate struct{ Degrees float64 }

// String is the step's text.
func (r Rotate) String() string { return "rotate(" + strconv.FormatFloat(r.Degrees, 'g', -1, 64) + ")" }

// Apply turns. Angles that aren't finite leave the picture as it is.
func (r Rotate) Apply(im *Image) (*Image, error) {
	angle := math.Mod(r.Degrees, 360)
	if angle < 0 {
		angle += 360
	}
	square := im.Width == im.Height
	size := im.Width * im.Height
	switch {
	case angle == 0 || angle != angle:
		return FromImage(im), nil
	case angle == 180:
		return walk(im, size-1, -1, -im.Width), nil
	case angle == 90 && square:
		return walk(im, im.Width-1, im.Width, -1), nil
	case angle == 270 && square:
		return walk(im, size-im.Width, -im.Width, 1), nil
	}
	return affine(im, rotation(angle, im.Width, im.Height)), nil
}

// walk makes a picture of the same size whose pixel (x, y) is the source's at
// start + x*right + y*down.
func walk(im *Image, start, right, down int) *Image {
	out := NewImage(im.Width, im.Height, im.Channels)
	n := im.Channels
	for y := range im.Height {
		from := start + y*down
		row := out.Pix[y*im.Width*n : (y+1)*im.Width*n]
		for x := 0; x < len(row); x += n {
			copy(row[x:x+n], im.Pix[from*n:])
			from += right
		}
	}
	return out
}

// rotation is the matrix from output to input positions. PIL rounds the sine
// and the cosine to 15 decimals, so that right angles are exact. Products are
// converted so that no compiler fuses them with the sums.
func rotation(degrees float64, width, height int) [6]float64 {
	sin, cos := math.Sincos(-degrees * math.Pi / 180)
	sin, cos = round15(sin), round15(cos)
	x, y := float64(width)/2, float64(height)/2
	return [6]float64{
		cos, sin, float64(cos*-x) + float64(sin*-y) + x,
		-sin, cos, float64(-sin*-x) + float64(cos*-y) + y,
	}
}

func round15(v float64) float64 {
	r, err := strconv.ParseFloat(strconv.FormatFloat(v, 'f', 15, 64), 64)
	if err != nil {
		return v
	}
	return r
}

// affine takes the nearest pixels in PIL's 16.16 fixed point.
func affine(im *Image, m [6]float64) *Image {
	fix := func(v float64) int { return int(math.Floor(float64(v*65536) + 0.5)) }
	right, down := [2]int{fix(m[0]), fix(m[3])}, [2]int{fix(m[1]), fix(m[4])}
	startX := fix(m[2] + float64(m[0]*0.5) + float64(m[1]*0.5))
	startY := fix(m[5] + float64(m[3]*0.5) + float64(m[4]*0.5))
	out := NewImage(im.Width, im.Height, im.Channels)
	n := im.Channels
	for y := range im.Height {
		atX, atY := startX+y*down[0], startY+y*down[1]
		row := out.Pix[y*im.Width*n : (y+1)*im.Width*n]
		for x := 0; x < len(row); x += n {
			sx, sy := atX>>16, atY>>16
			if sx >= 0 && sx < im.Width && sy >= 0 && sy < im.Height {
				copy(row[x:x+n], im.Pix[(sy*im.Width+sx)*n:])
			}
			atX += right[0]
			atY += right[1]
		}
	}
	return out
}
