package transform

import (
	"errors"
	"fmt"
	"math"
	"strconv"
)

// Brightness, Contrast and Saturation blend a picture with a duller version: Factor 0
// gives the duller version, 1 the picture itself, and larger factors extrapolate. The
// result is that of PIL's ImageEnhance: computed in float32, truncated to 8 bits. Factors
// must not be negative.
type (
	// Brightness blends with black.
	Brightness struct{ Factor float64 }
	// Contrast blends with the mean grey of the picture.
	Contrast struct{ Factor float64 }
	// Saturation blends with the picture in grey; grey pictures stay unchanged.
	Saturation struct{ Factor float64 }
)

// String is the step's text.
func (s Brightness) String() string { return "brightness(" + decimal(s.Factor) + ")" }

// String is the step's text.
func (s Contrast) String() string { return "contrast(" + decimal(s.Factor) + ")" }

// String is the step's text.
func (s Saturation) String() string { return "saturation(" + decimal(s.Factor) + ")" }

// Apply blends.
func (s Brightness) Apply(im *Image) (*Image, error) { return fresh(s, im) }

// Apply blends.
func (s Contrast) Apply(im *Image) (*Image, error) { return fresh(s, im) }

// Apply blends.
func (s Saturation) Apply(im *Image) (*Image, error) { return fresh(s, im) }

var errFactor = errors.New("the factor must not be negative")

func (s Brightness) apply(b *Buffers, im *Image) (*Image, error) {
	if !(s.Factor >= 0) {
		return nil, errFactor
	}
	return b.blendWith(im, 0, float32(s.Factor)), nil
}

func (s Contrast) apply(b *Buffers, im *Image) (*Image, error) {
	if !(s.Factor >= 0) {
		return nil, errFactor
	}
	if len(im.Pix) == 0 {
		return im, nil
	}
	sum := 0
	if im.Channels == 1 {
		for _, v := range im.Pix {
			sum += int(v)
		}
	} else {
		done := 0
		if im.Channels == 3 {
			sum, done = greySum(im.Pix)
		}
		for i := done; i+3 <= len(im.Pix); i += im.Channels {
			sum += int(grey(im.Pix[i : i+3 : i+3]))
		}
	}
	mean := float64(sum) / float64(im.Width*im.Height)
	return b.blendWith(im, uint8(mean+0.5), float32(s.Factor)), nil
}

// grey is the luma of ITU-R 601 in PIL's fixed point.
func grey(p []uint8) uint8 {
	return uint8((uint32(p[0])*19595 + uint32(p[1])*38470 + uint32(p[2])*7471 + 1<<15) >> 16)
}

// blend interpolates from d to v by a factor, and extrapolates beyond v if it is above 1.
func blend(d, v uint8, f float32) uint8 {
	x := float32(d) + float32(f*float32(int32(v)-int32(d)))
	return uint8(int32(min(max(x, 0), 255)))
}

// blendWith blends all colours with one grey; alpha is unchanged.
func (b *Buffers) blendWith(im *Image, d uint8, f float32) *Image {
	out := b.like(im)
	if done := blendBytes(out.Pix, im.Pix, d, f); done < len(im.Pix) {
		var t [256]uint8
		for v := range t {
			t[v] = blend(d, uint8(v), f)
		}
		for i, v := range im.Pix[done:] {
			out.Pix[done+i] = t[v]
		}
	}
	if im.Channels == 4 {
		copyAlpha(out, im)
	}
	return out
}

// lookUp replaces each value of each colour; alpha is unchanged.
func (b *Buffers) lookUp(im *Image, t *[256]uint8) *Image {
	out := b.like(im)
	for i, v := range im.Pix {
		out.Pix[i] = t[v]
	}
	if im.Channels == 4 {
		copyAlpha(out, im)
	}
	return out
}

func copyAlpha(out, im *Image) {
	for i := 3; i < len(im.Pix); i += 4 {
		out.Pix[i] = im.Pix[i]
	}
}

func (s Saturation) apply(b *Buffers, im *Image) (*Image, error) {
	if !(s.Factor >= 0) {
		return nil, errFactor
	}
	if im.Channels == 1 || s.Factor == 1 {
		return im, nil
	}
	out := b.like(im)
	n := im.Channels
	f := float32(s.Factor)
	done := 0
	if n == 3 {
		done = saturate(out.Pix, im.Pix, f)
	}
	for i := done; i+3 <= len(im.Pix); i += n {
		p, d := im.Pix[i:i+3:i+3], out.Pix[i:i+3:i+3]
		g := grey(p)
		d[0], d[1], d[2] = blend(g, p[0], f), blend(g, p[1], f), blend(g, p[2], f)
	}
	if n == 4 {
		copyAlpha(out, im)
	}
	return out, nil
}

// Hue rotates the colour circle by Shift of a full turn, from -0.5 to 0.5. The picture is
// converted to 8-bit hue, saturation and value as in PIL and back, so even a shift of 0
// may change it slightly. Grey pictures stay unchanged; an alpha channel becomes opaque,
// as in torchvision.
type Hue struct{ Shift float64 }

// String is the step's text.
func (h Hue) String() string { return "hue(" + decimal(h.Shift) + ")" }

// Apply shifts the hues.
func (h Hue) Apply(im *Image) (*Image, error) { return fresh(h, im) }

func (h Hue) apply(b *Buffers, im *Image) (*Image, error) {
	if !(h.Shift >= -0.5 && h.Shift <= 0.5) {
		return nil, errors.New("the shift must lie between -0.5 and 0.5")
	}
	if im.Channels == 1 {
		return im, nil
	}
	out := b.like(im)
	n := im.Channels
	shift := uint8(int32(h.Shift * 255))
	for i := 0; i+3 <= len(im.Pix); i += n {
		hue, sat, value := toHSV(im.Pix[i : i+3 : i+3])
		fromHSV(out.Pix[i:i+3:i+3], hue+shift, sat, value)
		if n == 4 {
			out.Pix[i+3] = 255
		}
	}
	return out, nil
}

// toHSV is PIL's conversion, with its mix of float32 and float64.
func toHSV(p []uint8) (hue, sat, value uint8) {
	r, g, b := p[0], p[1], p[2]
	high, low := max(r, g, b), min(r, g, b)
	if high == low {
		return 0, 0, high
	}
	spread := float32(high - low)
	rc, gc, bc := float32(high-r)/spread, float32(high-g)/spread, float32(high-b)/spread
	var h float32
	switch high {
	case r:
		h = bc - gc
	case g:
		h = float32(2 + float64(rc) - float64(bc))
	default:
		h = float32(4 + float64(gc) - float64(rc))
	}
	turn := float64(h)/6 + 1
	h = float32(turn - math.Floor(turn))
	return uint8(float64(h) * 255), uint8(float64(spread/float32(high)) * 255), high
}

// fromHSV is PIL's conversion back.
func fromHSV(d []uint8, hue, sat, value uint8) {
	if sat == 0 {
		d[0], d[1], d[2] = value, value, value
		return
	}
	sixths := float64(hue) * 6 / 255
	sector := int(sixths)
	f := float32(sixths - float64(sector))
	fs := float32(float64(sat) / 255)
	v := float64(value)
	p := uint8(math.Round(v * (1 - float64(fs))))
	q := uint8(math.Round(v * (1 - float64(fs*f))))
	t := uint8(math.Round(v * (1 - float64(float64(fs)*(1-float64(f))))))
	switch sector {
	case 0, 6:
		d[0], d[1], d[2] = value, t, p
	case 1:
		d[0], d[1], d[2] = q, value, p
	case 2:
		d[0], d[1], d[2] = p, value, t
	case 3:
		d[0], d[1], d[2] = p, q, value
	case 4:
		d[0], d[1], d[2] = t, p, value
	default:
		d[0], d[1], d[2] = value, p, q
	}
}

// Grayscale makes a picture grey, with 1 or 3 equal channels; 0 keeps the number of
// channels, including an alpha channel.
type Grayscale struct{ Channels int }

// String is the step's text.
func (g Grayscale) String() string {
	if g.Channels == 0 {
		return "grayscale(keep)"
	}
	return "grayscale(" + strconv.Itoa(g.Channels) + ")"
}

// Apply makes the picture grey.
func (g Grayscale) Apply(im *Image) (*Image, error) { return fresh(g, im) }

func (g Grayscale) apply(b *Buffers, im *Image) (*Image, error) {
	channels := g.Channels
	switch channels {
	case 0:
		channels = im.Channels
	case 1, 3:
	default:
		return nil, fmt.Errorf("grey pictures have 1 or 3 channels, not %d", channels)
	}
	if im.Channels == 1 && channels == 1 {
		return im, nil
	}
	out := b.image(im, im.Width, im.Height, channels)
	n := im.Channels
	for i := range im.Width * im.Height {
		p := im.Pix[i*n : (i+1)*n]
		v := p[0]
		if n >= 3 {
			v = grey(p)
		}
		d := out.Pix[i*channels : (i+1)*channels]
		for c := range min(channels, 3) {
			d[c] = v
		}
		if channels == 4 {
			d[3] = p[3]
		}
	}
	return out, nil
}
