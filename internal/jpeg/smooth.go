package jpeg

import "slices"

// Block smoothing of libjpeg-turbo since 2.1: coefficients that are missing from a
// progressive file, or lack some bits, are estimated from the DC coefficients of the
// block and its 24 neighbours.

// smoothed is the number of coefficients, including DC, that can be estimated.
const smoothed = 10

// kernel weights the DC coefficients of 5 by 5 blocks, with the estimated block in the
// middle. An estimate is the sum times the DC's quantiser, divided by 256 times the
// coefficient's quantiser.
type kernel [5][5]int32

// fromDC are the kernels, in zigzag order, for when no AC coefficient is known. The DC
// coefficient is smoothed too.
var fromDC = [smoothed]kernel{
	{{-2, -6, -8, -6, -2}, {-6, 6, 42, 6, -6}, {-8, 42, 152, 42, -8}, {-6, 6, 42, 6, -6}, {-2, -6, -8, -6, -2}},
	{{-1, -1, 0, 1, 1}, {-3, 13, 0, -13, 3}, {-3, 38, 0, -38, 3}, {-3, 13, 0, -13, 3}, {-1, -1, 0, 1, 1}},
	{{-1, -3, -3, -3, -1}, {-1, 13, 38, 13, -1}, {}, {1, -13, -38, -13, 1}, {1, 3, 3, 3, 1}},
	{{0, 0, 1, 0, 0}, {0, 2, 7, 2, 0}, {0, -5, -14, -5, 0}, {0, 2, 7, 2, 0}, {0, 0, 1, 0, 0}},
	{{-1, 0, 0, 0, 1}, {0, 9, 0, -9, 0}, {}, {0, -9, 0, 9, 0}, {1, 0, 0, 0, -1}},
	{{}, {0, 2, -5, 2, 0}, {1, 7, -14, 7, 1}, {0, 2, -5, 2, 0}, {}},
	{{}, {0, 1, 0, -1, 0}, {0, 2, 0, -2, 0}, {0, 1, 0, -1, 0}, {}},
	{{}, {0, 1, -3, 1, 0}, {}, {0, -1, 3, -1, 0}, {}},
	{{}, {0, 1, 0, -1, 0}, {0, -3, 0, 3, 0}, {0, 1, 0, -1, 0}, {}},
	{{}, {0, 1, 2, 1, 0}, {}, {0, -1, -2, -1, 0}, {}},
}

// fromSome are the kernels for when some are known: for the first five AC coefficients,
// after T.81 K.8.
var fromSome = [6]kernel{
	1: {2: {-7, 50, 0, -50, 7}},
	2: {{0, 0, -7, 0, 0}, {0, 0, 50, 0, 0}, {}, {0, 0, -50, 0, 0}, {0, 0, 7, 0, 0}},
	3: {{0, 0, -1, 0, 0}, {0, 0, 13, 0, 0}, {0, 0, -24, 0, 0}, {0, 0, 13, 0, 0}, {0, 0, -1, 0, 0}},
	4: {{0, -1, 0, 1, 0}, {-1, 10, 0, -10, 1}, {}, {1, -10, 0, 10, -1}, {0, 1, 0, -1, 0}},
	5: {2: {-1, 13, -24, 13, -1}},
}

// smoothable reports whether there are coefficients to estimate and the values needed
// for it are known.
func (d *Decoder) smoothable() bool {
	if !d.progressive {
		return false
	}
	useful := false
	for i := range d.comps {
		c := &d.comps[i]
		bits := &d.progress.bits[i]
		if !c.tabled || bits[0] == unknown {
			return false
		}
		for k := range smoothed {
			if c.table[zigzag[k]] == 0 {
				return false
			}
			useful = useful || k > 0 && bits[k] != 0
		}
	}
	return useful
}

// smooth returns the blocks of component i in row my of MCUs, smoothed.
func (l *lenient) smooth(i, my int) []kept {
	c := &l.comps[i]
	first := my * c.v
	last := min(first+c.v, c.blocksY)
	l.scratch = append(l.scratch[:0], c.kept[first*c.paddedX:last*c.paddedX]...)
	for row := first; row < last; row++ {
		s := l.smoother(i, row)
		blocks := l.scratch[(row-first)*c.paddedX:][:c.blocksX]
		for x := range blocks {
			s.block(&blocks[x], x)
		}
		listNonzero(blocks)
	}
	return l.scratch
}

// smoother estimates the coefficients of a row of blocks.
type smoother struct {
	c       *component
	rows    [5][]kept // the row and its neighbours, nil for a row of zeros
	bits    []int8    // the lowest known bit of each coefficient
	kernels []kernel
	evenDC  bool
}

func (l *lenient) smoother(i, row int) *smoother {
	c := &l.comps[i]
	s := &smoother{c: c, bits: l.progress.bits[i][:smoothed]}
	// The last scan doesn't count for rows after its data ended.
	if row/c.rowsInMCU > l.lastGood {
		s.bits = l.progress.before[i][:smoothed]
		if l.scans == 1 {
			s.bits = slices.Repeat([]int8{unknown}, smoothed)
		}
	}
	known := func(low int8) bool { return low != unknown }
	s.evenDC = !slices.ContainsFunc(s.bits[1:], known)
	s.kernels = fromSome[:]
	if s.evenDC {
		s.kernels = fromDC[:]
	}
	s.neighbours(row)
	return s
}

// neighbours finds the rows around a row. At the upper and lower edge the row itself
// replaces missing ones. If the last row of MCUs isn't full, libjpeg counts its rows
// differently and treats them as closer to the upper edge than they are.
func (s *smoother) neighbours(row int) {
	c := s.c
	mcus := ceilDiv(c.blocksY, c.rowsInMCU)
	mcu, inMCU, height := row/c.rowsInMCU, row%c.rowsInMCU, c.rowsInMCU
	if mcu == mcus-1 {
		height = (c.blocksY-1)%c.rowsInMCU + 1
	}
	place, end := mcu*height+inMCU, mcus*height
	above := min(place, 2)
	below := min(end-1-place, 2)
	for i := range s.rows {
		r := row + min(max(i-2, -above), below)
		if r < c.paddedY {
			s.rows[i] = c.kept[r*c.paddedX:][:c.blocksX]
		}
	}
}

// block estimates the unknown coefficients of the block in column x.
func (s *smoother) block(b *kept, x int) {
	var dc kernel
	for i, row := range s.rows {
		for j := range dc[i] {
			if row != nil {
				dc[i][j] = int32(row[min(max(x+j-2, 0), len(row)-1)].coef[0])
			}
		}
	}
	for k := 1; k < len(s.kernels); k++ {
		if low := s.bits[k]; low != 0 && b.coef[k] == 0 {
			b.coef[k] = int16(s.estimate(&dc, k, low))
		}
	}
	if s.evenDC {
		b.coef[0] = int16(s.estimate(&dc, 0, 0))
	}
}

// estimate estimates coefficient k, whose bits from low upwards are known to be 0.
func (s *smoother) estimate(dc *kernel, k int, low int8) int32 {
	sum := int32(0)
	for i := range dc {
		for j := range dc[i] {
			sum += s.kernels[k][i][j] * dc[i][j]
		}
	}
	num := int64(uint16(s.c.table[0])) * int64(sum)
	q := int64(uint16(s.c.table[zigzag[k]]))
	size := int32((q<<7 + max(num, -num)) / (q << 8))
	if low > 0 && size >= 1<<low {
		size = 1<<low - 1
	}
	if num < 0 {
		return -size
	}
	return size
}
