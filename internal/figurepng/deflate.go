package figurepng

import (
	"encoding/binary"
	"math/bits"
)

// deflater writes a deflate stream (RFC 1951) of blocks with their own Huffman codes. Its
// only matches are runs: copies at a distance of one byte.
type deflater struct {
	out    []byte
	tokens []uint16 // of the current block: a byte, or firstRun and the run's length above minRun
	counts [symbols]int32
	last   int // the byte before the next, -1 at the start

	hold uint64 // bits that aren't written yet, the first lowest
	held uint
}

const (
	blockTokens = 1 << 15
	firstRun    = 256
	minRun      = 3
	maxRun      = 258

	endOfBlock = 256
	symbols    = 286
)

// lengthCode is the symbol of a run, its additional bits and their number.
type lengthCode struct {
	symbol uint16
	extra  uint8
	bits   uint8
}

// lengthCodes are the codes of runs of minRun bytes and more.
var lengthCodes = makeLengthCodes()

func makeLengthCodes() (codes [maxRun - minRun + 1]lengthCode) {
	at := 0
	for symbol := uint16(endOfBlock + 1); symbol < symbols-1; symbol++ {
		extra := 0
		if step := int(symbol) - 261; step >= 0 {
			extra = step / 4
		}
		for i := range 1 << extra {
			if at < len(codes) {
				codes[at] = lengthCode{symbol, uint8(i), uint8(extra)}
				at++
			}
		}
	}
	codes[maxRun-minRun] = lengthCode{symbol: symbols - 1} // has a symbol of its own
	return codes
}

// write adds bytes to the stream.
func (d *deflater) write(p []byte) {
	if d.tokens == nil {
		d.tokens, d.last = make([]uint16, 0, blockTokens), -1
	}
	for len(p) > 0 {
		if len(d.tokens) == blockTokens {
			d.block(false)
		}
		p = d.literals(p)
		if n := runAt(p, d.last); n >= minRun && len(d.tokens) < blockTokens {
			d.tokens = append(d.tokens, uint16(firstRun+n-minRun))
			d.counts[lengthCodes[n-minRun].symbol]++
			p = p[n:]
		}
	}
}

// literals adds bytes up to the next run, or as many as the block has room for, and returns
// the rest.
func (d *deflater) literals(p []byte) []byte {
	tokens, last := d.tokens[len(d.tokens):blockTokens], d.last
	n := min(len(tokens), len(p))
	for i, v := range p[:n] {
		if int(v) == last && runAt(p[i:], last) >= minRun {
			n = i
			break
		}
		tokens[i] = uint16(v)
		d.counts[v]++
		last = int(v)
	}
	d.tokens, d.last = d.tokens[:len(d.tokens)+n], last
	return p[n:]
}

// runAt is the number of bytes at the start of p that equal the one before it.
func runAt(p []byte, before int) int {
	if len(p) < minRun || int(p[0]) != before || p[0] != p[1] || p[1] != p[2] {
		return 0
	}
	return runLength(p)
}

// runLength is the number of bytes at the start of p that equal the first, up to maxRun.
func runLength(p []byte) int {
	p = p[:min(len(p), maxRun)]
	v, n := p[0], 1
	all := uint64(v) * 0x0101010101010101
	for n+8 <= len(p) {
		if differ := binary.LittleEndian.Uint64(p[n:]) ^ all; differ != 0 {
			return n + bits.TrailingZeros64(differ)/8
		}
		n += 8
	}
	for n < len(p) && p[n] == v {
		n++
	}
	return n
}

// close ends the stream and returns it.
func (d *deflater) close() []byte {
	d.block(true)
	for d.held > 0 {
		d.out = append(d.out, byte(d.hold))
		d.hold >>= 8
		d.held -= min(d.held, 8)
	}
	return d.out
}

// put appends bits, at most 32.
func (d *deflater) put(value uint64, n uint) {
	d.hold |= value << d.held
	d.held += n
	if d.held >= 32 {
		d.out = binary.LittleEndian.AppendUint32(d.out, uint32(d.hold))
		d.hold >>= 32
		d.held -= 32
	}
}

// block writes the tokens as a block.
func (d *deflater) block(last bool) {
	d.counts[endOfBlock]++
	literals := newCode(d.counts[:], 15)
	final := uint64(0)
	if last {
		final = 1
	}
	d.put(final, 1)
	d.put(2, 2) // a block with its own codes
	d.header(literals)
	for _, t := range d.tokens {
		if t < firstRun {
			d.put(uint64(literals.bits[t]), uint(literals.lengths[t]))
			continue
		}
		c := lengthCodes[t-firstRun]
		d.put(uint64(literals.bits[c.symbol]), uint(literals.lengths[c.symbol]))
		d.put(uint64(c.extra), uint(c.bits)+1) // and one bit, 0, for the distance
	}
	d.put(uint64(literals.bits[endOfBlock]), uint(literals.lengths[endOfBlock]))
	d.tokens, d.counts = d.tokens[:0], [symbols]int32{}
}

// order is the order in which a header has the lengths of the code of lengths.
var order = [19]int{16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15}

// header writes the lengths of the codes: of the literals', and of that of distances, which
// has a single code of one bit. Zeros in a row are counted.
func (d *deflater) header(literals code) {
	n := symbols
	for n > 257 && literals.lengths[n-1] == 0 {
		n--
	}
	lengths := append(append([]uint8(nil), literals.lengths[:n]...), 1)
	type item struct{ symbol, extra, bits uint8 }
	var items []item
	var counts [19]int32
	for i := 0; i < len(lengths); {
		zeros := 0
		for i+zeros < len(lengths) && lengths[i+zeros] == 0 && zeros < 138 {
			zeros++
		}
		next := item{symbol: lengths[i]}
		switch {
		case zeros >= 11:
			next = item{18, uint8(zeros - 11), 7}
		case zeros >= 3:
			next = item{17, uint8(zeros - 3), 3}
		default:
			zeros = 1
		}
		items = append(items, next)
		counts[next.symbol]++
		i += zeros
	}
	c := newCode(counts[:], 7)
	sent := len(order)
	for sent > 4 && c.lengths[order[sent-1]] == 0 {
		sent--
	}
	d.put(uint64(n-257), 5)
	d.put(0, 5)
	d.put(uint64(sent-4), 4)
	for _, symbol := range order[:sent] {
		d.put(uint64(c.lengths[symbol]), 3)
	}
	for _, t := range items {
		d.put(uint64(c.bits[t.symbol]), uint(c.lengths[t.symbol]))
		d.put(uint64(t.extra), uint(t.bits))
	}
}
