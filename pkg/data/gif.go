package data

import (
	"bytes"
	"encoding/binary"
	"errors"
	"image"
	"image/gif"
	"io"

	"gaze/pkg/transform"
)

// gifFrame is what a GIF file says of its first frame.
type gifFrame struct {
	bounds        image.Rectangle
	width, height int    // of the whole picture
	palette       []byte // 3 bytes a colour
	transparent   int    // index of the transparent colour, -1 for none
}

// decodeGIF takes the first frame, on a canvas of the transparent colour (else
// the first of the palette) where it doesn't cover the whole.
func decodeGIF(data []byte) (*transform.Image, int, error) {
	f, err := firstGIFFrame(data)
	if err == nil {
		err = checkSize(f.width, f.height)
	}
	if err != nil {
		return nil, 0, err
	}
	// A frame may reach beyond the screen the header claims; the picture is
	// then as large as both together.
	data = bytes.Clone(data)
	binary.LittleEndian.PutUint16(data[6:], uint16(f.width))
	binary.LittleEndian.PutUint16(data[8:], uint16(f.height))
	src, err := gif.Decode(bytes.NewReader(data))
	if err != nil {
		return nil, 0, err
	}
	frame, ok := src.(*image.Paletted)
	if !ok {
		return nil, 0, errors.New("the frame has no palette")
	}
	out := transform.NewImage(f.width, f.height, 3)
	background := f.color(byte(max(f.transparent, 0)))
	for i := 0; i < len(out.Pix); i += 3 {
		copy(out.Pix[i:], background)
	}
	for y := range frame.Rect.Dy() {
		dst := out.Pix[((frame.Rect.Min.Y+y)*out.Width+frame.Rect.Min.X)*3:]
		for x, index := range frame.Pix[y*frame.Stride:][:frame.Rect.Dx()] {
			copy(dst[3*x:], f.color(index))
		}
	}
	return out, 1, nil
}

// color looks an index up in the file's own palette: image/gif makes the
// transparent colour black, PIL keeps it.
func (f *gifFrame) color(index byte) []byte {
	if at := int(index) * 3; at+3 <= len(f.palette) {
		return f.palette[at : at+3]
	}
	return []byte{0, 0, 0}
}

// firstGIFFrame reads blocks up to the first frame's pixels.
func firstGIFFrame(data []byte) (*gifFrame, error) {
	if len(data) < 13 {
		return nil, io.ErrUnexpectedEOF
	}
	f := &gifFrame{transparent: -1}
	width, height := int(binary.LittleEndian.Uint16(data[6:])), int(binary.LittleEndian.Uint16(data[8:]))
	b, err := f.colors(data[13:], data[10])
	for err == nil {
		if len(b) > 0 && b[0] == ';' {
			return nil, errors.New("no picture in it")
		}
		if len(b) < 2 {
			return nil, io.ErrUnexpectedEOF
		}
		switch b[0] {
		case '!':
			if b[1] == 0xF9 && len(b) >= 8 && b[3]&1 != 0 {
				f.transparent = int(b[6])
			}
			b, err = skipGIFBlocks(b[2:])
		case ',':
			if len(b) < 10 {
				return nil, io.ErrUnexpectedEOF
			}
			at := func(i int) int { return int(binary.LittleEndian.Uint16(b[i:])) }
			f.bounds = image.Rect(at(1), at(3), at(1)+at(5), at(3)+at(7))
			f.width, f.height = max(width, f.bounds.Max.X), max(height, f.bounds.Max.Y)
			if f.width > 0xFFFF || f.height > 0xFFFF {
				return nil, errors.New("the first frame lies outside what a GIF can hold")
			}
			_, err = f.colors(b[10:], b[9])
			return f, err
		default:
			return nil, errors.New("the data is damaged: a block of unknown kind")
		}
	}
	return nil, err
}

// colors takes a colour table off b if flags say that there is one.
func (f *gifFrame) colors(b []byte, flags byte) ([]byte, error) {
	if flags&0x80 == 0 {
		return b, nil
	}
	n := 3 << (flags&7 + 1)
	if len(b) < n {
		return nil, io.ErrUnexpectedEOF
	}
	f.palette = b[:n]
	return b[n:], nil
}

// skipGIFBlocks skips data blocks up to the empty one that ends them.
func skipGIFBlocks(b []byte) ([]byte, error) {
	for {
		if len(b) == 0 || len(b) < int(b[0])+1 {
			return nil, io.ErrUnexpectedEOF
		}
		n := int(b[0])
		b = b[n+1:]
		if n == 0 {
			return b, nil
		}
	}
}
