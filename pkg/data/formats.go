package data

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"

	"golang.org/x/image/bmp"

	"gaze/pkg/data/jpeg"
	"gaze/pkg/transform"
)

func (d *Decoder) decodeJPEG(data []byte) (*transform.Image, int, error) {
	h, err := d.jpeg.DecodeHeader(data)
	if err == nil {
		err = checkSize(h.Width, h.Height)
	}
	var p jpeg.Picture
	if err == nil {
		p, err = d.jpeg.Decode(data, d.pixels)
	}
	if errors.Is(err, jpeg.ErrTruncated) {
		err = ErrTruncated
	}
	if err != nil {
		return nil, 0, err
	}
	d.pixels, d.damage = p.Pix, p.Damage
	exif, xmp := jpegMetadata(data)
	return d.jpegRGB(p), orientation(exif, xmp), nil
}

// jpegRGB converts grey pictures and CMYK ones, whose samples are inverted.
func (d *Decoder) jpegRGB(p jpeg.Picture) *transform.Image {
	if p.Channels == 3 {
		return d.keep(p.Pix, p.Width, p.Height)
	}
	d.spare = slices.Grow(d.spare[:0], p.Width*p.Height*3)[:p.Width*p.Height*3]
	out := d.keep(d.spare, p.Width, p.Height)
	d.pixels, d.spare = d.spare, d.pixels
	if p.Channels == 1 {
		spread(out.Pix, p.Pix)
		return out
	}
	eachPixel(out, p.Pix, p.Width*4, 4, func(d, s []byte) { cmykRGB(d, 255-s[0], 255-s[1], 255-s[2], 255-s[3]) })
	return out
}

// jpegMetadata finds the EXIF and XMP blocks before the first scan.
func jpegMetadata(data []byte) (exif, xmp []byte) {
	const (
		app1    = 0xE1
		xmpName = "http://ns.adobe.com/xap/1.0/\x00"
	)
	jpeg.Segments(data, func(marker byte, segment []byte) {
		if marker != app1 {
			return
		}
		if exif == nil && bytes.HasPrefix(segment, []byte("Exif\x00\x00")) {
			exif = segment
		}
		if rest, ok := bytes.CutPrefix(segment, []byte(xmpName)); ok && xmp == nil {
			xmp = rest
		}
	})
	return exif, xmp
}

// bmpMasks is the compression of files that say where each colour's bits are.
const bmpMasks = 3

func (d *Decoder) decodeBMP(data []byte) (*transform.Image, int, error) {
	h, err := bmp.DecodeConfig(bytes.NewReader(data))
	if err == nil {
		err = checkSize(h.Width, h.Height)
	}
	if err != nil {
		return nil, 0, advise(err)
	}
	bits := int(binary.LittleEndian.Uint16(data[28:]))
	if int64(h.Width)*int64(h.Height)*int64(bits)/8 > int64(len(data)) {
		return nil, 0, ErrTruncated
	}
	// Rows are filled up to four bytes; what fills the last may be missing.
	fill := make([]byte, -((h.Width*bits+7)/8)&3)
	src, err := bmp.Decode(io.MultiReader(bytes.NewReader(data), bytes.NewReader(fill)))
	if err != nil {
		return nil, 0, advise(err)
	}
	under := d.Background
	if compression := binary.LittleEndian.Uint32(data[30:]); compression != bmpMasks {
		under = nil // the fourth byte is no alpha without a mask
	}
	im, err := toRGB(src, under)
	return im, 1, err
}

// advise adds what to do to the errors of formats whose rarer kinds aren't
// supported.
func advise(err error) error {
	if endsEarly(err) {
		return err
	}
	return fmt.Errorf("%w (if other programs open it, save it as PNG)", err)
}
