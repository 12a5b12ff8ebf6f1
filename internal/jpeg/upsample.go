package jpeg

// row returns row y of the picture for this component while row my of MCUs is the last,
// enlarged by factors across (h) and down (v). A factor of 2 is smooth, as in libjpeg's
// fancy upsampling; other factors, and planes of at most two columns, are enlarged by
// repetition.
func (c *component) row(y, my, h, v int) []uint8 {
	near := c.line(y/v, my)
	switch {
	case h == 1 && v == 1:
		return near
	case h == 2 && v == 1 && c.width > 2:
		fancyAcross(c.wide, near[:c.width], c.sums)
		return c.wide
	case h == 2 && v == 2 && c.width > 2:
		fancyBoth(c.wide, near[:c.width], c.neighbour(y, my)[:c.width], c.sums)
		return c.wide
	case h == 1 && v == 2:
		fancyDown(c.wide, near[:c.width], c.neighbour(y, my)[:c.width], 1+uint16(y&1))
		return c.wide
	}
	for x, s := range near[:c.width] {
		for i := range h {
			c.wide[x*h+i] = s
		}
	}
	return c.wide
}

// neighbour returns, for a plane of half the height, the second nearest row to picture
// row y: the one above for even rows, below for odd ones, the nearest itself at an edge.
func (c *component) neighbour(y, my int) []uint8 {
	r := y/2 - 1 + y&1*2
	return c.line(min(max(r, 0), c.height-1), my)
}

// fancyAcross doubles a row: each output sample is 3/4 of the nearer and 1/4 of the
// farther input sample, rounded down and up alternately (libjpeg's h2v1). It needs
// len(in)+2 sums.
func fancyAcross(out, in []uint8, sums []uint16) {
	widen(sums[1:], in)
	quarters(out, edges(sums, len(in)))
}

// fancyBoth doubles a row and mixes it with its neighbour: a triangle filter of
// 9, 3, 3 and 1 sixteenths (libjpeg's h2v2).
func fancyBoth(out, near, far []uint8, sums []uint16) {
	mix(sums[1:], near, far)
	sixteenths(out, edges(sums, len(near)))
}

// edges repeats the first and last of the n sums in the middle. That gives the edge
// samples, which libjpeg computes separately.
func edges(sums []uint16, n int) []uint16 {
	sums[0], sums[n+1] = sums[1], sums[n]
	return sums[:n+2]
}
