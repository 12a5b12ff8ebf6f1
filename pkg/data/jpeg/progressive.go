package jpeg

import "errors"

// progressiveBlock decodes what a scan of a progressive picture says about a block.
func (d *Decoder) progressiveBlock(h *scanHeader, c *component, coef *coefficients) error {
	switch {
	case h.start == 0 && h.high == 0:
		diff, err := d.bits.difference(&d.huffman[0][c.dcTable])
		if err != nil {
			return err
		}
		c.pred += diff
		coef[0] = int16(c.pred << h.low)
	case h.start == 0:
		coef[0] |= int16(d.bits.bit() << h.low)
	case h.high == 0:
		return d.firstAC(h, c, coef)
	default:
		return d.refineAC(h, c, coef)
	}
	return nil
}

// firstAC decodes the first bits of a band of AC coefficients (T.81 G.1.2.2).
func (d *Decoder) firstAC(h *scanHeader, c *component, coef *coefficients) error {
	if d.eobRun > 0 {
		d.eobRun--
		return nil
	}
	table := &d.huffman[1][c.acTable]
	for k := h.start; k <= h.end; k++ {
		rs, v, err := d.bits.symbol(table)
		if err != nil {
			return err
		}
		run, size := int(rs>>4), rs&15
		if size != 0 {
			k += run
			coef[zigzag[k]] = int16(v << h.low)
			continue
		}
		if run != 15 {
			d.eobRun = 1<<run - 1
			if run > 0 {
				d.eobRun += d.bits.receive(uint(run))
			}
			break
		}
		k += 15
	}
	return nil
}

// refineAC decodes one more bit of a band of AC coefficients (T.81 G.1.2.3).
func (d *Decoder) refineAC(h *scanHeader, c *component, coef *coefficients) error {
	plus, minus := int16(1)<<h.low, int16(-1)<<h.low
	k := h.start
	if d.eobRun == 0 {
		table := &d.huffman[1][c.acTable]
		for k <= h.end {
			rs, v, err := d.bits.symbol(table)
			if err != nil {
				return err
			}
			run, size := int(rs>>4), rs&15
			value := int16(0)
			switch {
			case size > 1:
				return errors.New("corrupt: a refinement of more than one bit")
			case size == 1:
				value = int16(v) << h.low
			case run < 15:
				d.eobRun = 1 << run
				if run > 0 {
					d.eobRun += d.bits.receive(uint(run))
				}
			}
			if d.eobRun > 0 {
				break
			}
			k = d.refineRun(coef, k, h.end, run, plus, minus)
			if value != 0 && k <= h.end {
				coef[zigzag[k]] = value
			}
			k++
		}
	}
	if d.eobRun > 0 {
		d.refineRun(coef, k, h.end, 64, plus, minus)
		d.eobRun--
	}
	return nil
}

// refineRun passes over zeros coefficients that are zero, reading a correction
// bit for each one in between that isn't, and returns where it stopped.
func (d *Decoder) refineRun(coef *coefficients, k, end, zeros int, plus, minus int16) int {
	for ; k <= end; k++ {
		v := &coef[zigzag[k]]
		if *v == 0 {
			if zeros == 0 {
				return k
			}
			zeros--
			continue
		}
		if d.bits.bit() != 0 && *v&plus == 0 {
			if *v >= 0 {
				*v += plus
			} else {
				*v += minus
			}
		}
	}
	return k
}
