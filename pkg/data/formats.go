package data

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"image/png"
	"slices"

	"golang.org/x/image/bmp"
	"golang.org/x/image/tiff"

	"gaze/pkg/data/jpeg"
	"gaze/pkg/transform"
)

const pngMagic = "\x89PNG\r\n\x1a\n"

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

// jpegRGB converts grey and CMYK pictures.
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
	// The samples are stored inverted, so the ink is 255 minus them, and what a
	// colour leaves is the white left by black less the ink's share of it.
	eachPixel(out, p.Pix, p.Width*4, 4, func(d, s []byte) {
		white := uint32(s[3])
		for i := range 3 {
			v := uint32(255-s[i])*white + 128
			d[i] = byte(max(int(white)-int((v>>8+v)>>8), 0))
		}
	})
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

func decodePNG(data []byte) (*transform.Image, int, error) {
	h, err := png.DecodeConfig(bytes.NewReader(data))
	if err == nil {
		err = checkSize(h.Width, h.Height)
	}
	if err != nil {
		return nil, 0, err
	}
	// A byte of deflate makes at most 1,032, and a pixel is at least a bit: a
	// header that claims more is refused before memory is taken for it.
	if int64(h.Width)*int64(h.Height)/8 > int64(len(data))*1032 {
		return nil, 0, ErrTruncated
	}
	src, err := png.Decode(bytes.NewReader(data))
	if err != nil {
		return nil, 0, err
	}
	im, err := toRGB(src)
	exif, xmp := pngMetadata(data)
	return im, orientation(exif, xmp), err
}

// pngMetadata finds the EXIF chunk and uncompressed XMP text.
func pngMetadata(data []byte) (exif, xmp []byte) {
	const xmpName = "XML:com.adobe.xmp\x00\x00"
	for b := data[len(pngMagic):]; len(b) >= 12; {
		n := uint64(binary.BigEndian.Uint32(b))
		if n+12 > uint64(len(b)) {
			break
		}
		name, chunk := string(b[4:8]), b[8:8+n]
		b = b[12+n:]
		switch {
		case name == "eXIf":
			exif = chunk
		case name == "iTXt" && bytes.HasPrefix(chunk, []byte(xmpName)):
			xmp = chunk[len(xmpName):]
		}
	}
	return exif, xmp
}

func decodeTIFF(data []byte) (*transform.Image, int, error) {
	h, err := tiff.DecodeConfig(bytes.NewReader(data))
	if err == nil {
		err = checkSize(h.Width, h.Height)
	}
	if err != nil {
		return nil, 0, advise(err)
	}
	src, err := tiff.Decode(bytes.NewReader(data))
	if err != nil {
		return nil, 0, advise(err)
	}
	im, err := toRGB(src)
	// In fax compression (2 to 4) a white run is made of zeros, which are black
	// if the file says so; x/image takes them for white all the same.
	if c := tiffTag(data, tagCompression); err == nil && c >= 2 && c <= 4 && tiffTag(data, tagPhotometric) == 1 {
		for i, v := range im.Pix {
			im.Pix[i] = ^v
		}
	}
	return im, orientation(data, nil), err
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
