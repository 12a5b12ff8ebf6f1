package transform

import (
	"errors"
	"math"
)

// Hue turns the colour circle by Shift of a whole turn, from -0.5 to 0.5. The
// picture goes through 8-bit hue, saturation and value, as PIL has them, so that
// a shift of 0 may change it a little, too. Grey pictures stay; an alpha channel
// becomes opaque, as it does in torchvision.
type Hue struct{ Shift float64 }

// String is the step's text.
func (h Hue) String() string { return "hue(" + decimal(h.Shift) + ")" }

// Apply turns the hues.
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

// toHSV is PIL's conversion, with its mixture of float32 and float64.
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

// fromHSV is PIL's way back.
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
