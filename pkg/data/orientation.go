package data

import (
	"bytes"
	"encoding/binary"

	"gaze/pkg/transform"
)

// orientation returns the EXIF orientation of a file, 1 to 8; 1 (upright) if
// there is none or it can't be understood.
func orientation(format string, data []byte) int {
	switch format {
	case "JPEG":
		return tiffOrientation(jpegEXIF(data))
	case "PNG":
		return tiffOrientation(chunk(data[8:], "eXIf", binary.BigEndian, false))
	case "WebP":
		return tiffOrientation(chunk(data[12:], "EXIF", binary.LittleEndian, true))
	case "TIFF":
		return tiffOrientation(data)
	}
	return 1
}

// jpegEXIF returns the TIFF structure in a JPEG file's APP1 segment.
func jpegEXIF(data []byte) []byte {
	for pos := 2; pos+4 <= len(data) && data[pos] == 0xFF; {
		marker, size := data[pos+1], int(binary.BigEndian.Uint16(data[pos+2:]))
		if marker == 0xDA || marker == 0xD9 || size < 2 || pos+2+size > len(data) {
			return nil
		}
		segment := data[pos+4 : pos+2+size]
		if marker == 0xE1 && bytes.HasPrefix(segment, []byte("Exif\x00\x00")) {
			return segment[6:]
		}
		pos += 2 + size
	}
	return nil
}

// chunk finds a chunk of a PNG (length, name, data, checksum) or a RIFF file
// (name, length, data padded to even).
func chunk(data []byte, name string, order binary.ByteOrder, riff bool) []byte {
	for len(data) >= 8 {
		id, size := string(data[4:8]), int64(order.Uint32(data))
		trailer := int64(4)
		if riff {
			id, size = string(data[:4]), int64(order.Uint32(data[4:]))
			trailer = size & 1
		}
		if size > int64(len(data)-8) {
			return nil
		}
		if id == name {
			return bytes.TrimPrefix(data[8:8+size], []byte("Exif\x00\x00"))
		}
		if 8+size+trailer > int64(len(data)) {
			return nil
		}
		data = data[8+size+trailer:]
	}
	return nil
}

// tiffOrientation reads tag 274 of the first directory of a TIFF structure.
func tiffOrientation(data []byte) int {
	if len(data) < 8 {
		return 1
	}
	var order binary.ByteOrder = binary.LittleEndian
	if data[0] == 'M' {
		order = binary.BigEndian
	}
	at := int64(order.Uint32(data[4:]))
	if at+2 > int64(len(data)) {
		return 1
	}
	entries := data[at+2:]
	for range order.Uint16(data[at:]) {
		if len(entries) < 12 {
			return 1
		}
		if order.Uint16(entries) == 274 {
			if v := int(order.Uint16(entries[8:])); v >= 1 && v <= 8 {
				return v
			}
			return 1
		}
		entries = entries[12:]
	}
	return 1
}

// upright turns and mirrors a picture as its EXIF orientation says, as PIL's
// ImageOps.exif_transpose does.
func upright(im *transform.Image, orientation int) *transform.Image {
	if orientation <= 1 {
		return im
	}
	w, h, n := im.Width, im.Height, im.Channels
	out := transform.NewImage(w, h, n)
	if orientation >= 5 {
		out.Width, out.Height = h, w
	}
	for y := range h {
		for x := range w {
			var tx, ty int // where the pixel goes
			switch orientation {
			case 2:
				tx, ty = w-1-x, y
			case 3:
				tx, ty = w-1-x, h-1-y
			case 4:
				tx, ty = x, h-1-y
			case 5:
				tx, ty = y, x
			case 6:
				tx, ty = h-1-y, x
			case 7:
				tx, ty = h-1-y, w-1-x
			case 8:
				tx, ty = y, w-1-x
			}
			copy(out.Pix[(ty*out.Width+tx)*n:][:n], im.Pix[(y*w+x)*n:])
		}
	}
	return out
}
