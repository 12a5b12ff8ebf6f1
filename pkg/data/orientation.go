package data

import (
	"bytes"
	"encoding/binary"
	"regexp"
	"slices"

	"gaze/pkg/transform"
)

// upright undoes an EXIF orientation: 1 is already upright, 2 to 8 are as in the EXIF
// standard, anything else is treated as 1, as in PIL.
func (d *Decoder) upright(im *transform.Image, orientation int) *transform.Image {
	if orientation < 2 || orientation > 8 {
		return im
	}
	const n = 3
	w, h := im.Width, im.Height
	// The source pixel of output (x, y) is at start + x*right + y*down.
	var start, right, down int
	switch orientation {
	case 2:
		start, right, down = w-1, -1, w
	case 3:
		start, right, down = w*h-1, -1, -w
	case 4:
		start, right, down = w*(h-1), 1, -w
	case 5:
		start, right, down = 0, w, 1
	case 6:
		start, right, down = w*(h-1), -w, 1
	case 7:
		start, right, down = w*h-1, -w, -1
	case 8:
		start, right, down = w-1, w, -1
	}
	if orientation >= 5 {
		w, h = h, w
	}
	d.spare = slices.Grow(d.spare[:0], w*h*n)[:w*h*n]
	out := &transform.Image{Pix: d.spare, Width: w, Height: h, Channels: n}
	for y := range h {
		from := start + y*down
		row := out.Pix[y*w*n : (y+1)*w*n]
		for x := 0; x < len(row); x += n {
			copy(row[x:x+n], im.Pix[from*n:from*n+n])
			from += right
		}
	}
	d.pixels, d.spare = d.spare, im.Pix
	return d.keep(out.Pix, w, h)
}

// Tags of TIFF files, and so of EXIF blocks.
const (
	tagCompression  = 0x0103
	tagPhotometric  = 0x0106
	tagOrientation  = 0x0112
	tagSamples      = 0x0115
	tagExtraSamples = 0x0152
)

// tiffTag reads a tag's first value from the first directory of a TIFF file; an EXIF
// block has the same format. It returns 0 if there is none.
func tiffTag(b []byte, tag uint16) int {
	if len(b) < 8 || !slices.Contains([]string{"II*\x00", "MM\x00*", "II\x00*", "MM*\x00"}, string(b[:4])) { // the last two as in PIL
		return 0
	}
	var order binary.ByteOrder = binary.LittleEndian
	if b[0] == 'M' {
		order = binary.BigEndian
	}
	at := int64(order.Uint32(b[4:]))
	if at+2 > int64(len(b)) {
		return 0
	}
	entries := b[at+2:]
	for range order.Uint16(b[at:]) {
		if len(entries) < 12 {
			break
		}
		if order.Uint16(entries) == tag {
			return tiffValue(b, entries, order)
		}
		entries = entries[12:]
	}
	return 0
}

// tiffValue is the first value of an entry, 0 if it has no numeric value.
func tiffValue(b, entry []byte, order binary.ByteOrder) int {
	kind, count := order.Uint16(entry[2:]), int64(order.Uint32(entry[4:]))
	values := entry[8:12]
	size := map[uint16]int64{1: 1, 3: 2, 4: 4}[kind]
	if size*count > int64(len(values)) { // the entry holds an offset to the values
		at := int64(order.Uint32(values))
		if at+size*count > int64(len(b)) {
			return 0
		}
		values = b[at:]
	}
	if count == 0 {
		return 0
	}
	switch size {
	case 1:
		return int(values[0])
	case 2:
		return int(order.Uint16(values))
	case 4:
		return int(order.Uint32(values))
	}
	return 0
}

var xmpPattern = regexp.MustCompile(`tiff:Orientation(?:="|>)([0-9])`)

// orientation reads the orientation from EXIF or, failing that, from XMP; either block
// may be nil.
func orientation(exif, xmp []byte) int {
	exif = bytes.TrimPrefix(exif, []byte("Exif\x00\x00"))
	if o := tiffTag(exif, tagOrientation); o != 0 {
		return o
	}
	if m := xmpPattern.FindSubmatch(xmp); m != nil {
		return int(m[1][0] - '0')
	}
	return 1
}
