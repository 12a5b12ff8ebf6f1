package transform

import "errors"

// Brightness, Contrast and Saturation blend a picture with a duller one, which
// Factor 0 gives; 1 leaves the picture, more goes beyond it. The result is that
// of PIL's ImageEnhance: computed in float32, cut off to 8 bits. Factors must
// not be negative.
type (
	// Brightness blends with black.
	Brightness struct{ Factor float64 }
	// Contrast blends with the mean grey of the picture.
	Contrast struct{ Factor float64 }
	// Saturation blends with the picture in greys; grey pictures stay.
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

// blend goes from d towards v by a factor, beyond v if it is more than 1.
func blend(d, v uint8, f float32) uint8 {
	x := float32(d) + float32(f*float32(int32(v)-int32(d)))
	return uint8(int32(min(max(x, 0), 255)))
}

// blendWith blends all colours with one grey; alpha stays.
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

// lookUp replaces each value of each colour; alpha stays.
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
