package transform

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// PadMode is the way a border is filled.
type PadMode uint8

// The borders of torchvision's Pad.
const (
	Constant  PadMode = iota // the fill
	Edge                     // the last pixel
	Reflect                  // mirrored, the last pixel not repeated
	Symmetric                // mirrored, the last pixel repeated
)

var padNames = [...]string{"constant", "edge", "reflect", "symmetric"}

// String returns the mode's name in a pipeline's text.
func (m PadMode) String() string {
	if int(m) < len(padNames) {
		return padNames[m]
	}
	return fmt.Sprintf("PadMode(%d)", int(m))
}

// Pad adds a border of the given widths in pixels; negative widths crop.
type Pad struct {
	Left, Top, Right, Bottom int
	Mode                     PadMode
	Fill                     Fill
}

// String is the step's text.
func (p Pad) String() string { return "pad(" + p.sides() + p.style() + ")" }

// sides are the widths: one number, or left, top, right and bottom.
func (p Pad) sides() string {
	if p.Left == p.Top && p.Left == p.Right && p.Left == p.Bottom {
		return strconv.Itoa(p.Left)
	}
	return fmt.Sprintf("%d,%d,%d,%d", p.Left, p.Top, p.Right, p.Bottom)
}

func (p Pad) style() string {
	if p.Mode != Constant {
		return "," + p.Mode.String()
	}
	return p.Fill.text()
}

// Apply pads the picture. It is an error if nothing of the picture is left.
func (p Pad) Apply(im *Image) (*Image, error) { return fresh(p, im) }

func (p Pad) apply(b *Buffers, im *Image) (*Image, error) {
	width, height := p.Output(im.Width, im.Height)
	if width <= 0 || height <= 0 || height > maxPixels/width {
		return nil, errors.New("the result would be empty or enormous")
	}
	if p.Mode != Constant && (im.Width+min(p.Left, 0)+min(p.Right, 0) <= 0 || im.Height+min(p.Top, 0)+min(p.Bottom, 0) <= 0) {
		return nil, errors.New("nothing of the picture is left to make a border of")
	}
	colour, err := p.Fill.pixel(im.Channels)
	if err != nil {
		return nil, err
	}
	out := b.image(im, width, height, im.Channels)
	n := im.Channels
	for y := range height {
		row := out.Pix[y*width*n : (y+1)*width*n]
		sy, ok := p.source(y, p.Top, p.Bottom, im.Height)
		for x := range width {
			sx, inside := p.source(x, p.Left, p.Right, im.Width)
			if ok && inside {
				copy(row[x*n:(x+1)*n], im.Pix[(sy*im.Width+sx)*n:])
			} else {
				copy(row[x*n:(x+1)*n], colour[:n])
			}
		}
	}
	return out, nil
}

// Output implements [Sizer].
func (p Pad) Output(width, height int) (newWidth, newHeight int) {
	return width + p.Left + p.Right, height + p.Top + p.Bottom
}

// source is the input position for output position i along one axis; false for the fill.
// Negative borders crop before the rest is mirrored.
func (p Pad) source(i, before, after, size int) (int, bool) {
	cut := -min(before, 0)
	left := size - cut + min(after, 0) // the length left after cropping
	at := i - max(before, 0)
	switch p.Mode {
	case Constant:
		return at + cut, at >= 0 && at < left
	case Edge:
		return min(max(at, 0), left-1) + cut, true
	case Reflect:
		return mirror(at, 2*max(left-1, 1), left-1) + cut, true
	}
	at = mirrorRepeating(at, left)
	return at + cut, true
}

// mirror folds a position into 0 to last with the given period.
func mirror(at, period, last int) int {
	if last == 0 {
		return 0
	}
	at %= period
	if at < 0 {
		at += period
	}
	return min(at, period-at)
}

// mirrorRepeating folds a position into 0 to size-1, with each end counted twice.
func mirrorRepeating(at, size int) int {
	at %= 2 * size
	if at < 0 {
		at += 2 * size
	}
	return min(at, 2*size-1-at)
}

// Fill is the colour of pixels from outside a picture: empty for black (transparent if
// there is an alpha channel), one value for all channels, or one for each.
type Fill []uint8

// pixel returns the colour for a number of channels.
func (f Fill) pixel(channels int) (p [4]uint8, err error) {
	switch len(f) {
	case 0:
	case 1:
		p = [4]uint8{f[0], f[0], f[0], f[0]}
	case channels:
		copy(p[:], f)
	default:
		return p, fmt.Errorf("a fill of %d values for a picture of %d channels", len(f), channels)
	}
	return p, nil
}

// text is the fill as an argument, with a comma before it; empty for black.
func (f Fill) text() string {
	switch len(f) {
	case 0:
		return ""
	case 1:
		return ",fill=" + strconv.Itoa(int(f[0]))
	}
	parts := make([]string, len(f))
	for i, v := range f {
		parts[i] = strconv.Itoa(int(v))
	}
	return ",fill=[" + strings.Join(parts, ",") + "]"
}

// paint gives every pixel the same colour.
func (im *Image) paint(p [4]uint8) {
	if p == ([4]uint8{}) {
		clear(im.Pix)
		return
	}
	n := im.Channels
	for i := 0; i < len(im.Pix); i += n {
		copy(im.Pix[i:i+n], p[:])
	}
}

// decimal is the shortest text that parses to the number.
func decimal(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }

// decimals are numbers separated by commas.
func decimals(v ...float64) string {
	parts := make([]string, len(v))
	for i, x := range v {
		parts[i] = decimal(x)
	}
	return strings.Join(parts, ",")
}
