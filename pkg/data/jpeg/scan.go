package jpeg

import (
	"errors"
	"fmt"
)

// scanHeader is T.81 B.2.3: which components, which coefficients (start to end
// in zigzag order), and which of their bits (high: sent before, low: now).
type scanHeader struct {
	list       [4]*component
	comps      []*component // of list
	start, end int
	high, low  int
}

// scan reads a scan's header and its entropy-coded data.
func (d *Decoder) scan(s []byte) error {
	if err := d.scanHeader(s); err != nil {
		return err
	}
	h := &d.header
	d.scans++
	if d.scans > 1000 {
		return errors.New("more than 1000 scans: not a picture but a bomb")
	}
	for _, c := range h.comps {
		if !c.tabled && !d.quantDefined[c.quant] {
			return fmt.Errorf("quantisation table %d is missing", c.quant)
		}
		if !c.tabled {
			c.table, c.tabled = d.quant[c.quant], true
		}
	}
	if d.scans == 1 {
		d.buffered = d.progressive || len(h.comps) < len(d.comps)
		d.allocate()
	}
	d.pos = d.bits.load(d.data, d.pos)
	d.eobRun = 0
	return d.decodeScan(h)
}

// scanHeader checks what a scan claims against the frame and the tables.
func (d *Decoder) scanHeader(s []byte) error {
	if len(d.comps) == 0 {
		return errors.New("a scan before the frame header")
	}
	if len(s) < 1 || len(s) != 4+2*int(s[0]) || s[0] < 1 || int(s[0]) > len(d.comps) {
		return errors.New("a scan header has a wrong length")
	}
	n := int(s[0])
	h := &d.header
	*h = scanHeader{}
	h.comps = h.list[:0]
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
			return fmt.Errorf("a scan of component %d, which the frame hasn't", id)
		}
		for _, other := range h.comps {
			if other == c {
				return fmt.Errorf("component %d twice in a scan", id)
			}
		}
		c.dcTable, c.acTable = tables>>4, tables&15
		if c.dcTable > 3 || c.acTable > 3 {
			return fmt.Errorf("component %d uses Huffman tables that can't exist", id)
		}
		h.comps = append(h.comps, c)
		blocks += c.h * c.v
	}
	if n > 1 && blocks > 10 {
		return errors.New("more than 10 blocks in an MCU")
	}
	h.start, h.end = int(s[1+2*n]), int(s[2+2*n])
	h.high, h.low = int(s[3+2*n]>>4), int(s[3+2*n]&15)
	if !d.progressive {
		h.start, h.end, h.high, h.low = 0, 63, 0, 0
	}
	if h.end > 63 || h.start > h.end || h.low > 13 || h.high > 13 || h.start == 0 && h.end != 0 && d.progressive || h.start > 0 && n > 1 {
		return fmt.Errorf("a scan of coefficients %d to %d, bits %d to %d, can't be", h.start, h.end, h.high, h.low)
	}
	return d.checkTables(h)
}

// checkTables makes sure that the Huffman tables a scan needs are there.
func (d *Decoder) checkTables(h *scanHeader) error {
	for _, c := range h.comps {
		needDC := h.start == 0 && h.high == 0
		needAC := h.end > 0
		if needDC && !d.huffman[0][c.dcTable].defined || needAC && !d.huffman[1][c.acTable].defined {
			return fmt.Errorf("a Huffman table of component %d is missing", c.id)
		}
	}
	return nil
}

// decodeScan walks the scan's MCUs; restart markers stand between intervals.
func (d *Decoder) decodeScan(h *scanHeader) error {
	mcusX, mcusY := d.mcusX, d.mcusY
	if len(h.comps) == 1 {
		mcusX, mcusY = h.comps[0].blocksX, h.comps[0].blocksY
	}
	d.restarted()
	left := d.restart
	next := byte(mRST0)
	for my := range mcusY {
		for mx := range mcusX {
			if d.restart > 0 {
				if left == 0 {
					if err := d.expectRestart(next); err != nil {
						return err
					}
					next = mRST0 + (next-mRST0+1)&7
					left = d.restart
				}
				left--
			}
			if err := d.mcu(h, mx, my); err != nil {
				return err
			}
		}
		if d.bits.overrun() {
			return ErrTruncated
		}
		if !d.buffered {
			for _, c := range h.comps {
				c.flush()
			}
			d.emit(my)
		}
	}
	return nil
}

// expectRestart checks that the given restart marker comes next and passes it.
func (d *Decoder) expectRestart(marker byte) error {
	if d.bits.overrun() {
		return ErrTruncated
	}
	got, err := d.nextMarker()
	if err != nil {
		return err
	}
	if got != marker {
		return fmt.Errorf("corrupt: marker %02X where restart marker %02X should be", got, marker)
	}
	d.pos = d.bits.load(d.data, d.pos)
	d.restarted()
	return nil
}

// restarted forgets what coefficients are predicted from.
func (d *Decoder) restarted() {
	d.eobRun = 0
	for i := range d.comps {
		d.comps[i].pred = 0
	}
}

// mcu decodes one MCU: h*v blocks of each component, but in a scan of one
// component a single block.
func (d *Decoder) mcu(h *scanHeader, mx, my int) error {
	if len(h.comps) == 1 {
		return d.block(h, h.comps[0], mx, my, 0)
	}
	for _, c := range h.comps {
		for v := range c.v {
			for x := range c.h {
				if err := d.block(h, c, mx*c.h+x, my*c.v+v, v); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// block decodes a block of a component, the one of column bx and row by in all
// and of row v in its MCU.
func (d *Decoder) block(h *scanHeader, c *component, bx, by, v int) error {
	if d.buffered {
		b := &c.kept[by*c.paddedX+bx]
		if d.progressive {
			return d.progressiveBlock(h, c, b)
		}
		return d.sequentialBlock(c, b)
	}
	// A baseline picture whose scan holds all components: transformed at once.
	coef := c.next()
	dcOnly, err := d.bits.block(&d.huffman[0][c.dcTable], &d.huffman[1][c.acTable], coef, &c.pred)
	if err != nil {
		return err
	}
	out := c.rows[(1+8*v)*c.stride+8*bx:]
	if dcOnly {
		flat(coef[0]*c.table[0], out, c.stride)
		coef[0] = 0
		return nil
	}
	c.enqueue(out)
	return nil
}
