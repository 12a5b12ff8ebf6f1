package jpeg

import "slices"

// queued is a block that waits for its transform: two at a time go faster.
type queued struct {
	coef [64]int16
	c    *component
	out  []uint8
}

// enqueue adds the block in the queue's next coefficients.
func (d *Decoder) enqueue(c *component, out []uint8) {
	q := &d.queue[d.queued]
	q.c, q.out = c, out
	d.queued++
	if d.queued == len(d.queue) {
		d.queued = 0
		a, b := &d.queue[0], &d.queue[1]
		idctPair(&a.coef, &b.coef, &a.c.table, &b.c.table, a.out, b.out, a.c.stride, b.c.stride)
	}
}

// flush transforms what is left in the queue.
func (d *Decoder) flush() {
	if d.queued == 1 {
		q := &d.queue[0]
		idct(&q.coef, &q.c.table, q.out, q.c.stride)
	}
	d.queued = 0
}

// allocate makes room for what the first scan begins.
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
			c.coefs = resize(c.coefs, c.paddedX*c.paddedY*64)
			clear(c.coefs)
		}
	}
}

// resize returns a slice of n elements in the same memory if there is enough.
func resize[T any](s []T, n int) []T { return slices.Grow(s[:0], n)[:n] }

// finish makes the picture of the coefficients that were kept.
func (d *Decoder) finish() error {
	if !d.buffered {
		return nil
	}
	for i := range d.comps {
		if !d.comps[i].tabled {
			return ErrTruncated // no scan brought this component
		}
	}
	for my := range d.mcusY {
		for i := range d.comps {
			d.comps[i].transform(my)
		}
		d.emit(my)
	}
	return nil
}

// transform turns the kept coefficients of a row of MCUs into samples.
func (c *component) transform(my int) {
	for v := range min(c.v, c.blocksY-my*c.v) {
		at := (my*c.v + v) * c.paddedX * 64
		coefs := c.coefs[at : at+c.blocksX*64]
		out := c.rows[(1+8*v)*c.stride:]
		for ; len(coefs) >= 128; coefs, out = coefs[128:], out[16:] {
			a, b := (*[64]int16)(coefs), (*[64]int16)(coefs[64:])
			idctPair(a, b, &c.table, &c.table, out, out[8:], c.stride, c.stride)
		}
		if len(coefs) > 0 {
			idct((*[64]int16)(coefs), &c.table, out, c.stride)
		}
	}
}

// emit brings the rows of the picture that row my of MCUs completes to full size
// and converts their colours. The lowest of several must wait for the chroma
// sample below it.
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
