package data

import (
	"bytes"
	"encoding/binary"
	"errors"
	"image"
	"image/png"

	"gaze/pkg/transform"
)

const pngMagic = "\x89PNG\r\n\x1a\n"

// decodePNG decodes by the standard library what is without fault, and else what PIL
// can make use of.
func (d *Decoder) decodePNG(data []byte) (*transform.Image, int, error) {
	exif, xmp := pngMetadata(data)
	src, err := wholePNG(data)
	if errors.Is(err, ErrTooLarge) {
		return nil, 0, err
	}
	if err == nil {
		if err := checkPNG(data); err != nil {
			return nil, 0, err
		}
	} else {
		whole, damage, err := mendPNG(data)
		if err != nil {
			return nil, 0, err
		}
		if src, err = wholePNG(whole); err != nil {
			return nil, 0, err
		}
		d.damage = damage
	}
	im, err := toRGB(src, d.Background)
	return im, orientation(exif, xmp), err
}

// wholePNG decodes a file that has no fault.
func wholePNG(data []byte) (image.Image, error) {
	h, err := png.DecodeConfig(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	if err := checkPNGSize(h.Width, h.Height, len(data)); err != nil {
		return nil, err
	}
	return png.Decode(bytes.NewReader(data))
}

// checkPNGSize refuses a header that claims more than a file of so many bytes can
// hold, before memory is taken for it. A byte of deflate makes at most 1,032, and a
// pixel is at least a bit.
func checkPNGSize(width, height, size int) error {
	if err := checkSize(width, height); err != nil {
		return err
	}
	if int64(width)*int64(height)/8 > int64(size)*1032 {
		return ErrTruncated
	}
	return nil
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
