package jpeg

// unknown is the precision of a coefficient that no scan has brought.
const unknown = -1

// progress keeps account of the scans of a progressive picture.
type progress struct {
	begun bool
	// For each component and coefficient the lowest bit that is known: 0 if all
	// are, unknown if none is; and the same before the last scan that had the
	// component, for the first coefficients only (see smooth).
	bits, before [4][64]int8
}

// scan takes a scan into account. It tells whether the scan goes on where those
// before it ended.
func (p *progress) scan(d *Decoder, h *scanHeader) bool {
	if !p.begun {
		p.begun = true
		for i := range p.bits {
			for k := range p.bits[i] {
				p.bits[i][k] = unknown
			}
		}
	}
	follows := true
	for _, c := range h.comps {
		i := d.indexOf(c)
		bits := &p.bits[i]
		if h.start > 0 && bits[0] == unknown {
			follows = false
		}
		for k := min(h.start, 1); k <= max(h.end, smoothed-1); k++ {
			p.before[i][k] = 0
			if d.scans > 1 {
				p.before[i][k] = bits[k]
			}
		}
		for k := h.start; k <= h.end; k++ {
			if h.high != int(max(bits[k], 0)) {
				follows = false
			}
			bits[k] = int8(h.low)
		}
	}
	return follows
}

// complete tells whether all bits of all coefficients are known.
func (p *progress) complete(d *Decoder) bool {
	for i := range d.comps {
		for _, low := range p.bits[i] {
			if low != 0 {
				return false
			}
		}
	}
	return true
}

// indexOf is a component's place in the frame.
func (d *Decoder) indexOf(c *component) int {
	for i := range d.comps {
		if c == &d.comps[i] {
			return i
		}
	}
	return -1
}
