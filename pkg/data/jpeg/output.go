package jpeg

// finish transforms what is left, brings all components to full size and
// converts the colours.
func (d *decoder) finish() (*Picture, error) {
	for i := range d.comps {
		c := &d.comps[i]
		if d.buffered {
			if c.table == nil {
				return nil, ErrTruncated // no scan brought this component
			}
			c.transform()
		}
	}
	n := len(d.comps)
	p := &Picture{Width: d.width, Height: d.height, Channels: n, Pix: make([]uint8, d.width*d.height*n)}
	convert := d.converter()
	rows := make([][]uint8, n)
	buffers := make([][]uint8, n)
	for i := range buffers {
		buffers[i] = make([]uint8, d.mcusX*8*d.maxH+2)
	}
	for y := range d.height {
		for i := range d.comps {
			rows[i] = d.comps[i].row(y, d.maxH/d.comps[i].h, d.maxV/d.comps[i].v, buffers[i])[:d.width]
		}
		convert(p.Pix[y*d.width*n:(y+1)*d.width*n], rows)
	}
	return p, nil
}

// transform turns all kept coefficients of a component into samples.
func (c *component) transform() {
	c.plane = make([]uint8, c.stride*c.paddedY*8)
	for by := range c.blocksY {
		for bx := range c.blocksX {
			at := (by*c.paddedX + bx) * 64
			idct((*[64]int16)(c.coefs[at:at+64]), c.table, c.plane[by*8*c.stride+bx*8:], c.stride)
		}
	}
	c.coefs = nil
}

// row returns row y of the picture for this component, enlarged by the factors
// across (h) and down (v): smoothly for 2, as libjpeg's fancy upsampling does,
// by repetition for other factors and for planes of at most two columns.
func (c *component) row(y, h, v int, buf []uint8) []uint8 {
	near := c.plane[y/v*c.stride:]
	switch {
	case h == 1 && v == 1:
		return near
	case h == 2 && v == 1 && c.width > 2:
		fancyAcross(buf, near[:c.width])
		return buf
	case h == 2 && v == 2 && c.width > 2:
		fancyBoth(buf, near[:c.width], c.neighbour(y)[:c.width])
		return buf
	case h == 1 && v == 2:
		far, bias := c.neighbour(y), 1+y&1
		for x := range c.width {
			buf[x] = uint8((int(near[x])*3 + int(far[x]) + bias) >> 2)
		}
		return buf
	}
	for x := range c.width {
		for i := range h {
			buf[x*h+i] = near[x]
		}
	}
	return buf
}

// neighbour returns, for a plane of half the height, the row next nearest to
// picture row y: above for even rows, below for odd ones, the same at an edge.
func (c *component) neighbour(y int) []uint8 {
	r := y/2 - 1 + y&1*2
	return c.plane[min(max(r, 0), c.height-1)*c.stride:]
}

// fancyAcross doubles a row: each output sample is 3/4 of the nearer and 1/4 of
// the further input sample, rounded up and down in turn (libjpeg's h2v1).
func fancyAcross(out, in []uint8) {
	n := len(in)
	out = out[:2*n]
	out[0] = in[0]
	out[1] = uint8((int(in[0])*3 + int(in[1]) + 2) >> 2)
	for x := 1; x < n-1; x++ {
		v := int(in[x]) * 3
		out[2*x] = uint8((v + int(in[x-1]) + 1) >> 2)
		out[2*x+1] = uint8((v + int(in[x+1]) + 2) >> 2)
	}
	out[2*n-2] = uint8((int(in[n-1])*3 + int(in[n-2]) + 1) >> 2)
	out[2*n-1] = in[n-1]
}

// fancyBoth doubles a row and mixes it with its neighbour: a triangle filter of
// 9, 3, 3 and 1 sixteenths (libjpeg's h2v2).
func fancyBoth(out, near, far []uint8) {
	n := len(near)
	out, far = out[:2*n], far[:n]
	this := int(near[0])*3 + int(far[0])
	next := int(near[1])*3 + int(far[1])
	out[0] = uint8((this*4 + 8) >> 4)
	out[1] = uint8((this*3 + next + 7) >> 4)
	last := this
	this = next
	for x := 1; x < n-1; x++ {
		next = int(near[x+1])*3 + int(far[x+1])
		out[2*x] = uint8((this*3 + last + 8) >> 4)
		out[2*x+1] = uint8((this*3 + next + 7) >> 4)
		last, this = this, next
	}
	out[2*n-2] = uint8((this*3 + last + 8) >> 4)
	out[2*n-1] = uint8((this*4 + 7) >> 4)
}

// converter chooses the colour conversion as libjpeg's defaults do: from the
// JFIF and Adobe markers, else from the components' names.
func (d *decoder) converter() func(out []uint8, rows [][]uint8) {
	switch len(d.comps) {
	case 1:
		return func(out []uint8, rows [][]uint8) { copy(out, rows[0]) }
	case 3:
		ids := [3]byte{d.comps[0].id, d.comps[1].id, d.comps[2].id}
		rgb := !d.jfif && (d.adobe && d.transfer == 0 || !d.adobe && ids == [3]byte{'R', 'G', 'B'})
		if rgb {
			return interleave
		}
		return yccToRGB
	}
	if d.adobe && d.transfer != 0 {
		return ycckToCMYK
	}
	return interleave
}

func interleave(out []uint8, rows [][]uint8) {
	n := len(rows)
	for i, row := range rows {
		for x, v := range row {
			out[x*n+i] = v
		}
	}
}

// The contributions of Cb and Cr, in 16-bit fixed point as in libjpeg's jdcolor.
var crToR, cbToB, crToG, cbToG = func() (r, b, cg, bg [256]int32) {
	const half = 1 << 15
	for i := range 256 {
		x := int32(i) - 128
		r[i] = (91881*x + half) >> 16  // 1.40200
		b[i] = (116130*x + half) >> 16 // 1.77200
		cg[i] = -46802 * x             // 0.71414
		bg[i] = -22554*x + half        // 0.34414
	}
	return
}()

func yccToRGB(out []uint8, rows [][]uint8) {
	ys, cbs, crs := rows[0], rows[1], rows[2]
	cbs, crs = cbs[:len(ys)], crs[:len(ys)]
	out = out[:3*len(ys)]
	for x, yv := range ys {
		y, cb, cr := int32(yv), cbs[x], crs[x]
		o := out[3*x : 3*x+3 : 3*x+3]
		o[0] = clamp(y + crToR[cr])
		o[1] = clamp(y + (cbToG[cb]+crToG[cr])>>16)
		o[2] = clamp(y + cbToB[cb])
	}
}

func ycckToCMYK(out []uint8, rows [][]uint8) {
	for x, yv := range rows[0] {
		y, cb, cr := int32(yv), rows[1][x], rows[2][x]
		o := out[4*x : 4*x+4]
		o[0] = clamp(255 - (y + crToR[cr]))
		o[1] = clamp(255 - (y + (cbToG[cb]+crToG[cr])>>16))
		o[2] = clamp(255 - (y + cbToB[cb]))
		o[3] = rows[3][x]
	}
}
