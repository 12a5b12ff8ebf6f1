package jpeg

import (
	"bytes"
	"encoding/binary"
	"slices"
)

// bitReader reads the entropy-coded bits between two markers. After their end it
// delivers zeros for ever: a caller that used some of those has run past the end
// (see overrun).
//
// The hot loops keep acc, count and pos in variables of their own and write them
// back: Go keeps those in registers, a struct's fields in memory.
type bitReader struct {
	data  []byte // the bytes without what was stuffed in, and spare zeros
	size  int    // length of data without the zeros
	odd   bool   // a byte of ones was repeated before its zero
	pos   int    // bytes of data that are in acc or used up
	acc   uint64 // the next bits, from the top down
	count uint   // bits of acc that count as read from data; those below are right, too
}

// spare is how many zeros follow the data, so that 8 bytes can be read anywhere.
const spare = 8

// refill makes at least 56 bits available.
func refill(data []byte, acc uint64, count uint, pos int) (uint64, uint, int) {
	if pos+8 <= len(data) {
		acc |= binary.BigEndian.Uint64(data[pos:]) >> (count & 63)
	}
	return acc, count | 56, pos + int((63-count)>>3)
}

// extend turns the top n bits of acc, 1 to 16, into T.81 F.2.2.1's signed value:
// of a value whose first bit is 0 all bits are inverted.
func extend(acc uint64, n uint) int32 {
	v := int32(acc >> ((64 - n) & 63))
	if acc>>63 == 0 {
		v -= 1<<(n&31) - 1
	}
	return v
}

// overrun tells whether more bits were used than there are.
func (b *bitReader) overrun() bool { return 8*b.pos-int(b.count) > 8*b.size }

// left tells whether a whole byte or more wasn't used.
func (b *bitReader) left() bool { return 8*b.size-(8*b.pos-int(b.count)) >= 8 }

// bit returns the next bit.
func (b *bitReader) bit() uint64 {
	if b.count == 0 {
		b.acc, b.count, b.pos = refill(b.data, b.acc, b.count, b.pos)
	}
	v := b.acc >> 63
	b.acc <<= 1
	b.count--
	return v
}

// load makes the bits from pos up to the next marker ready to be read and returns
// the marker's position, or the end of the file if there is none.
func (b *bitReader) load(file []byte, pos int) int {
	clean := slices.Grow(b.data[:0], len(file)-pos+spare)
	odd := false
	for {
		n := bytes.IndexByte(file[pos:], 0xFF)
		if n < 0 {
			n = len(file) - pos
		}
		clean = append(clean, file[pos:pos+n]...)
		pos += n
		// 0xFF may be repeated. With a zero it stands for itself.
		after := pos
		for after < len(file) && file[after] == 0xFF {
			after++
		}
		if after == len(file) || file[after] != 0 {
			break
		}
		odd = odd || after > pos+1
		clean = append(clean, 0xFF)
		pos = after + 1
	}
	size := len(clean)
	*b = bitReader{data: append(clean, make([]byte, spare)...), size: size, odd: odd}
	return pos
}
