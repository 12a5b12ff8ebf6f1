package jpeg

// unknown is the precision of a coefficient that no scan has sent yet.
const unknown = -1

// progress tracks the scans of a progressive picture.
type progress struct {
	begun bool
	// For each component and coefficient the lowest known bit: 0 if all are
	// known, unknown if none is. Then the same before the last scan with the
	// component, for the first coefficients only (see smooth).
	bits, before [4][64]int8
}

// scan records a scan. It reports whether the scan continues where the scans before it
// ended.
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

// complete reports whether all bits of all coefficients are known.
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

// indexOf is a component's index in the frame.
func (d *Decoder) indexOf(c *component) int {
	for i := range d.comps {
		if c == &d.comps[i] {
			return i
		}
	}
	return -1
}
