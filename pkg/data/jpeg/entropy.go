package jpeg

import "errors"

// bitState is a place in entropy-coded data: the next byte, and count bits before
// it that were read ahead, at the lower end of acc.
type bitState struct {
	acc   uint64
	count int
	pos   int
}

// entropy decodes the entropy-coded data of damaged files. Where a code is cut off
// by the end of the part of the file that was handed out, it is read again from the
// beginning of its MCU when there is more.
type entropy struct {
	now          bitState
	dry          bool     // the data ended within an MCU
	insufficient bool     // a marker came before the data's end: what follows is 0
	preds        [4]int32 // of the scan's components
	rest         int      // MCUs until a restart marker
	next         int      // number of that marker

	blocks   [10]*kept // of the MCU
	owners   [10]int   // places in the scan of their components
	nonzero  [64]int   // coefficients that refining made so, to be undone
	nNonzero int
}

// ahead is how many bits are read ahead at least.
const ahead = 57

// fill reads ahead. At a marker it makes up zeros if n bits aren't there.
func (l *lenient) fill(n int) {
	b := &l.now
	for l.marker == 0 {
		if b.count >= ahead {
			return
		}
		at := b.pos
		for at < l.limit && l.data[at] == 0xFF {
			at++
		}
		switch {
		case at >= l.limit:
			l.dry = true
			return
		case at == b.pos: // no byte of ones
			b.acc = b.acc<<8 | uint64(l.data[at])
			b.count += 8
		case l.data[at] == 0: // one byte of ones, whatever their number
			b.acc = b.acc<<8 | 0xFF
			b.count += 8
		default:
			l.marker = l.data[at]
		}
		b.pos = at + 1
	}
	if n <= b.count {
		return
	}
	if !l.insufficient {
		l.insufficient = true
		l.damage.add(endsEarly, l.row*8*l.maxV, int(l.marker))
	}
	b.acc <<= ahead - b.count
	b.count = ahead
}

// take returns the next n bits, n at most 17.
func (l *lenient) take(n int) int32 {
	if l.now.count < n {
		l.fill(n)
	}
	if l.dry {
		return 0
	}
	l.now.count -= n
	return int32(l.now.acc>>l.now.count) & (1<<n - 1)
}

// value returns a signed value of n bits (T.81 F.2.2.1).
func (l *lenient) value(n int) int32 {
	v := l.take(n)
	if n > 0 && v < 1<<(n-1) {
		v -= 1<<n - 1
	}
	return v
}

// symbol decodes a symbol. A code that doesn't exist stands for 0.
func (l *lenient) symbol(t *huffman) int {
	if l.dry {
		return 0
	}
	if l.now.count < 8 {
		if l.fill(0); l.dry {
			return 0
		}
	}
	length, code := 1, int32(0)
	if l.now.count >= 8 {
		first := int32(l.now.acc>>(l.now.count-8)) & 0xFF
		for ; length <= 8; length++ {
			if code := first >> (8 - length); code <= t.maxCode[length] {
				l.now.count -= length
				return int(t.symbols[uint8(t.offset[length]+code)])
			}
		}
	}
	for code = l.take(length); length <= 16 && code > t.maxCode[length]; length++ {
		code = code<<1 | l.take(1)
		if l.dry {
			return 0
		}
	}
	if l.dry {
		return 0
	}
	if length > 16 {
		l.damage.add(badCode, l.row*8*l.maxV, 0)
		return 0
	}
	return int(t.symbols[uint8(t.offset[length]+code)])
}

// mcu decodes the MCU whose blocks were collected. It reports false if the data has
// to be handed out first.
func (l *lenient) mcu(n int) (bool, error) {
	if l.restart > 0 && l.rest == 0 {
		if err := l.toRestart(); err != nil {
			return false, err
		}
	}
	kind := l.kind()
	if !l.insufficient || kind == refineDC {
		l.now.pos = l.pos
		before, preds, eobRun := l.now, l.preds, l.eobRun
		err := error(nil)
		switch kind {
		case sequential:
			if !l.quick(n) {
				l.now, l.preds = before, preds
				l.sequential(n)
			}
		case firstDC:
			err = l.firstDC(n)
		case refineDC:
			l.refineDC(n)
		case firstAC:
			l.firstAC()
		case refineAC:
			l.refineAC()
		}
		if l.dry {
			l.dry, l.now, l.preds, l.eobRun = false, before, preds, eobRun
			return false, nil
		}
		if err != nil {
			return false, err
		}
		l.pos = l.now.pos
	}
	if l.restart > 0 {
		l.rest--
	}
	return true, nil
}

// Kinds of scans.
const (
	sequential = iota
	firstDC
	refineDC
	firstAC
	refineAC
)

func (l *lenient) kind() int {
	h := &l.header
	switch {
	case !l.progressive:
		return sequential
	case h.start == 0 && h.high == 0:
		return firstDC
	case h.start == 0:
		return refineDC
	case h.high == 0:
		return firstAC
	}
	return refineAC
}

// sequential decodes whole blocks.
func (l *lenient) sequential(n int) {
	for i := range n {
		b, c := l.blocks[i], l.header.comps[l.owners[i]]
		diff := l.value(l.symbol(&l.huffman[0][c.dcTable]))
		if l.dry {
			return
		}
		l.preds[l.owners[i]] += diff
		b.coef[0] = int16(l.preds[l.owners[i]])
		for k := 1; k < 64; k++ {
			rs := l.symbol(&l.huffman[1][c.acTable])
			run, size := rs>>4, rs&15
			if size == 0 && run != 15 {
				break
			}
			k += run
			if size == 0 {
				continue
			}
			v := l.value(size)
			if l.dry {
				return
			}
			b.coef[min(k, 63)] = int16(v)
		}
		if l.dry {
			return
		}
	}
}

// margin is how many bytes a block can take at most, in libjpeg's opinion.
const margin = 64 * 8

// quick decodes like sequential, where many bytes are at hand and no restart marker
// is expected: libjpeg then takes another way, which doesn't know that several bytes
// of ones may come before a 0. It reports false at a marker or what it takes for
// one, and the MCU has to be decoded again; what it made of it until then stays.
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

// quick reads bits for the way of the same name.
type quick struct {
	data []byte
	bitState
	marker bool
	bad    int // codes that don't exist
}

// fill makes at least 17 bits available, zeros after a marker.
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

var errDCTooLarge = errors.New("corrupt: a DC coefficient is too large")

// firstDC decodes the first bits of DC coefficients.
func (l *lenient) firstDC(n int) error {
	for i := range n {
		c := l.header.comps[l.owners[i]]
		diff := l.value(l.symbol(&l.huffman[0][c.dcTable]))
		if l.dry {
			return nil
		}
		pred := int64(l.preds[l.owners[i]]) + int64(diff)
		if pred != int64(int32(pred)) {
			return errDCTooLarge
		}
		l.preds[l.owners[i]] = int32(pred)
		l.blocks[i].coef[0] = int16(int32(pred) << l.header.low)
	}
	return nil
}

// refineDC decodes one more bit of DC coefficients.
func (l *lenient) refineDC(n int) {
	for _, b := range l.blocks[:n] {
		b.coef[0] |= int16(l.take(1) << l.header.low)
	}
}

// firstAC decodes the first bits of a band of AC coefficients.
func (l *lenient) firstAC() {
	if l.eobRun > 0 {
		l.eobRun--
		return
	}
	h := &l.header
	for k := h.start; k <= h.end; k++ {
		rs := l.symbol(&l.huffman[1][h.comps[0].acTable])
		run, size := rs>>4, rs&15
		switch {
		case size != 0:
			k += run
			v := l.value(size)
			if l.dry {
				return
			}
			l.blocks[0].coef[min(k, 63)] = int16(v << h.low)
		case run == 15:
			k += 15
		default:
			l.eobRun = 1<<run - 1 + l.take(run)
			return
		}
	}
}

// refineAC decodes one more bit of a band of AC coefficients.
func (l *lenient) refineAC() {
	h := &l.header
	b := l.blocks[0]
	l.nNonzero = 0
	k := h.start
	for l.eobRun == 0 && k <= h.end {
		rs := l.symbol(&l.huffman[1][h.comps[0].acTable])
		run, size := rs>>4, rs&15
		if size == 0 && run != 15 {
			l.eobRun = 1<<run + l.take(run)
			break
		}
		var v int16
		if size != 0 {
			if size > 1 {
				l.damage.add(badCode, l.row*8*l.maxV, 0)
			}
			v = int16(l.take(1)*2-1) << h.low
		}
		// Corrects the coefficients that aren't zero before the zero after run others.
		for ; k <= h.end && !l.dry; k++ {
			if b.coef[k] != 0 {
				l.correct(&b.coef[k])
			} else if run--; run < 0 {
				break
			}
		}
		if l.dry {
			break
		}
		if size != 0 {
			b.coef[min(k, 63)] = v // also behind the band's end
			l.nonzero[l.nNonzero] = min(k, 63)
			l.nNonzero++
		}
		k++
	}
	if l.eobRun > 0 && !l.dry {
		for ; k <= h.end; k++ {
			if b.coef[k] != 0 {
				l.correct(&b.coef[k])
			}
		}
		l.eobRun--
	}
	if l.dry {
		for _, k := range l.nonzero[:l.nNonzero] {
			b.coef[k] = 0
		}
	}
}

// correct makes a coefficient larger by the bit that is refined, if that is 1 and the
// coefficient hasn't it yet.
func (l *lenient) correct(coef *int16) {
	if l.take(1) == 0 || *coef&(1<<l.header.low) != 0 {
		return
	}
	if *coef >= 0 {
		*coef += 1 << l.header.low
	} else {
		*coef -= 1 << l.header.low
	}
}
