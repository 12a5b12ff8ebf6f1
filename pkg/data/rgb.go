package data

import (
	"encoding/binary"
	"fmt"
	"image"
	"image/color"

	"gaze/pkg/transform"
)

// backdrop is the colour that transparent pixels are put on; if it is nil, alpha is
// dropped.
type backdrop = *[3]uint8

// put writes a colour with an alpha value.
func put(dst []byte, r, g, b, a byte, under backdrop) {
	dst[0], dst[1], dst[2] = r, g, b
	if under != nil && a != 255 {
		over := transform.Over([3]uint8{r, g, b}, a, *under)
		copy(dst, over[:])
	}
}

// toRGB converts a decoder's picture as PIL's convert("RGB") does, except for 16-bit grey
// (see [Decode]), or puts it on a background colour.
func toRGB(src image.Image, under backdrop) (*transform.Image, error) {
	b := src.Bounds()
	out := transform.NewImage(b.Dx(), b.Dy(), 3)
	switch src := src.(type) {
	case *image.Gray:
		eachPixel(out, src.Pix, src.Stride, 1, func(d, s []byte) { d[0], d[1], d[2] = s[0], s[0], s[0] })
	case *image.Gray16:
		eachPixel(out, src.Pix, src.Stride, 2, func(d, s []byte) { d[0], d[1], d[2] = s[0], s[0], s[0] })
	case *image.Paletted:
		p := paletteRGB(src.Palette, under)
		eachPixel(out, src.Pix, src.Stride, 1, func(d, s []byte) { copy(d, p[s[0]][:]) })
	case *image.NRGBA:
		eachPixel(out, src.Pix, src.Stride, 4, func(d, s []byte) { put(d, s[0], s[1], s[2], s[3], under) })
	case *image.NRGBA64:
		eachPixel(out, src.Pix, src.Stride, 8, func(d, s []byte) { put(d, s[0], s[2], s[4], s[6], under) })
	case *image.RGBA:
		eachPixel(out, src.Pix, src.Stride, 4, func(d, s []byte) { divideAlpha(d, s[0], s[1], s[2], s[3], under) })
	case *image.RGBA64:
		eachPixel(out, src.Pix, src.Stride, 8, func(d, s []byte) { divideAlpha(d, s[0], s[2], s[4], s[6], under) })
	default:
		return nil, fmt.Errorf("pixels of type %T aren't supported: save the picture as 8-bit PNG", src)
	}
	return out, nil
}

// eachPixel calls f with every pixel of out and the size bytes it comes from.
func eachPixel(out *transform.Image, pix []byte, stride, size int, f func(dst, src []byte)) {
	for y := range out.Height {
		row := pix[y*stride:]
		dst := out.Pix[y*out.Width*3:]
		for x := range out.Width {
			f(dst[3*x:3*x+3:3*x+3], row[size*x:size*x+size:size*x+size])
		}
	}
}

// divideAlpha undoes premultiplication with PIL's rounding.
func divideAlpha(d []byte, r, g, b, a byte, under backdrop) {
	switch a {
	case 255:
		d[0], d[1], d[2] = r, g, b
	case 0:
		d[0], d[1], d[2] = 0, 0, 0
	default:
		for i, v := range [3]byte{r, g, b} {
			d[i] = byte(min(int(v)*255/int(a), 255))
		}
	}
	put(d, d[0], d[1], d[2], a, under)
}

// cmykRGB converts inks to RGB without a colour profile: each channel is the white left
// by black, minus the ink's share of it.
func cmykRGB(dst []byte, c, m, y, k byte) {
	white := uint32(255 - k)
	for i, ink := range [3]byte{c, m, y} {
		v := uint32(ink)*white + 128
		dst[i] = byte(max(int(white)-int((v>>8+v)>>8), 0))
	}
}

// paletteRGB returns a palette's colours; missing ones are black.
func paletteRGB(p color.Palette, under backdrop) (rgb [256][3]byte) {
	for i, c := range p {
		if i == len(rgb) {
			break
		}
		switch c := c.(type) {
		case color.NRGBA:
			put(rgb[i][:], c.R, c.G, c.B, c.A, under)
		default:
			r, g, b, _ := c.RGBA()
			rgb[i] = [3]byte{byte(r >> 8), byte(g >> 8), byte(b >> 8)}
		}
	}
	return rgb
}

// spread converts grey to RGB; dst has three times as many bytes.
func spread(dst, grey []byte) {
	n := len(grey)
	dst = dst[:3*n]
	// Write four bytes at a time; the next pixel overwrites the fourth.
	for ; n > 1 && len(dst) >= 4; n-- {
		binary.LittleEndian.PutUint32(dst, uint32(grey[0])*0x010101)
		dst, grey = dst[3:], grey[1:]
	}
	for i := range dst {
		dst[i] = grey[i/3]
	}
}
