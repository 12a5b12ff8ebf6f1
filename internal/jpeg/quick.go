package jpeg

// margin is libjpeg's limit for the number of bytes in a block.
const margin = 64 * 8

// quick decodes like sequential, for when many bytes are available and no restart marker
// is expected. libjpeg then uses a faster routine that doesn't handle several 0xFF bytes
// before a 0. quick returns false at a marker, or at bytes that look like one; the MCU
// then has to be decoded again, but the coefficients set so far stay.
func (l *lenient) quick(n int) bool {
	if l.restart > 0 || l.marker != 0 || l.limit-l.pos < margin*n {
		return false
	}
	q := quick{data: l.data, bitState: l.now}
	for i := range n {
		b, c := l.blocks[i], l.header.comps[l.owners[i]]
		l.preds[l.owners[i]] += q.value(q.symbol(&l.huffman[0][c.dcTable]))
		b.coef[0] = int16(l.preds[l.owners[i]])
		for k := 1; k < 64; k++ {
			rs := q.symbol(&l.huffman[1][c.acTable])
			run, size := rs>>4, rs&15
			if size == 0 && run != 15 {
				break
			}
			k += run
			if size != 0 {
				b.coef[min(k, 63)] = int16(q.value(size))
			}
		}
	}
	if q.marker {
		return false
	}
	if q.bad > 0 {
		l.damage.add(badCode, l.row*8*l.maxV, 0)
	}
	l.now = q.bitState
	return true
}

// quick reads bits for the method of the same name.
type quick struct {
	data []byte
	bitState
	marker bool
	bad    int // number of invalid codes
}

// fill makes at least 17 bits available, with zeros after a marker.
func (q *quick) fill() {
	if q.count > 16 {
		return
	}
	for range 6 {
		q.acc <<= 8
		q.count += 8
		if q.pos+1 >= len(q.data) {
			q.marker = true
			continue
		}
		v := q.data[q.pos]
		if v != 0xFF {
			q.acc |= uint64(v)
			q.pos++
			continue
		}
		if q.data[q.pos+1] != 0 {
			q.marker = true
			continue
		}
		q.acc |= 0xFF
		q.pos += 2
	}
}

func (q *quick) take(n int) int32 {
	q.count -= n
	return int32(q.acc>>q.count) & (1<<n - 1)
}

func (q *quick) value(n int) int32 {
	if n == 0 {
		return 0
	}
	q.fill()
	v := q.take(n)
	if v < 1<<(n-1) {
		v -= 1<<n - 1
	}
	return v
}

func (q *quick) symbol(t *huffman) int {
	q.fill()
	code := int32(0)
	for length := 1; length <= 16; length++ {
		code = code<<1 | q.take(1)
		if code <= t.maxCode[length] {
			return int(t.symbols[uint8(t.offset[length]+code)])
		}
	}
	q.take(1)
	q.bad++
	return 0
}
