package data

import "errors"

// inflater decompresses deflate data (RFC 1951) that may end anywhere. compress/flate
// isn't suitable: if the data ends early, it doesn't return everything it has
// decompressed, and it doesn't report how much data a given number of bytes takes.
type inflater struct {
	next  func() (byte, error)
	acc   uint32
	count int
	out   []byte
	size  int    // number of bytes wanted
	full  func() // called when they are complete
}

var errDeflate = errors.New("the data is damaged: its compression is invalid")

// errEnough ends the decompression when there would be more than size bytes.
var errEnough = errors.New("enough")

// run decompresses up to size bytes, and reads on as long as no further byte results. It
// returns nil at the end of the compressed data, errEnough if there would be more bytes,
// next's error if the data ends, or errDeflate.
func (f *inflater) run() error {
	for {
		head, err := f.bits(3)
		if err != nil {
			return err
		}
		switch head >> 1 {
		case 0:
			err = f.stored()
		case 1:
			err = f.block(fixedLiterals, fixedDistances)
		case 2:
			var literals, distances *codes
			if literals, distances, err = f.tables(); err == nil {
				err = f.block(literals, distances)
			}
		default:
			err = errDeflate
		}
		if err != nil || head&1 != 0 {
			return err
		}
	}
}

func (f *inflater) bits(n int) (int, error) {
	for f.count < n {
		b, err := f.next()
		if err != nil {
			return 0, err
		}
		f.acc |= uint32(b) << f.count
		f.count += 8
	}
	v := int(f.acc & (1<<n - 1))
	f.acc >>= n
	f.count -= n
	return v, nil
}

// add adds a byte to the output.
func (f *inflater) add(b byte) error {
	if len(f.out) == f.size {
		return errEnough
	}
	if f.out = append(f.out, b); len(f.out) == f.size && f.full != nil {
		f.full()
	}
	return nil
}

// stored copies an uncompressed block.
func (f *inflater) stored() error {
	f.acc, f.count = 0, 0
	var head [4]int
	for i := range head {
		b, err := f.bits(8)
		if err != nil {
			return err
		}
		head[i] = b
	}
	n := head[0] | head[1]<<8
	if n != 0xFFFF^(head[2]|head[3]<<8) {
		return errDeflate
	}
	for range n {
		if len(f.out) == f.size {
			return errEnough
		}
		b, err := f.next()
		if err != nil {
			return err
		}
		if err := f.add(b); err != nil {
			return err
		}
	}
	return nil
}

// codes is a Huffman code: the number of codes of each length, and the symbols in order.
type codes struct {
	count   [16]int
	symbols []uint16
}

// newCodes makes the code for symbols with the given lengths, 0 for unused symbols. It
// reports whether the code is complete.
func newCodes(lengths []byte) (c *codes, complete bool, err error) {
	c = &codes{symbols: make([]uint16, len(lengths))}
	for _, n := range lengths {
		c.count[n]++
	}
	c.count[0] = 0
	left := 1
	var at [17]int
	for n := 1; n < 16; n++ {
		if left = 2*left - c.count[n]; left < 0 {
			return nil, false, errDeflate
		}
		at[n+1] = at[n] + c.count[n]
	}
	for symbol, n := range lengths {
		if n > 0 {
			c.symbols[at[n]] = uint16(symbol)
			at[n]++
		}
	}
	return c, left == 0, nil
}

// symbol decodes a symbol.
func (f *inflater) symbol(c *codes) (int, error) {
	code, first, index := 0, 0, 0
	for n := 1; n < 16; n++ {
		bit, err := f.bits(1)
		if err != nil {
			return 0, err
		}
		code |= bit
		if code-first < c.count[n] {
			return int(c.symbols[index+code-first]), nil
		}
		index += c.count[n]
		first = (first + c.count[n]) << 1
		code <<= 1
	}
	return 0, errDeflate
}

// fixedLiterals and fixedDistances are the codes of RFC 1951 3.2.6.
var fixedLiterals, fixedDistances = func() (literals, distances *codes) {
	lengths := make([]byte, 288)
	for i := range lengths {
		switch {
		case i < 144:
			lengths[i] = 8
		case i < 256:
			lengths[i] = 9
		case i < 280:
			lengths[i] = 7
		default:
			lengths[i] = 8
		}
	}
	literals, _, _ = newCodes(lengths)
	for i := range 30 {
		lengths[i] = 5
	}
	distances, _, _ = newCodes(lengths[:30])
	return
}()

// tables reads a block's codes (RFC 1951 3.2.7).
func (f *inflater) tables() (literals, distances *codes, err error) {
	head, err := f.bits(14)
	if err != nil {
		return nil, nil, err
	}
	nLiterals, nDistances, nLengths := head&31+257, head>>5&31+1, head>>10+4
	if nLiterals > 286 || nDistances > 30 {
		return nil, nil, errDeflate
	}
	var lengths [320]byte
	for _, at := range []int{16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15}[:nLengths] {
		n, err := f.bits(3)
		if err != nil {
			return nil, nil, err
		}
		lengths[at] = byte(n)
	}
	c, complete, err := newCodes(lengths[:19])
	if err != nil || !complete {
		return nil, nil, errDeflate
	}
	clear(lengths[:])
	for i := 0; i < nLiterals+nDistances; {
		symbol, err := f.symbol(c)
		if err != nil {
			return nil, nil, err
		}
		value, repeat := byte(symbol), 1
		if symbol >= 16 {
			if value = 0; symbol == 16 {
				if i == 0 {
					return nil, nil, errDeflate
				}
				value = lengths[i-1]
			}
			extra := [3]int{2, 3, 7}[symbol-16]
			if repeat, err = f.bits(extra); err != nil {
				return nil, nil, err
			}
			repeat += [3]int{3, 3, 11}[symbol-16]
		}
		if i+repeat > nLiterals+nDistances {
			return nil, nil, errDeflate
		}
		for range repeat {
			lengths[i] = value
			i++
		}
	}
	return makeTables(lengths[:nLiterals], lengths[nLiterals:nLiterals+nDistances])
}

// makeTables checks the codes as zlib does: a block must be able to end, and only a
// distance code of a single length 1 may be incomplete, or empty.
func makeTables(literalLengths, distanceLengths []byte) (literals, distances *codes, err error) {
	if literalLengths[256] == 0 {
		return nil, nil, errDeflate
	}
	literals, complete, err := newCodes(literalLengths)
	if err != nil || !complete && !literals.single() {
		return nil, nil, errDeflate
	}
	distances, complete, err = newCodes(distanceLengths)
	if err != nil || !complete && !distances.single() {
		return nil, nil, errDeflate
	}
	return literals, distances, nil
}

// single reports whether no code is longer than one bit.
func (c *codes) single() bool {
	for n := 2; n < 16; n++ {
		if c.count[n] > 0 {
			return false
		}
	}
	return true
}

// Base lengths and distances of copies, and the numbers of extra bits.
var (
	copyLengths   = [29]int{3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258}
	copyExtra     = [29]int{0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0}
	copyDistances = [30]int{1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769, 1025, 1537, 2049, 3073, 4097, 6145, 8193, 12289, 16385, 24577}
)

// block decompresses a block.
func (f *inflater) block(literals, distances *codes) error {
	for {
		symbol, err := f.symbol(literals)
		switch {
		case err != nil:
			return err
		case symbol < 256:
			if err := f.add(byte(symbol)); err != nil {
				return err
			}
			continue
		case symbol == 256:
			return nil
		case symbol-257 >= len(copyLengths):
			return errDeflate
		}
		if err := f.copyBack(symbol-257, distances); err != nil {
			return err
		}
	}
}

// copyBack repeats bytes of the output.
func (f *inflater) copyBack(which int, distances *codes) error {
	extra, err := f.bits(copyExtra[which])
	if err != nil {
		return err
	}
	n := copyLengths[which] + extra
	symbol, err := f.symbol(distances)
	if err != nil {
		return err
	}
	if symbol >= len(copyDistances) {
		return errDeflate
	}
	if extra, err = f.bits(max(symbol/2-1, 0)); err != nil {
		return err
	}
	from := len(f.out) - copyDistances[symbol] - extra
	if from < 0 {
		return errDeflate
	}
	for i := range n {
		if err := f.add(f.out[from+i]); err != nil {
			return err
		}
	}
	return nil
}
