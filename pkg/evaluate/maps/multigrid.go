package maps

// cycle sets z to about the solution of A·z = r: a multigrid V-cycle with one Jacobi step
// before and one after the coarser grid's correction, which keeps it symmetric. A Jacobi
// step of this stencil leaves at most a third of what varies from pixel to pixel; what is
// smooth the coarser grid has.
func (g *gaps) cycle() {
	g.relaxed(g.r, g.z, false)
	if g.coarse == nil || g.coarse.runs == nil {
		for range 3 { // symmetric too: a polynomial of A
			g.again()
		}
		return
	}
	g.times(g.z, g.q)
	for _, run := range g.runs {
		for i := run.from; i < run.to; i++ {
			g.q[i] = g.r[i] - g.q[i]
		}
	}
	g.restrict()
	g.coarse.cycle()
	g.prolong()
	g.again()
}

// again is one more Jacobi step on z.
func (g *gaps) again() {
	g.times(g.z, g.q)
	for _, run := range g.runs {
		for i := run.from; i < run.to; i++ {
			g.q[i] = g.r[i] - g.q[i]
		}
	}
	g.relaxed(g.q, g.z, true)
}

// relaxed sets z to residual/D, or adds it.
func (g *gaps) relaxed(residual, z []float64, add bool) {
	for _, run := range g.runs {
		from, to := residual[run.from:run.to], z[run.from:run.to]
		if !add {
			copy(to, from)
		} else {
			for i, v := range from {
				to[i] += v
			}
		}
		g.edges(run, func(i int, degree float64) { z[i] += residual[i] * (1/degree - 1) })
	}
}

// restrict puts the residual in q on the coarser grid, by the transpose of prolong. The
// stencil is the same there, but stands for distances of two pixels, so that the weights
// sum to four rather than one.
func (g *gaps) restrict() {
	c := g.coarse
	clear(c.r)
	for _, run := range g.runs {
		y0, y1, fy := between(run.y, c.height)
		top, low := c.r[(y0+1)*c.stride+1:], c.r[(y1+1)*c.stride+1:]
		first := (run.from - 1) % g.stride
		for i, v := range g.q[run.from:run.to] {
			x0, x1, fx := between(first+i, c.width)
			a, b := v*(1-fy), v*fy
			top[x0] += a * (1 - fx)
			top[x1] += a * fx
			low[x0] += b * (1 - fx)
			low[x1] += b * fx
		}
	}
	for i, missing := range c.missing {
		if !missing {
			c.r[(i/c.width+1)*c.stride+1+i%c.width] = 0
		}
	}
}

// prolong adds the coarser grid's z, enlarged linearly.
func (g *gaps) prolong() {
	c := g.coarse
	for _, run := range g.runs {
		y0, y1, fy := between(run.y, c.height)
		top, low := c.z[(y0+1)*c.stride+1:], c.z[(y1+1)*c.stride+1:]
		first := (run.from - 1) % g.stride
		z := g.z[run.from:run.to]
		for i := range z {
			x0, x1, fx := between(first+i, c.width)
			z[i] += (1-fy)*((1-fx)*top[x0]+fx*top[x1]) + fy*((1-fx)*low[x0]+fx*low[x1])
		}
	}
}

// between finds the two of n coarse positions around a fine one, and how far it is from
// the first to the second.
func between(i, n int) (first, second int, share float64) {
	first, share = (i+1)/2-1, 0.75
	if i%2 == 1 {
		share = 0.25
	}
	return max(first, 0), min(first+1, n-1), share
}
