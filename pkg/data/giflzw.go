package data

import (
	"errors"
	"fmt"
	"io"
)

const gifCodes = 1 << 12 // at most

var errGIFCode = errors.New("the data is damaged: a code that can't be")

// pixels decompresses the frame (GIF89a, appendix F). The memory it takes grows with
// the data, whatever the header says.
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
		case t.clear + 1: // the end
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

// gifTable is the strings of pixels that codes stand for.
type gifTable struct {
	depth    int // of a pixel, in bits
	clear    int // the code that empties the table; those below are single pixels
	next     int // the code that is defined next
	bits     int // of a code
	previous int // code, -1 for none
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

// reset empties the table.
func (t *gifTable) reset() {
	t.previous, t.next, t.bits = -1, t.clear+2, t.depth+1
}

// decode returns the string of a code and defines the next code. It is good until the
// next call.
func (t *gifTable) decode(code int) (pixels []byte, ok bool) {
	if t.previous < 0 {
		t.previous = code
		t.text[0] = byte(code)
		return t.text[:1], code < t.clear
	}
	if code > t.next || code == gifCodes {
		return nil, false
	}
	// The next code's string is that of the previous code and the first pixel of this
	// code's, which may be the next code itself.
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

// gifCodeReader reads codes out of data blocks. Empty blocks mean nothing to it.
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
