package data

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"image"

	"golang.org/x/image/tiff"

	"gaze/pkg/transform"
)

func (d *Decoder) decodeTIFF(data []byte) (*transform.Image, int, error) {
	data, cmyk := inksAsColours(data)
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
	if cmyk {
		im, err := inksToRGB(src)
		return im, orientation(data, nil), err
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

// Values of a TIFF file's tags.
const (
	photometricRGB  = 2
	photometricCMYK = 5
	typeShort       = 3
)

// inksAsColours returns a TIFF file of four inks, which x/image doesn't know, as one
// of three colours and an alpha channel that they aren't multiplied with: the same
// file with another directory at its end.
func inksAsColours(data []byte) (rewritten []byte, cmyk bool) {
	if tiffTag(data, tagPhotometric) != photometricCMYK || tiffTag(data, tagSamples) != 4 || len(data) >= 1<<31 {
		return data, false
	}
	var order binary.AppendByteOrder = binary.LittleEndian
	if data[0] == 'M' {
		order = binary.BigEndian
	}
	get := order.(binary.ByteOrder)
	at := int64(get.Uint32(data[4:]))
	count := int64(get.Uint16(data[at:]))
	if at+2+12*count > int64(len(data)) {
		return data, false
	}
	short := func(out []byte, tag, value uint16) []byte {
		out = order.AppendUint16(order.AppendUint16(out, tag), typeShort)
		return order.AppendUint16(order.AppendUint16(order.AppendUint32(out, 1), value), 0)
	}
	const unassociated = 2
	var entries []byte
	extra := false
	for i := range count {
		e := data[at+2+12*i:][:12]
		tag := get.Uint16(e)
		if tag > tagExtraSamples && !extra {
			entries, extra = short(entries, tagExtraSamples, unassociated), true
		}
		switch tag {
		case tagPhotometric:
			entries = short(entries, tagPhotometric, photometricRGB)
		case tagExtraSamples: // of four samples there is none
		default:
			entries = append(entries, e...)
		}
	}
	if !extra {
		entries = short(entries, tagExtraSamples, unassociated)
	}
	out := append(bytes.Clone(data), make([]byte, len(data)%2)...) // directories begin at even places
	get.PutUint32(out[4:], uint32(len(out)))
	out = order.AppendUint16(out, uint16(len(entries)/12))
	return append(append(out, entries...), 0, 0, 0, 0), true
}

// inksToRGB converts what inksAsColours made x/image take for colours.
func inksToRGB(src image.Image) (*transform.Image, error) {
	b := src.Bounds()
	out := transform.NewImage(b.Dx(), b.Dy(), 3)
	switch src := src.(type) {
	case *image.NRGBA:
		eachPixel(out, src.Pix, src.Stride, 4, func(d, s []byte) { cmykRGB(d, s[0], s[1], s[2], s[3]) })
	case *image.NRGBA64:
		eachPixel(out, src.Pix, src.Stride, 8, func(d, s []byte) { cmykRGB(d, s[0], s[2], s[4], s[6]) })
	default:
		return nil, fmt.Errorf("four inks in pixels of type %T aren't supported: save the picture as RGB", src)
	}
	return out, nil
}
