package transform

import (
	"fmt"
	"strconv"
	"strings"
)

// Background puts a transparent picture on a colour, and converts grey pictures to three
// channels: transformers' convert_to_rgb, with PIL's alpha_composite. The default Colour
// is white.
//
// A picture loses its transparency when it is decoded, so in a pipeline's text this must
// be the first step, which decoders take into account ([Pipeline.Background]).
type Background struct{ Colour Fill }

// white is the default background.
const white = 255

// String is the step's text.
func (o Background) String() string {
	c := o.RGB()
	if c[0] == c[1] && c[1] == c[2] {
		return "background(" + strconv.Itoa(int(c[0])) + ")"
	}
	return "background([" + strings.Join([]string{strconv.Itoa(int(c[0])), strconv.Itoa(int(c[1])), strconv.Itoa(int(c[2]))}, ",") + "])"
}

// RGB is the colour.
func (o Background) RGB() [3]uint8 {
	switch len(o.Colour) {
	case 0:
		return [3]uint8{white, white, white}
	case 1:
		return [3]uint8{o.Colour[0], o.Colour[0], o.Colour[0]}
	}
	var c [3]uint8
	copy(c[:], o.Colour)
	return c
}

// Apply puts the picture on the colour.
func (o Background) Apply(im *Image) (*Image, error) { return fresh(o, im) }

func (o Background) apply(b *Buffers, im *Image) (*Image, error) {
	if n := len(o.Colour); n != 0 && n != 1 && n != 3 {
		return nil, fmt.Errorf("a background of %d values: a colour has 3", n)
	}
	if im.Channels == 3 {
		return im, nil
	}
	out := b.image(im, im.Width, im.Height, 3)
	n, under := im.Channels, o.RGB()
	for i := range im.Width * im.Height {
		d, s := out.Pix[3*i:3*i+3:3*i+3], im.Pix[i*n:(i+1)*n]
		if n == 4 {
			over := Over([3]uint8(s), s[3], under)
			copy(d, over[:])
		} else {
			d[0], d[1], d[2] = s[0], s[0], s[0]
		}
	}
	return out, nil
}

func isBackground(op Op) bool {
	_, ok := op.(Background)
	return ok
}

// Over composites a colour with alpha over an opaque one, with the rounding of PIL's
// alpha_composite.
func Over(colour [3]uint8, alpha uint8, under [3]uint8) [3]uint8 {
	switch alpha {
	case 255:
		return colour
	case 0:
		return under
	}
	a := uint32(alpha)
	for i, c := range colour {
		v := uint32(c)*a + uint32(under[i])*(255-a) + 0x80
		colour[i] = uint8((v>>8 + v) >> 8)
	}
	return colour
}

// Background is the colour that pictures with transparency are put on. It is nil if the
// pipeline doesn't begin with a background step; alpha is then dropped.
func (p Pipeline) Background() *[3]uint8 {
	if len(p) > 0 {
		if o, ok := p[0].(Background); ok {
			c := o.RGB()
			return &c
		}
	}
	return nil
}
