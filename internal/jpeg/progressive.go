package jpeg

import "math/bits"

// kept is a block whose coefficients come in several scans: the coefficients in zigzag
// order, and a bit for each nonzero AC coefficient.
type kept struct {
	coef [64]int16
	ac   uint64
}

// set sets a coefficient; a corrupt run may be past the last one.
func (b *kept) set(k int, v int16) {
	k = min(k, 63)
	b.coef[k] = v
	b.ac |= 1 << k
}

// sequentialBlock decodes a whole block and stores it, for a picture that has a scan for
// each component.
func (d *Decoder) sequentialBlock(c *component, b *kept) error {
	var pair [128]int16
	coef := (*coefficients)(pair[:])
	if _, err := d.bits.block(&d.huffman[0][c.dcTable], &d.huffman[1][c.acTable], coef, &c.pred); err != nil {
		return err
	}
	b.coef[0], b.ac = coef[0], 0
	for k := 1; k < 64; k++ {
		if v := coef[zigzag[k]]; v != 0 {
			b.set(k, v)
		}
	}
	return nil
}

// progressiveBlock decodes a block's part of a scan of a progressive picture.
func (d *Decoder) progressiveBlock(h *scanHeader, c *component, b *kept) error {
	switch {
	case h.start == 0 && h.high == 0:
		diff, err := d.bits.difference(&d.huffman[0][c.dcTable])
		if err != nil {
			return err
		}
		c.pred += diff
		if c.pred != c.pred<<1>>1 {
			return errDamaged // libjpeg refuses a sum that doesn't fit
		}
		b.coef[0] = int16(c.pred << h.low)
	case h.start == 0:
		b.coef[0] |= int16(d.bits.bit() << h.low)
	case h.high == 0:
		if d.eobRun > 0 {
			d.eobRun--
			return nil
		}
		return d.firstAC(h, &d.huffman[1][c.acTable], b)
	default:
		return d.refineAC(h, &d.huffman[1][c.acTable], b)
	}
	return nil
}

// firstAC decodes the first bits of a band of AC coefficients (T.81 G.1.2.2).
func (d *Decoder) firstAC(h *scanHeader, table *huffman, b *kept) error {
	for k := h.start; k <= h.end; k++ {
		rs, v, err := d.bits.symbol(table)
		if err != nil {
			return err
		}
		run := int(rs >> 4)
		if rs&15 != 0 {
			k += run
			if w := v << h.low; w == int32(int16(w)) {
				b.set(k, int16(w))
				continue
			}
			return errDamaged
		}
		if run != 15 {
			d.eobRun = 1<<run - 1 + d.bits.receive(uint(run))
			break
		}
		k += 15
	}
	return nil
}

// refineAC decodes one more bit of a band of AC coefficients (T.81 G.1.2.3).
func (d *Decoder) refineAC(h *scanHeader, table *huffman, b *kept) error {
	band := ^uint64(0) >> (63 - h.end) &^ (1<<h.start - 1) // the rest of the band
	for d.eobRun == 0 && band != 0 {
		rs, v, err := d.bits.symbol(table)
		if err != nil {
			return err
		}
		run, size := int(rs>>4), rs&15
		if size > 1 {
			return errDamaged
		}
		if size == 0 && run < 15 {
			d.eobRun = 1<<run + d.bits.receive(uint(run))
			break
		}
		// The value goes to the zero that follows run other zeros.
		zeros := band &^ b.ac
		for ; run > 0; run-- {
			zeros &= zeros - 1
		}
		place := zeros & -zeros
		before := band & (place - 1) // the whole band if there is no such zero
		d.bits.correct(b, before&b.ac, h.low)
		band &^= before | place
		if v != 0 {
			if place == 0 {
				return errDamaged
			}
			b.set(bits.TrailingZeros64(place), int16(v)<<h.low)
		}
	}
	if d.eobRun > 0 {
		d.bits.correct(b, band&b.ac, h.low)
		d.eobRun--
	}
	return nil
}

// correct reads a bit for each of the given nonzero coefficients and, where it is 1,
// increases the coefficient's magnitude by 1<<low.
func (b *bitReader) correct(block *kept, which uint64, low int) {
	if which == 0 {
		return
	}
	acc, count, pos := b.acc, b.count, b.pos
	for ; which != 0; which &= which - 1 {
		if count == 0 {
			acc, count, pos = refill(b.data, acc, count, pos)
		}
		// Without a branch, because the bits are unpredictable.
		coef := &block.coef[bits.TrailingZeros64(which)&63]
		v := *coef
		sign := v >> 15
		bit := int16(acc>>63) &^ (v >> (low & 15))
		*coef = v + (bit<<(low&15) ^ sign) - sign
		acc <<= 1
		count--
	}
	b.acc, b.count, b.pos = acc, count, pos
}
