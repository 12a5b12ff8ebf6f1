package jpeg

import (
	"bytes"
	"errors"
	"fmt"
)

const lookBits = 10 // codes up to this length are decoded with one table lookup

// huffman is a decoding table (T.81 annex F.2.2.3).
type huffman struct {
	// look maps the next lookBits bits to an entry, 0 for a longer code. Bits 0 to
	// 7 of the entry are the number of bits consumed, 8 to 15 the symbol (a run of
	// zeros and the size of the value after the code), 16 to 31 the value itself if
	// all its bits are in the lookup; otherwise these are 0 and only the code is consumed.
	look    [1 << lookBits]uint32
	maxCode [17]int32  // largest code of each length, -1 for none
	offset  [17]int32  // index of a length's first symbol minus its first code
	symbols [256]uint8 // in order of their codes

	spec    []byte // the definition that the table was made from
	fault   error  // the fault in spec, if it isn't nil: the table can't be used
	largest uint8  // the largest symbol
	defined bool   // whether the current file defines the table
}

var (
	errHuffmanCut = errors.New("corrupt: a Huffman table is cut off")
	errTooMany    = errors.New("corrupt: a Huffman table has more codes than fit")
)

// huffmanTables reads Huffman tables (T.81 B.2.4.2).
func (d *Decoder) huffmanTables(s []byte) error {
	for len(s) > 0 {
		if len(s) < 17 {
			return errHuffmanCut
		}
		class, id := s[0]>>4, s[0]&15
		if class > 1 || id > 3 {
			return fmt.Errorf("corrupt: there is no Huffman table %d of class %d", id, class)
		}
		total := 0
		for _, n := range s[1:17] {
			total += int(n)
		}
		if total > 256 || len(s) < 17+total {
			return errHuffmanCut
		}
		d.huffman[class][id].define(s[1 : 17+total])
		s = s[17+total:]
	}
	return nil
}

// define makes the table. spec is the number of codes of each of 16 lengths, followed
// by the symbols in order of their codes. Most files of a set have the same tables, so
// an unchanged table is kept. An invalid table is an error only when it is used.
func (t *huffman) define(spec []byte) {
	t.defined = true
	if len(t.spec) > 0 && bytes.Equal(t.spec, spec) {
		return
	}
	t.spec = append(t.spec[:0], spec...)
	t.fault, t.largest = nil, 0
	t.look = [1 << lookBits]uint32{}
	copy(t.symbols[:], spec[16:])
	for _, symbol := range spec[16:] {
		t.largest = max(t.largest, symbol)
	}
	code, index := int32(0), int32(0)
	for length := 1; length <= 16; length++ {
		n := int32(spec[length-1])
		if n > 0 && code+n >= 1<<length { // a code of all ones isn't allowed
			t.fault = errTooMany
			return
		}
		t.offset[length] = index - code
		if length <= lookBits {
			for i := range n {
				t.enter(code+i, length, t.symbols[index+i])
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
}

// enter writes the entries of look that begin with the given code.
func (t *huffman) enter(code int32, length int, symbol uint8) {
	rest := lookBits - length
	entries := t.look[code<<rest : (code+1)<<rest]
	size := int(symbol & 15)
	if size == 0 || size > rest {
		for i := range entries {
			entries[i] = uint32(symbol)<<8 | uint32(length)
		}
		return
	}
	each := len(entries) >> size
	for v := range 1 << size {
		value := uint16(extend(uint64(v)<<(64-size), uint(size)))
		entry := uint32(value)<<16 | uint32(symbol)<<8 | uint32(length+size)
		for i := range each {
			entries[v*each+i] = entry
		}
	}
}

// long decodes a code of more than lookBits bits at the top of acc. It returns the
// symbol and the code's length, 0 if no such code exists.
func (t *huffman) long(acc uint64) (symbol uint8, length uint) {
	for length := uint(lookBits + 1); length <= 16; length++ {
		if code := int32(acc >> (64 - length)); code <= t.maxCode[length] {
			return t.symbols[uint8(t.offset[length]+code)], length
		}
	}
	return 0, 0
}

// symbol decodes a symbol and the value after it, outside the hot loops.
func (b *bitReader) symbol(t *huffman) (symbol uint8, value int32, err error) {
	if b.count < 32 {
		b.acc, b.count, b.pos = refill(b.data, b.acc, b.count, b.pos)
	}
	entry := t.look[b.acc>>(64-lookBits)]
	symbol = uint8(entry >> 8)
	length := uint(entry & 0xFF)
	if entry == 0 {
		if symbol, length = t.long(b.acc); length == 0 {
			return 0, 0, errDamaged
		}
	}
	b.acc <<= length & 63
	b.count -= length
	value = int32(int16(entry >> 16))
	if size := uint(symbol & 15); size != 0 && value == 0 {
		value = extend(b.acc, size)
		b.acc <<= size
		b.count -= size
	}
	return symbol, value, nil
}

// receive returns the next n bits, n at most 16.
func (b *bitReader) receive(n uint) int32 {
	if b.count < n {
		b.acc, b.count, b.pos = refill(b.data, b.acc, b.count, b.pos)
	}
	v := int32(b.acc >> (64 - n)) // 0 for n = 0: Go shifts everything out
	b.acc <<= n
	b.count -= n
	return v
}
