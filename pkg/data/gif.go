package data

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"gaze/pkg/transform"
)

// The first frame of a GIF file, as Pillow 13 reads it: what it doesn't know between
// blocks it skips, and it asks for no more than the frame's pixels.

// gifFrame is what a GIF file says of its first frame.
type gifFrame struct {
	x, y, width, height int
	screenX, screenY    int    // size of the whole picture
	palette             []byte // 3 bytes a colour; nil: the indices are levels of grey
	transparent         int    // index of the transparent colour, -1 for none
	interlaced          bool
	bits                int    // of the first codes, less one
	blocks              []byte // the compressed pixels and what follows
	skipped             int    // bytes between blocks
}

// decodeGIF takes the first frame, on a canvas of the transparent colour (else
// the first of the palette) where it doesn't cover the whole.
func (d *Decoder) decodeGIF(data []byte) (*transform.Image, int, error) {
	f, err := firstGIFFrame(data)
	if err == nil {
		err = checkSize(f.screenX, f.screenY)
	}
	if err != nil {
		return nil, 0, err
	}
	pixels, err := f.pixels()
	if err != nil {
		return nil, 0, err
	}
	if f.skipped > 0 {
		d.damage = fmt.Sprintf("%d bytes between its blocks that belong to none", f.skipped)
	}
	out := transform.NewImage(f.screenX, f.screenY, 3)
	colours := f.colours(d.Background)
	background := colours[max(f.transparent, 0)]
	for i := 0; i < len(out.Pix); i += 3 {
		copy(out.Pix[i:], background[:])
	}
	for i, row := range f.rows() {
		dst := out.Pix[((f.y+row)*out.Width+f.x)*3:]
		for x, index := range pixels[i*f.width : (i+1)*f.width] {
			copy(dst[3*x:], colours[index][:])
		}
	}
	return out, 1, nil
}

// colours are those of each index, the transparent one's what it is put on, if that
// is given.
func (f *gifFrame) colours(under backdrop) (list [256][3]byte) {
	for i := range list {
		list[i] = f.color(byte(i))
	}
	if under != nil && f.transparent >= 0 {
		list[f.transparent] = *under
	}
	return list
}

// color looks an index up; those that the palette hasn't are black.
func (f *gifFrame) color(index byte) [3]byte {
	if f.palette == nil {
		return [3]byte{index, index, index}
	}
	if at := int(index) * 3; at+3 <= len(f.palette) {
		return [3]byte(f.palette[at:])
	}
	return [3]byte{}
}

// rows are the places of the rows in the order they come.
func (f *gifFrame) rows() []int {
	rows := make([]int, 0, f.height)
	passes := [][2]int{{0, 1}}
	if f.interlaced {
		passes = [][2]int{{0, 8}, {4, 8}, {2, 4}, {1, 2}}
	}
	for _, p := range passes {
		for y := p[0]; y < f.height; y += p[1] {
			rows = append(rows, y)
		}
	}
	return rows
}

// gifReader takes bytes off a file.
type gifReader struct {
	rest  []byte
	short bool // it ended too early
}

func (r *gifReader) take(n int) []byte {
	if n > len(r.rest) {
		r.short = true
		n = len(r.rest)
	}
	b := r.rest[:n]
	r.rest = r.rest[n:]
	return b
}

func (r *gifReader) byte() int {
	if b := r.take(1); len(b) == 1 {
		return int(b[0])
	}
	return -1
}

// block takes a block of data, empty at the end of a chain of them.
func (r *gifReader) block() []byte { return r.take(max(r.byte(), 0)) }

// firstGIFFrame reads blocks up to the first frame's pixels.
func firstGIFFrame(data []byte) (*gifFrame, error) {
	r := &gifReader{rest: data}
	head := r.take(13)
	if r.short {
		return nil, io.ErrUnexpectedEOF
	}
	f := &gifFrame{
		transparent: -1,
		screenX:     int(binary.LittleEndian.Uint16(head[6:])), screenY: int(binary.LittleEndian.Uint16(head[8:])),
	}
	f.colors(r, head[10])
	for !r.short {
		switch r.byte() {
		case -1:
			if f.skipped > 0 {
				return nil, errors.New("the data is damaged: blocks of unknown kind, and no picture")
			}
			return nil, io.ErrUnexpectedEOF
		case ';':
			return nil, errors.New("no picture in it")
		case '!':
			if err := f.extension(r); err != nil {
				return nil, err
			}
		case ',':
			return f, f.begin(r)
		default:
			f.skipped++
		}
	}
	return nil, io.ErrUnexpectedEOF
}

// extension reads an extension. Only that of a transparent colour counts.
func (f *gifFrame) extension(r *gifReader) error {
	const graphics, comment = 0xF9, 0xFE
	label := r.byte()
	block := r.block()
	if label == graphics && len(block) > 0 {
		if len(block) < 3 || block[0]&1 != 0 && len(block) < 4 {
			return errors.New("the data is damaged: a graphics block is too short")
		}
		if block[0]&1 != 0 {
			f.transparent = int(block[3])
		}
	}
	if label == comment && len(block) == 0 {
		return nil
	}
	for len(r.block()) > 0 {
	}
	return nil
}

// begin reads the frame's own header.
func (f *gifFrame) begin(r *gifReader) error {
	head := r.take(9)
	if r.short {
		return io.ErrUnexpectedEOF
	}
	at := func(i int) int { return int(binary.LittleEndian.Uint16(head[i:])) }
	f.x, f.y, f.width, f.height = at(0), at(2), at(4), at(6)
	f.screenX, f.screenY = max(f.screenX, f.x+f.width), max(f.screenY, f.y+f.height)
	if f.screenX > 0xFFFF || f.screenY > 0xFFFF {
		return errors.New("the first frame lies outside what a GIF can hold")
	}
	if f.width == 0 || f.height == 0 {
		return errors.New("the data is damaged: the first frame has no pixels")
	}
	f.interlaced = head[8]&0x40 != 0
	f.colors(r, head[8])
	f.bits = r.byte()
	f.blocks = r.rest
	if r.short {
		return io.ErrUnexpectedEOF
	}
	return nil
}

// colors takes a colour table if flags say that there is one.
func (f *gifFrame) colors(r *gifReader, flags byte) {
	if flags&0x80 != 0 {
		f.palette = r.take(3 << (flags&7 + 1))
	}
}
