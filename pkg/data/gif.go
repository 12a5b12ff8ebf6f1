package data

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"gaze/pkg/transform"
)

// The first frame of a GIF file, as Pillow 13 reads it: Pillow skips unknown bytes between
// blocks, and reads no further than the frame's pixels.

// gifFrame describes the first frame of a GIF file.
type gifFrame struct {
	x, y, width, height int
	screenX, screenY    int    // size of the whole picture
	palette             []byte // 3 bytes per colour; nil: the indices are grey levels
	transparent         int    // index of the transparent colour, -1 for none
	interlaced          bool
	bits                int    // bits of the first codes, minus one
	blocks              []byte // the compressed pixels and what follows
	skipped             int    // bytes between blocks
}

// decodeGIF decodes the first frame. If it doesn't cover the whole picture, the rest has
// the transparent colour or, without one, the first of the palette.
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
		d.damage = fmt.Sprintf("%d stray bytes between its blocks", f.skipped)
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

// colours returns the colour of each index. The transparent index gets the background,
// if one is given.
func (f *gifFrame) colours(under backdrop) (list [256][3]byte) {
	for i := range list {
		list[i] = f.color(byte(i))
	}
	if under != nil && f.transparent >= 0 {
		list[f.transparent] = *under
	}
	return list
}

// color looks up an index; indices outside the palette are black.
func (f *gifFrame) color(index byte) [3]byte {
	if f.palette == nil {
		return [3]byte{index, index, index}
	}
	if at := int(index) * 3; at+3 <= len(f.palette) {
		return [3]byte(f.palette[at:])
	}
	return [3]byte{}
}

// rows returns the row numbers in the order in which the rows are stored.
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

// gifReader reads bytes from a file.
type gifReader struct {
	rest  []byte
	short bool // the file ended early
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

// block reads a data block; an empty one ends a chain of blocks.
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

// extension reads an extension. Only the one with the transparent colour is used.
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

// begin reads the frame's header.
func (f *gifFrame) begin(r *gifReader) error {
	head := r.take(9)
	if r.short {
		return io.ErrUnexpectedEOF
	}
	at := func(i int) int { return int(binary.LittleEndian.Uint16(head[i:])) }
	f.x, f.y, f.width, f.height = at(0), at(2), at(4), at(6)
	f.screenX, f.screenY = max(f.screenX, f.x+f.width), max(f.screenY, f.y+f.height)
	if f.screenX > 0xFFFF || f.screenY > 0xFFFF {
		return errors.New("the first frame is outside the limits of GIF")
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

// colors reads a colour table if the flags announce one.
func (f *gifFrame) colors(r *gifReader, flags byte) {
	if flags&0x80 != 0 {
		f.palette = r.take(3 << (flags&7 + 1))
	}
}

const gifCodes = 1 << 12 // the largest number of codes

var errGIFCode = errors.New("the data is damaged: an invalid code")

// pixels decompresses the frame (GIF89a, appendix F). Its memory grows with the data, not
// with the size in the header.
func (f *gifFrame) pixels() ([]byte, error) {
	if f.bits > 11 {
		return nil, fmt.Errorf("the data is damaged: codes of %d bits", f.bits+1)
	}
	t := newGIFTable(f.bits)
	r := gifCodeReader{blocks: f.blocks}
	size := f.width * f.height
	var out []byte
	for len(out) < size {
		code, err := r.code(t.bits)
		if err != nil {
			return nil, err
		}
		switch code {
		case t.clear:
			t.reset()
			continue
		case t.clear + 1: // end of the data
			return nil, io.ErrUnexpectedEOF
		}
		pixels, ok := t.decode(code)
		if !ok {
			return nil, errGIFCode
		}
		out = append(out, pixels...)
	}
	return out[:size], nil
}

// gifTable maps codes to strings of pixels.
type gifTable struct {
	depth    int // bits of a pixel
	clear    int // the code that clears the table; lower codes are single pixels
	next     int // the next code to be defined
	bits     int // bits of a code
	previous int // the previous code, -1 for none
	first    [gifCodes + 1]byte
	last     [gifCodes + 1]byte
	before   [gifCodes + 1]uint16 // code of the string without its last pixel
	text     [gifCodes + 1]byte
}

func newGIFTable(bits int) *gifTable {
	t := &gifTable{depth: bits, clear: 1 << bits}
	for i := range t.clear {
		t.first[i], t.last[i] = byte(i), byte(i)
	}
	t.reset()
	return t
}

// reset clears the table.
func (t *gifTable) reset() {
	t.previous, t.next, t.bits = -1, t.clear+2, t.depth+1
}

// decode returns the string of a code and defines the next code. The string is valid
// until the next call.
func (t *gifTable) decode(code int) (pixels []byte, ok bool) {
	if t.previous < 0 {
		t.previous = code
		t.text[0] = byte(code)
		return t.text[:1], code < t.clear
	}
	if code > t.next || code == gifCodes {
		return nil, false
	}
	// The next code's string is the previous code's string followed by the first pixel of
	// this code's string; this code may be the next code itself.
	start := t.first[code]
	if code == t.next {
		start = t.first[t.previous]
	}
	t.first[t.next], t.last[t.next], t.before[t.next] = t.first[t.previous], start, uint16(t.previous)
	at := len(t.text)
	c := code
	for ; c >= t.clear; c = int(t.before[c]) {
		if at--; at == 0 {
			return nil, false
		}
		t.text[at] = t.last[c]
	}
	at--
	t.text[at] = byte(c)
	if t.next < gifCodes {
		if t.next == 1<<t.bits-1 && t.bits < 12 {
			t.bits++
		}
		t.next++
	}
	t.previous = code
	return t.text[at:], true
}

// gifCodeReader reads codes from data blocks. It ignores empty blocks.
type gifCodeReader struct {
	blocks []byte
	block  []byte
	acc    uint32
	count  int
}

func (r *gifCodeReader) code(bits int) (int, error) {
	for r.count < bits {
		for len(r.block) == 0 {
			if len(r.blocks) == 0 || len(r.blocks) < 1+int(r.blocks[0]) {
				return 0, io.ErrUnexpectedEOF
			}
			n := 1 + int(r.blocks[0])
			r.block, r.blocks = r.blocks[1:n], r.blocks[n:]
		}
		r.acc |= uint32(r.block[0]) << r.count
		r.count += 8
		r.block = r.block[1:]
	}
	code := int(r.acc & (1<<bits - 1))
	r.acc >>= bits
	r.count -= bits
	return code, nil
}
