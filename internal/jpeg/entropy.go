package jpeg

// bitState is a position in entropy-coded data: the next byte, and count bits before it
// that were read ahead, in the low bits of acc.
type bitState struct {
	acc   uint64
	count int
	pos   int
}

// entropy decodes the entropy-coded data of damaged files. If the part of the file
// handed out so far ends within a code, decoding starts again at the beginning of the
// MCU when there is more.
type entropy struct {
	now          bitState
	dry          bool     // the data ended within an MCU
	insufficient bool     // a marker came before the data's end: what follows is 0
	preds        [4]int32 // DC predictions of the scan's components
	rest         int      // MCUs until the next restart marker
	next         int      // number of that marker

	blocks   [10]*kept // the MCU's blocks
	owners   [10]int   // for each block the index of its component in the scan
	nonzero  [64]int   // coefficients made nonzero by a refinement, so that it can be undone
	nNonzero int
}

// ahead is the least number of bits read ahead.
const ahead = 57

// fill reads ahead. At a marker it supplies zeros if fewer than n bits are left.
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

// symbol decodes a symbol. An invalid code gives 0.
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

// mcu decodes the MCU whose blocks were collected. It returns false if more of the file
// has to be handed out first.
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
