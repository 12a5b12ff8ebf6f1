package jpeg

import (
	"math/bits"
	"slices"
)

// next returns the coefficients, all zero, for the next block to be enqueued.
func (c *component) next() *coefficients {
	if c.queued == nil {
		c.pair = [128]int16{}
		return (*coefficients)(c.pair[:])
	}
	return (*coefficients)(c.pair[8:])
}

// enqueue adds the block decoded into next, to be written to out. Blocks are transformed
// in pairs, which is faster.
func (c *component) enqueue(out []uint8) {
	if c.queued == nil {
		c.queued = out
		return
	}
	idctPair(&c.pair, &c.table, c.queued, out, c.stride)
	c.queued = nil
}

// flush transforms the block left in the queue, if any.
func (c *component) flush() {
	if c.queued != nil {
		idct((*coefficients)(c.pair[:]), (*coefficients)(c.table[:]), c.queued, c.stride)
		c.queued = nil
	}
}

// allocate allocates the memory needed from the first scan on.
func (d *Decoder) allocate() {
	n := len(d.comps)
	d.colours = d.conversion()
	d.pix = resize(d.pix, d.width*d.height*n)
	for i := range d.comps {
		c := &d.comps[i]
		c.rows = resize(c.rows, (1+8*c.v)*c.stride)
		c.wide = resize(c.wide, max(c.width*(d.maxH/c.h), d.width))
		c.sums = resize(c.sums, c.width+2)
		if d.buffered {
			c.kept = resize(c.kept, c.paddedX*c.paddedY)
			clear(c.kept)
		}
	}
}

// resize returns a slice of n elements, in the same memory if its capacity is enough.
func resize[T any](s []T, n int) []T { return slices.Grow(s[:0], n)[:n] }

// finish makes the picture from the stored coefficients.
func (d *Decoder) finish() error {
	if !d.buffered {
		return nil
	}
	if d.progressive && !d.progress.complete(d) {
		return errDamaged
	}
	for i := range d.comps {
		if !d.comps[i].tabled {
			return errDamaged // no scan has this component
		}
	}
	for my := range d.mcusY {
		for i := range d.comps {
			c := &d.comps[i]
			c.transform(c.kept[my*c.v*c.paddedX:], my)
		}
		d.emit(my)
	}
	return nil
}

// transform turns the coefficients of row my of MCUs into samples.
func (c *component) transform(blocks []kept, my int) {
	for v := range min(c.v, c.blocksY-my*c.v) {
		kept := blocks[v*c.paddedX:][:c.blocksX]
		out := c.rows[(1+8*v)*c.stride:]
		for x := range kept {
			b := &kept[x]
			if b.ac == 0 {
				flat(b.coef[0]*c.table[0], out[8*x:], c.stride)
				continue
			}
			coef := c.next()
			coef[0] = b.coef[0]
			for left := b.ac; left != 0; left &= left - 1 {
				k := bits.TrailingZeros64(left) & 63
				coef[zigzag[k]] = b.coef[k]
			}
			c.enqueue(out[8*x:])
		}
	}
	c.flush()
}

// emit upsamples the rows of the picture that are completed by row my of MCUs and
// converts their colours. With vertical upsampling the lowest row has to wait for the
// chroma samples below it.
func (d *Decoder) emit(my int) {
	end := (my+1)*8*d.maxV - 1
	if d.maxV == 1 {
		end++
	}
	if my == d.mcusY-1 {
		end = d.height
	}
	n := len(d.comps)
	size := d.width * n
	var rows [4][]uint8
	for ; d.emitted < end; d.emitted++ {
		for i := range d.comps {
			c := &d.comps[i]
			rows[i] = c.row(d.emitted, my, d.maxH/c.h, d.maxV/c.v)[:d.width]
		}
		d.convert(d.pix[d.emitted*size:(d.emitted+1)*size], &rows)
	}
	for i := range d.comps {
		c := &d.comps[i]
		copy(c.rows[:c.stride], c.rows[8*c.v*c.stride:])
	}
}

// line returns row r of a component's samples while row my of MCUs is the last.
func (c *component) line(r, my int) []uint8 {
	r -= my*8*c.v - 1
	return c.rows[r*c.stride : (r+1)*c.stride]
}
