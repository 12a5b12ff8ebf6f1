package jpeg

import (
	"errors"
	"fmt"
	"slices"
)

// scanHeader is the scan header of T.81 B.2.3: the components, the coefficients (start
// to end in zigzag order), and their bits (high: sent before, low: sent now).
type scanHeader struct {
	list       [4]*component
	comps      []*component // a slice of list
	start, end int
	high, low  int
	again      bool // a component already had a scan
}

// maxScans is the number of scans above which a file is refused as malicious.
const maxScans = 1000

// scan reads a scan's header and its entropy-coded data.
func (d *Decoder) scan(s []byte) error {
	if err := d.beginScan(s); err != nil {
		return err
	}
	h := &d.header
	if !d.progressive {
		if !h.whole() || h.again {
			return errDamaged
		}
	} else if !d.progress.scan(d, h) {
		return errDamaged
	}
	if d.scans == 1 {
		if !d.coloursKnown() {
			return errDamaged
		}
		d.buffered = d.progressive || len(h.comps) < len(d.comps)
		d.allocate()
	}
	d.pos = d.bits.load(d.data, d.pos)
	return d.decodeScan(h)
}

// beginScan reads a scan's header and checks what the scan needs.
func (d *Decoder) beginScan(s []byte) error {
	if err := d.scanHeader(s); err != nil {
		return err
	}
	d.scans++
	if d.scans > maxScans {
		return fmt.Errorf("more than %d scans: the file is refused as a decompression bomb", maxScans)
	}
	h := &d.header
	if d.progressive {
		if err := h.checkBand(); err != nil {
			return err
		}
	} else if d.scans == 1 {
		d.standardTables()
	}
	for _, c := range h.comps {
		if c.tabled {
			h.again = true
			continue
		}
		if c.quant > 3 || !d.quantDefined[c.quant] {
			return fmt.Errorf("corrupt: quantisation table %d is missing", c.quant)
		}
		c.table, c.tabled = d.quant[c.quant], true
	}
	return d.checkTables(h)
}

// scanHeader reads a scan's header.
func (d *Decoder) scanHeader(s []byte) error {
	if len(d.comps) == 0 {
		return errors.New("corrupt: a scan before the frame header")
	}
	if len(s) < 1 || len(s) != 4+2*int(s[0]) || s[0] < 1 || int(s[0]) > len(d.header.list) {
		return errors.New("corrupt: a scan header has a wrong length")
	}
	n := int(s[0])
	h := &d.header
	*h = scanHeader{}
	h.comps = h.list[:0]
	blocks := 0
	for i := range n {
		c, err := d.scanned(s[1+2*i])
		if err != nil {
			return err
		}
		tables := s[2+2*i]
		c.dcTable, c.acTable = tables>>4, tables&15
		h.comps = append(h.comps, c)
		blocks += c.h * c.v
	}
	if n > 1 && blocks > 10 {
		return errors.New("corrupt: more than 10 blocks in an MCU")
	}
	h.start, h.end = int(s[1+2*n]), int(s[2+2*n])
	h.high, h.low = int(s[3+2*n]>>4), int(s[3+2*n]&15)
	return nil
}

// scanned finds a component named in a scan. Several components may have the same id:
// like libjpeg, scanned skips those that the scan already has.
func (d *Decoder) scanned(id byte) (*component, error) {
	h := &d.header
	known := false
	for i := range d.comps {
		c := &d.comps[i]
		if c.id != id {
			continue
		}
		if known = true; i < len(h.comps) {
			continue
		}
		if slices.Contains(h.comps, c) {
			break
		}
		return c, nil
	}
	if known {
		return nil, fmt.Errorf("corrupt: component %d twice or out of order in a scan", id)
	}
	for i := range d.comps {
		for j := range i {
			if d.comps[i].id == d.comps[j].id {
				return nil, fmt.Errorf("corrupt: a scan of component %d, and two components are both called %d", id, d.comps[i].id)
			}
		}
	}
	return nil, fmt.Errorf("corrupt: a scan of component %d, which isn't in the frame", id)
}

// whole reports whether the header is valid for a sequential picture.
func (h *scanHeader) whole() bool { return h.start == 0 && h.end == 63 && h.high == 0 && h.low == 0 }

// checkBand checks the coefficients and bits of a progressive scan (T.81 G.1.1.1).
func (h *scanHeader) checkBand() error {
	first := h.start == 0 && h.end == 0
	ac := h.start > 0 && h.start <= h.end && h.end <= 63 && len(h.comps) == 1
	if !first && !ac || h.high != 0 && h.low != h.high-1 || h.low > 13 {
		return fmt.Errorf("corrupt: a scan of coefficients %d to %d, bits %d to %d, isn't valid", h.start, h.end, h.high, h.low)
	}
	return nil
}

// checkTables checks that the Huffman tables needed by a scan exist.
func (d *Decoder) checkTables(h *scanHeader) error {
	for _, c := range h.comps {
		dc, ac := true, true
		if d.progressive {
			dc, ac = h.start == 0 && h.high == 0, h.start > 0
		}
		if dc {
			if err := d.checkTable(c, 0, c.dcTable); err != nil {
				return err
			}
			if t := &d.huffman[0][c.dcTable]; t.largest > 15 {
				return fmt.Errorf("corrupt: Huffman table %d has differences of %d bits", c.dcTable, t.largest)
			}
		}
		if ac {
			if err := d.checkTable(c, 1, c.acTable); err != nil {
				return err
			}
		}
	}
	return nil
}

func (d *Decoder) checkTable(c *component, class int, id byte) error {
	if id > 3 {
		return fmt.Errorf("corrupt: component %d uses Huffman tables with invalid numbers", c.id)
	}
	t := &d.huffman[class][id]
	if !t.defined {
		return fmt.Errorf("corrupt: a Huffman table of component %d is missing", c.id)
	}
	return t.fault
}

// decodeScan walks the scan's MCUs; intervals are separated by restart markers.
func (d *Decoder) decodeScan(h *scanHeader) error {
	if d.bits.odd {
		return errDamaged
	}
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
			return errDamaged
		}
		if !d.buffered {
			for _, c := range h.comps {
				c.flush()
			}
			d.emit(my)
		}
	}
	if d.bits.left() {
		return errDamaged
	}
	return nil
}

// expectRestart checks that the given restart marker comes next and reads it.
func (d *Decoder) expectRestart(marker byte) error {
	if d.bits.overrun() || d.bits.left() {
		return errDamaged
	}
	if got, err := d.nextMarker(); err != nil || got != marker {
		return errDamaged
	}
	d.pos = d.bits.load(d.data, d.pos)
	if d.bits.odd {
		return errDamaged
	}
	d.restarted()
	return nil
}

// restarted resets the predictions.
func (d *Decoder) restarted() {
	d.eobRun = 0
	for i := range d.comps {
		d.comps[i].pred = 0
	}
}

// mcu decodes one MCU: h*v blocks of each component, or a single block in a scan of one
// component.
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

// block decodes the block of a component in column bx and row by of the picture, which
// is in row v of its MCU.
func (d *Decoder) block(h *scanHeader, c *component, bx, by, v int) error {
	if d.buffered {
		b := &c.kept[by*c.paddedX+bx]
		if d.progressive {
			return d.progressiveBlock(h, c, b)
		}
		return d.sequentialBlock(c, b)
	}
	// In a baseline picture whose scan has all components, the block is transformed at once.
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
