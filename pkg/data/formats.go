package data

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
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
	d.pixels = p.Pix
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
	const xmpName = "http://ns.adobe.com/xap/1.0/\x00"
	for b := data[2:]; len(b) >= 4 && b[0] == 0xFF; {
		marker := b[1]
		if marker == 0xFF { // fill byte
			b = b[1:]
			continue
		}
		n := int(binary.BigEndian.Uint16(b[2:])) + 2
		if marker == 0xDA || n < 4 || n > len(b) {
			break
		}
		segment := b[4:n]
		b = b[n:]
		if marker != 0xE1 {
			continue
		}
		if exif == nil && bytes.HasPrefix(segment, []byte("Exif\x00\x00")) {
			exif = segment
		}
		if rest, ok := bytes.CutPrefix(segment, []byte(xmpName)); ok && xmp == nil {
			xmp = rest
		}
	}
	return exif, xmp
}

func decodeBMP(data []byte) (*transform.Image, int, error) {
	h, err := bmp.DecodeConfig(bytes.NewReader(data))
	if err == nil {
		err = checkSize(h.Width, h.Height)
	}
	if err != nil {
		return nil, 0, advise(err)
	}
	if bits := int64(binary.LittleEndian.Uint16(data[28:])); int64(h.Width)*int64(h.Height)*bits/8 > int64(len(data)) {
		return nil, 0, ErrTruncated
	}
	src, err := bmp.Decode(bytes.NewReader(data))
	if err != nil {
		return nil, 0, advise(err)
	}
	im, err := toRGB(src)
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
