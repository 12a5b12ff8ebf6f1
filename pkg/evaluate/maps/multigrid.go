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
	g.left()
	g.restrict()
	g.coarse.cycle()
	g.prolong()
	g.again()
}

// again is one more Jacobi step on z.
func (g *gaps) again() {
	g.left()
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
		down := between(run.y, c.height)
		top, low := c.r[(down.first+1)*c.stride+1:], c.r[(down.second+1)*c.stride+1:]
		from := (run.from - 1) % g.stride
		across := g.across[from : from+run.to-run.from]
		for i, v := range g.q[run.from:run.to] {
			t := &across[i]
			b := v * down.share
			a := v - b
			ax, bx := a*t.share, b*t.share
			top[t.first] += a - ax
			top[t.second] += ax
			low[t.first] += b - bx
			low[t.second] += bx
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
	line := make([]float64, c.width)
	for _, run := range g.runs {
		down := between(run.y, c.height)
		top, low := c.z[(down.first+1)*c.stride+1:], c.z[(down.second+1)*c.stride+1:]
		from := (run.from - 1) % g.stride
		across := g.across[from : from+run.to-run.from]
		for x := across[0].first; x <= across[len(across)-1].second; x++ {
			line[x] = top[x] + down.share*(low[x]-top[x])
		}
		z := g.z[run.from:run.to]
		for i := range z {
			t := &across[i]
			v := line[t.first]
			z[i] += v + t.share*(line[t.second]-v)
		}
	}
}

// tap is the two coarse positions around a fine one, and how far it is from the first to
// the second.
type tap struct {
	first, second int
	share         float64
}

// between finds position i among n coarse ones.
func between(i, n int) tap {
	first, share := (i+1)/2-1, 0.75
	if i%2 == 1 {
		share = 0.25
	}
	return tap{min(max(first, 0), n-1), min(first+1, n-1), share}
}
