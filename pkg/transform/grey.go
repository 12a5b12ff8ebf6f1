package transform

import (
	"fmt"
	"strconv"
)

// Grayscale makes a picture grey, with 1 or 3 equal channels; 0 keeps as many as
// there are, an alpha channel included.
type Grayscale struct{ Channels int }

// String is the step's text.
func (g Grayscale) String() string {
	if g.Channels == 0 {
		return "grayscale(keep)"
	}
	return "grayscale(" + strconv.Itoa(g.Channels) + ")"
}

// Apply makes grey.
func (g Grayscale) Apply(im *Image) (*Image, error) { return fresh(g, im) }

func (g Grayscale) apply(b *Buffers, im *Image) (*Image, error) {
	channels := g.Channels
	switch channels {
	case 0:
		channels = im.Channels
	case 1, 3:
	default:
		return nil, fmt.Errorf("greys have 1 or 3 channels, not %d", channels)
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
