package jpeg

import (
	"errors"
	"fmt"
)

// scanHeader is T.81 B.2.3: which components, which coefficients (start to end
// in zigzag order), and which of their bits (high: sent before, low: now).
type scanHeader struct {
	comps      []*component
	start, end int
	high, low  int
}

// scan reads a scan's header and its entropy-coded data.
func (d *decoder) scan(s []byte) error {
	h, err := d.scanHeader(s)
	if err != nil {
		return err
	}
	if d.scans == 0 {
		d.buffered = d.progressive || len(h.comps) < len(d.comps)
		for i := range d.comps {
			c := &d.comps[i]
			if d.buffered {
				c.coefs = make([]int16, c.paddedX*c.paddedY*64)
			} else {
				c.plane = make([]uint8, c.stride*c.paddedY*8)
			}
		}
	}
	d.scans++
	if d.scans > 1000 {
		return errors.New("more than 1000 scans: not a picture but a bomb")
	}
	for _, c := range h.comps {
		if c.table == nil {
			c.table = d.quant[c.quant]
		}
		if c.table == nil {
			return fmt.Errorf("quantisation table %d is missing", c.quant)
		}
	}
	d.bits = bitReader{data: d.data}
	d.bits.reset(d.pos)
	d.eobRun = 0
	if err := d.decodeScan(h); err != nil {
		return err
	}
	d.pos = d.bits.pos
	return nil
}

// scanHeader checks what a scan claims against the frame and the tables.
func (d *decoder) scanHeader(s []byte) (*scanHeader, error) {
	if len(d.comps) == 0 {
		return nil, errors.New("a scan before the frame header")
	}
	if len(s) < 1 || len(s) != 4+2*int(s[0]) || s[0] < 1 || int(s[0]) > len(d.comps) {
		return nil, errors.New("a scan header has a wrong length")
	}
	n := int(s[0])
	h := &scanHeader{}
	blocks := 0
	for i := range n {
		id, tables := s[1+2*i], s[2+2*i]
		var c *component
		for j := range d.comps {
			if d.comps[j].id == id {
				c = &d.comps[j]
			}
		}
		if c == nil {
			return nil, fmt.Errorf("a scan of component %d, which the frame hasn't", id)
		}
		for _, other := range h.comps {
			if other == c {
				return nil, fmt.Errorf("component %d twice in a scan", id)
			}
		}
		c.dcTable, c.acTable = tables>>4, tables&15
		if c.dcTable > 3 || c.acTable > 3 {
			return nil, fmt.Errorf("component %d uses Huffman tables that can't exist", id)
		}
		h.comps = append(h.comps, c)
		blocks += c.h * c.v
	}
	if n > 1 && blocks > 10 {
		return nil, errors.New("more than 10 blocks in an MCU")
	}
	h.start, h.end = int(s[1+2*n]), int(s[2+2*n])
	h.high, h.low = int(s[3+2*n]>>4), int(s[3+2*n]&15)
	if !d.progressive {
		h.start, h.end, h.high, h.low = 0, 63, 0, 0
	}
	if h.end > 63 || h.start > h.end || h.low > 13 || h.high > 13 || h.start == 0 && h.end != 0 && d.progressive || h.start > 0 && n > 1 {
		return nil, fmt.Errorf("a scan of coefficients %d to %d, bits %d to %d, can't be", h.start, h.end, h.high, h.low)
	}
	return h, d.checkTables(h)
}

// checkTables makes sure that the Huffman tables a scan needs are there.
func (d *decoder) checkTables(h *scanHeader) error {
	for _, c := range h.comps {
		needDC := h.start == 0 && h.high == 0
		needAC := h.end > 0
		if needDC && d.dc[c.dcTable] == nil || needAC && d.ac[c.acTable] == nil {
			return fmt.Errorf("a Huffman table of component %d is missing", c.id)
		}
	}
	return nil
}

// decodeScan walks the scan's MCUs; restart markers stand between intervals.
func (d *decoder) decodeScan(h *scanHeader) error {
	mcusX, mcusY := d.mcusX, d.mcusY
	single := len(h.comps) == 1
	if single {
		mcusX, mcusY = h.comps[0].blocksX, h.comps[0].blocksY
	}
	var pred [4]int32
	left := d.restart
	next := byte(mRST0)
	for my := range mcusY {
		for mx := range mcusX {
			if d.restart > 0 && left == 0 {
				if err := d.expectRestart(next); err != nil {
					return err
				}
				next = mRST0 + (next-mRST0+1)&7
				left, pred, d.eobRun = d.restart, [4]int32{}, 0
			}
			left--
			for i, c := range h.comps {
				if single {
					if err := d.block(h, c, mx, my, &pred[0]); err != nil {
						return err
					}
					continue
				}
				for b := range c.h * c.v {
					if err := d.block(h, c, mx*c.h+b%c.h, my*c.v+b/c.h, &pred[i]); err != nil {
						return err
					}
				}
			}
		}
		if d.bits.overrun() {
			return ErrTruncated
		}
	}
	return nil
}

// expectRestart checks that the given restart marker comes next and passes it.
func (d *decoder) expectRestart(marker byte) error {
	if d.bits.overrun() {
		return ErrTruncated
	}
	// Bits that were filled in beyond the last byte belong to nothing: the
	// marker stands at the reader's position, after padding of ones.
	p := d.bits.pos
	for p+1 < len(d.data) && !(d.data[p] == 0xFF && d.data[p+1] != 0 && d.data[p+1] != 0xFF) {
		p++
	}
	if p+1 >= len(d.data) {
		return ErrTruncated
	}
	if d.data[p+1] != marker {
		return fmt.Errorf("corrupt: marker %02X where restart marker %02X should be", d.data[p+1], marker)
	}
	d.bits.reset(p + 2)
	return nil
}

// block decodes one block of a component; pred is its DC prediction.
func (d *decoder) block(h *scanHeader, c *component, bx, by int, pred *int32) error {
	if !d.buffered {
		return d.directBlock(c, bx, by, pred)
	}
	at := (by*c.paddedX + bx) * 64
	coef := (*[64]int16)(c.coefs[at : at+64])
	if !d.progressive {
		_, err := d.sequential(c, coef, pred)
		return err
	}
	switch {
	case h.start == 0 && h.high == 0:
		diff, err := d.dcDifference(c)
		if err != nil {
			return err
		}
		*pred += diff
		coef[0] = int16(*pred << h.low)
	case h.start == 0:
		if d.bits.receive(1) != 0 {
			coef[0] |= 1 << h.low
		}
	case h.high == 0:
		return d.firstAC(h, c, coef)
	default:
		return d.refineAC(h, c, coef)
	}
	return nil
}

// directBlock decodes a block of a baseline picture whose scan holds all
// components, and transforms it at once.
func (d *decoder) directBlock(c *component, bx, by int, pred *int32) error {
	var coef [64]int16
	onlyDC, err := d.sequential(c, &coef, pred)
	if err != nil {
		return err
	}
	out := c.plane[by*8*c.stride+bx*8:]
	if onlyDC {
		flat(int32(coef[0])*c.table[0], out, c.stride)
	} else {
		idct(&coef, c.table, out, c.stride)
	}
	return nil
}

// dcDifference decodes the difference of a block's DC coefficient.
func (d *decoder) dcDifference(c *component) (int32, error) {
	size, err := d.bits.symbol(d.dc[c.dcTable])
	if err != nil || size == 0 {
		return 0, err
	}
	if size > 15 {
		return 0, errors.New("corrupt: an impossible DC coefficient")
	}
	return d.bits.extend(int(size)), nil
}

// sequential decodes all coefficients of a block (T.81 F.2.2).
func (d *decoder) sequential(c *component, coef *[64]int16, pred *int32) (onlyDC bool, err error) {
	diff, err := d.dcDifference(c)
	if err != nil {
		return false, err
	}
	*pred += diff
	coef[0] = int16(*pred)
	table := d.ac[c.acTable]
	onlyDC = true
	for k := 1; k < 64; k++ {
		rs, err := d.bits.symbol(table)
		if err != nil {
			return false, err
		}
		run, size := int(rs>>4), int(rs&15)
		if size == 0 {
			if run != 15 {
				break
			}
			k += 15
			continue
		}
		k += run
		coef[zigzag[k]] = int16(d.bits.extend(size))
		onlyDC = false
	}
	return onlyDC, nil
}

// firstAC decodes the first bits of a band of AC coefficients (T.81 G.1.2.2).
func (d *decoder) firstAC(h *scanHeader, c *component, coef *[64]int16) error {
	if d.eobRun > 0 {
		d.eobRun--
		return nil
	}
	table := d.ac[c.acTable]
	for k := h.start; k <= h.end; k++ {
		rs, err := d.bits.symbol(table)
		if err != nil {
			return err
		}
		run, size := int(rs>>4), int(rs&15)
		if size != 0 {
			k += run
			coef[zigzag[k]] = int16(d.bits.extend(size) << h.low)
			continue
		}
		if run != 15 {
			d.eobRun = 1<<run - 1
			if run > 0 {
				d.eobRun += d.bits.receive(run)
			}
			break
		}
		k += 15
	}
	return nil
}

// refineAC decodes one more bit of a band of AC coefficients (T.81 G.1.2.3).
func (d *decoder) refineAC(h *scanHeader, c *component, coef *[64]int16) error {
	plus, minus := int16(1)<<h.low, int16(-1)<<h.low
	k := h.start
	if d.eobRun == 0 {
		table := d.ac[c.acTable]
		for k <= h.end {
			rs, err := d.bits.symbol(table)
			if err != nil {
				return err
			}
			run, size := int(rs>>4), int(rs&15)
			value := int16(0)
			switch {
			case size > 1:
				return errors.New("corrupt: a refinement of more than one bit")
			case size == 1:
				value = minus
				if d.bits.receive(1) != 0 {
					value = plus
				}
			case run < 15:
				d.eobRun = 1 << run
				if run > 0 {
					d.eobRun += d.bits.receive(run)
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
func (d *decoder) refineRun(coef *[64]int16, k, end, zeros int, plus, minus int16) int {
	for ; k <= end; k++ {
		v := &coef[zigzag[k]]
		if *v == 0 {
			if zeros == 0 {
				return k
			}
			zeros--
			continue
		}
		if d.bits.receive(1) != 0 && *v&plus == 0 {
			if *v >= 0 {
				*v += plus
			} else {
				*v += minus
			}
		}
	}
	return k
}
