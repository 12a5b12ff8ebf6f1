package jpeg

import "errors"

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
		// Correct the nonzero coefficients before the zero that follows run others.
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
			b.coef[min(k, 63)] = v // even past the band's end
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

// correct adds the refined bit to a coefficient, if it is 1 and not set yet.
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
