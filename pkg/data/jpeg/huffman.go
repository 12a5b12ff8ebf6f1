package jpeg

import (
	"errors"
	"fmt"
)

const lookBits = 9 // codes up to this length are decoded by one table look-up

// huffman is a decoding table (T.81 annex F.2.2.3).
type huffman struct {
	// look maps the next lookBits bits to length<<8 | symbol; length 0 means
	// that the code is longer.
	look    [1 << lookBits]uint16
	maxCode [18]int32 // largest code of each length, -1 for none; the last is a sentinel
	offset  [17]int32 // index of a length's first symbol minus its first code
	symbols []uint8
}

// huffmanTables reads Huffman tables (T.81 B.2.4.2).
func (d *decoder) huffmanTables(s []byte) error {
	for len(s) > 0 {
		if len(s) < 17 {
			return errors.New("a Huffman table is cut off")
		}
		class, id := s[0]>>4, s[0]&15
		if class > 1 || id > 3 {
			return fmt.Errorf("there is no Huffman table %d of class %d", id, class)
		}
		total := 0
		for _, n := range s[1:17] {
			total += int(n)
		}
		if total > 256 || len(s) < 17+total {
			return errors.New("a Huffman table is cut off")
		}
		t, err := newHuffman(s[1:17], s[17:17+total])
		if err != nil {
			return err
		}
		if class == 0 {
			d.dc[id] = t
		} else {
			d.ac[id] = t
		}
		s = s[17+total:]
	}
	return nil
}

// newHuffman builds a table from the number of codes of each length and the
// symbols in order of their codes.
func newHuffman(counts, symbols []byte) (*huffman, error) {
	t := &huffman{symbols: append([]uint8(nil), symbols...)}
	code, index := int32(0), int32(0)
	for length := 1; length <= 16; length++ {
		n := int32(counts[length-1])
		if code+n > 1<<length {
			return nil, errors.New("a Huffman table has more codes than fit")
		}
		t.offset[length] = index - code
		if length <= lookBits {
			for i := range n {
				entry := uint16(length)<<8 | uint16(symbols[index+i])
				first := (code + i) << (lookBits - length)
				for j := range int32(1) << (lookBits - length) {
					t.look[first+j] = entry
				}
			}
		}
		index += n
		code += n
		t.maxCode[length] = -1
		if n > 0 {
			t.maxCode[length] = code - 1
		}
		code <<= 1
	}
	t.maxCode[17] = 1<<31 - 1
	return t, nil
}

// bitReader reads the entropy-coded bits of a scan. At a marker or the end of
// the data it delivers zeros and counts them: a caller that used some of those
// has run past the end (see overrun).
type bitReader struct {
	data  []byte
	pos   int
	acc   uint64 // the next bits, left-aligned below bit count
	count int    // valid bits in acc
	fake  int    // bits in acc that were made up
}

// fill makes at least 32 bits available.
func (b *bitReader) fill() {
	for b.count <= 48 {
		if b.pos+8 <= len(b.data) && b.count <= 32 && b.fake == 0 {
			// Four bytes at a time while none of them is 0xFF.
			p := b.data[b.pos : b.pos+4 : b.pos+4]
			w := uint32(p[0])<<24 | uint32(p[1])<<16 | uint32(p[2])<<8 | uint32(p[3])
			if n := ^w; (n-0x01010101)&^n&0x80808080 == 0 {
				b.acc = b.acc<<32 | uint64(w)
				b.count += 32
				b.pos += 4
				continue
			}
		}
		var v byte
		switch {
		case b.pos >= len(b.data):
			b.fake += 8
		case b.data[b.pos] != 0xFF:
			v = b.data[b.pos]
			b.pos++
		case b.pos+1 < len(b.data) && b.data[b.pos+1] == 0:
			v = 0xFF
			b.pos += 2
		default: // a marker: it stays where it is
			b.fake += 8
		}
		b.acc = b.acc<<8 | uint64(v)
		b.count += 8
	}
}

// overrun tells whether made-up bits were consumed.
func (b *bitReader) overrun() bool { return b.fake > b.count }

// reset starts afresh at pos, dropping what bits are left.
func (b *bitReader) reset(pos int) { b.pos, b.acc, b.count, b.fake = pos, 0, 0, 0 }

// symbol decodes one Huffman symbol.
func (b *bitReader) symbol(t *huffman) (uint8, error) {
	if b.count < 32 {
		b.fill()
	}
	entry := t.look[b.acc>>(b.count-lookBits)&(1<<lookBits-1)]
	if entry != 0 {
		b.count -= int(entry >> 8)
		return uint8(entry), nil
	}
	return b.longSymbol(t)
}

// longSymbol decodes a code of more than lookBits bits.
func (b *bitReader) longSymbol(t *huffman) (uint8, error) {
	code := int32(b.acc >> (b.count - lookBits) & (1<<lookBits - 1))
	for length := lookBits + 1; length <= 16; length++ {
		code = code<<1 | int32(b.acc>>(b.count-length)&1)
		if code <= t.maxCode[length] {
			b.count -= length
			return t.symbols[t.offset[length]+code], nil
		}
	}
	if b.overrunSoon() {
		return 0, ErrTruncated
	}
	return 0, errors.New("corrupt: a Huffman code that doesn't exist")
}

// overrunSoon tells whether the reader stands at the end of the scan's data.
func (b *bitReader) overrunSoon() bool { return b.fake > 0 }

// receive returns the next n bits, n at most 16.
func (b *bitReader) receive(n int) int32 {
	if b.count < n {
		b.fill()
	}
	b.count -= n
	return int32(b.acc >> b.count & (1<<n - 1))
}

// extend reads n bits as T.81 F.2.2.1's signed value.
func (b *bitReader) extend(n int) int32 {
	v := b.receive(n)
	if v < 1<<(n-1) {
		v += -1<<n + 1
	}
	return v
}
