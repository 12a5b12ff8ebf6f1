package transform

import (
	"fmt"
	"strconv"
	"strings"
)

// Fill is the colour of what comes from outside a picture: nothing for black
// (with an alpha channel, transparent), one value for all channels, or one for
// each.
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

// text is the fill as an argument, with the comma before it; nothing for black.
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

// decimal is a number's shortest text that reads as the same number.
func decimal(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }

// decimals are numbers with commas between.
func decimals(v ...float64) string {
	parts := make([]string, len(v))
	for i, x := range v {
		parts[i] = decimal(x)
	}
	return strings.Join(parts, ",")
}
