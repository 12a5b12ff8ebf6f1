package data

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"image/png"

	"gaze/pkg/transform"
)

const pngMagic = "\x89PNG\r\n\x1a\n"

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
	src, err := png.Decode(bytes.NewReader(withEnd(data)))
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

// withEnd returns a PNG file as it is if it has its end chunk, else what is whole of
// it and an end: PIL reads files that were cut off after their pixels. Only the
// checksum of the last chunk may be missing.
func withEnd(data []byte) []byte {
	const frame = 12 // length, name and checksum of a chunk
	at, pixels := len(pngMagic), false
	for len(data)-at >= frame {
		n := uint64(binary.BigEndian.Uint32(data[at:]))
		if n+frame > uint64(len(data)-at) {
			break
		}
		name := string(data[at+4 : at+8])
		if name == "IEND" {
			return data
		}
		pixels = pixels || name == "IDAT"
		at += int(n) + frame
	}
	whole := bytes.Clone(data[:at])
	if rest := data[at:]; len(rest) >= 8 && string(rest[4:8]) == "IDAT" {
		if end := 8 + uint64(binary.BigEndian.Uint32(rest)); end <= uint64(len(rest)) {
			whole = append(whole, rest[:end]...)
			whole = binary.BigEndian.AppendUint32(whole, crc32.ChecksumIEEE(rest[4:end]))
			pixels = true
		}
	}
	if !pixels {
		return data
	}
	return append(whole, "\x00\x00\x00\x00IEND\xaeB`\x82"...)
}
