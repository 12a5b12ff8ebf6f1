package jpeg

import (
	"bytes"
	"encoding/binary"
	"slices"
)

// bitReader reads the entropy-coded bits between two markers. After their end it
// returns zeros without limit; overrun reports whether the caller used any of them.
//
// The hot loops copy acc, count and pos to local variables and write them back: Go keeps
// local variables in registers, but a struct's fields in memory.
type bitReader struct {
	data  []byte // the bytes without stuffing, followed by spare zeros
	size  int    // length of data without the zeros
	odd   bool   // 0xFF was repeated before its stuffed zero
	pos   int    // number of bytes of data that are in acc or consumed
	acc   uint64 // the next bits, from the top down
	count uint   // number of bits of acc that count as read from data; the bits below are valid too
}

// spare is the number of zeros after the data, so that 8 bytes can be read at any position.
const spare = 8

// refill makes at least 56 bits available.
func refill(data []byte, acc uint64, count uint, pos int) (uint64, uint, int) {
	if pos+8 <= len(data) {
		acc |= binary.BigEndian.Uint64(data[pos:]) >> (count & 63)
	}
	return acc, count | 56, pos + int((63-count)>>3)
}

// extend turns the top n bits of acc, 1 to 16, into the signed value of T.81 F.2.2.1:
// if the first bit is 0, all bits are inverted and the value is negative.
func extend(acc uint64, n uint) int32 {
	v := int32(acc >> ((64 - n) & 63))
	if acc>>63 == 0 {
		v -= 1<<(n&31) - 1
	}
	return v
}

// overrun reports whether more bits were consumed than there are.
func (b *bitReader) overrun() bool { return 8*b.pos-int(b.count) > 8*b.size }

// left reports whether at least a whole byte wasn't consumed.
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

// load prepares the bits from pos up to the next marker for reading. It returns the
// marker's position, or the end of the file if there is none.
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
		// 0xFF may be repeated. Followed by a zero it is a data byte.
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
