package maps

import "fmt"

// gaps are the missing pixels of a picture, as a symmetric system of linear equations
// A·x = D·x - W·x = b: D has the sums of the weights of each pixel's neighbours, W the
// weights of missing neighbours, b the weighted sums of known ones. Vectors have a border
// of one pixel around the picture, in which they are zero, as they are wherever nothing is
// missing.
type gaps struct {
	height, width int
	stride        int // of a vector's rows
	missing       []bool
	runs          []run
	all           bool  // nothing is known
	coarse        *gaps // the same at half the size; nil where that is too small
	across        []tap // of each column in coarse
	x, r, p, q, z []float64
	zero          []float64
}

// run is missing pixels side by side in row y of the picture: positions in vectors, from
// the first to after the last.
type run struct{ from, to, y int }

// tightness is the size of the residual, as a share of the right side's, at which a
// solution is good.
const tightness = 1e-6

func newGaps(missing []bool, height, width int) *gaps {
	g := &gaps{height: height, width: width, stride: width + 2, missing: missing}
	n := 0
	for y := range height {
		at := (y+1)*g.stride + 1
		for x := 0; x < width; x++ {
			from := x
			for x < width && missing[y*width+x] {
				x++
			}
			if x > from {
				g.runs = append(g.runs, run{at + from, at + x, y})
				n += x - from
			}
		}
	}
	g.all = n == len(missing)
	size := (height + 2) * g.stride
	for _, v := range []*[]float64{&g.x, &g.r, &g.p, &g.q, &g.z, &g.zero} {
		*v = make([]float64, size)
	}
	if height >= 4 && width >= 4 && n > 0 && !g.all {
		g.coarse = newGaps(g.halved(), height/2, width/2)
		for x := range width {
			g.across = append(g.across, between(x, width/2))
		}
	}
	return g
}

// halved says what is missing at half the size: where nothing of two by two pixels is known.
func (g *gaps) halved() []bool {
	w := g.width / 2
	out := make([]bool, g.height/2*w)
	for i := range out {
		at := i/w*2*g.width + i%w*2
		out[i] = g.missing[at] && g.missing[at+1] && g.missing[at+g.width] && g.missing[at+g.width+1]
	}
	return out
}

// fill solves the system for one channel by conjugate gradients and writes what is
// missing. A multigrid cycle is the preconditioner: without it the number of iterations
// grows with the gaps' width, to hundreds.
func (g *gaps) fill(plane []float32) error {
	switch {
	case g.runs == nil:
		return nil
	case g.all:
		clear(plane) // there is nothing to interpolate between
		return nil
	}
	clear(g.x)
	clear(g.p)
	size := g.right(plane)
	rr, old := size, 1.0
	for n := 0; rr > size*tightness*tightness; n++ {
		if !(rr < 1e60) || n > 20*(g.height+g.width) {
			return fmt.Errorf("the interpolation of missing pixels doesn't converge (squared residual %g of %g): look for pixels that are far too large", rr, size)
		}
		g.cycle()
		rz := dot(g.runs, g.r, g.z)
		beta := rz / old
		if n == 0 {
			beta = 0
		}
		g.turn(beta)
		g.times(g.p, g.q)
		rr = g.step(rz / dot(g.runs, g.p, g.q))
		old = rz
	}
	for _, run := range g.runs {
		out := plane[run.y*g.width+(run.from-1)%g.stride:]
		for i, v := range g.x[run.from:run.to] {
			out[i] = float32(v)
		}
	}
	return nil
}

// right puts the right side into r and returns its squared size.
func (g *gaps) right(plane []float32) (size float64) {
	known := g.q
	for y := range g.height {
		row := known[(y+1)*g.stride+1:]
		for x := range g.width {
			row[x] = 0
			if i := y*g.width + x; !g.missing[i] {
				row[x] = float64(plane[i])
			}
		}
	}
	for _, run := range g.runs {
		for i := run.from; i < run.to; i++ {
			up, low := i-g.stride, i+g.stride
			b := (known[i-1]+known[i+1]+known[up]+known[low])*edgeWeight + (known[up-1]+known[up+1]+known[low-1]+known[low+1])*cornerWeight
			g.r[i] = b
			size += b * b
		}
	}
	return size
}

// step goes along p, and returns the new residual's squared size.
func (g *gaps) step(alpha float64) (rr float64) {
	for _, run := range g.runs {
		x, r, p, q := g.x[run.from:run.to], g.r[run.from:run.to], g.p[run.from:run.to], g.q[run.from:run.to]
		for i := range x {
			x[i] += alpha * p[i]
			v := r[i] - alpha*q[i]
			r[i] = v
			rr += v * v
		}
	}
	return rr
}

// turn makes the next direction from z and p.
func (g *gaps) turn(beta float64) {
	for _, run := range g.runs {
		z, p := g.z[run.from:run.to], g.p[run.from:run.to]
		for i := range z {
			p[i] = z[i] + beta*p[i]
		}
	}
}

// times sets to to A·v.
func (g *gaps) times(v, to []float64) { g.apply(v, to, 1, nil) }

// left sets q to what is left of the equations by z: r - A·z.
func (g *gaps) left() { g.apply(g.z, g.q, -1, g.r) }

// apply sets to to sign·A·v, plus more, unless that is nil.
func (g *gaps) apply(v, to []float64, sign float64, more []float64) {
	if more == nil {
		more = g.zero
	}
	edge, corner := sign*edgeWeight, sign*cornerWeight
	for _, run := range g.runs {
		n := run.to - run.from
		up, mid, low := v[run.from-g.stride-1:][:n+2], v[run.from-1:][:n+2], v[run.from+g.stride-1:][:n+2]
		out, add := to[run.from:][:n], more[run.from:][:n]
		left, here := up[0]+low[0], up[1]+low[1]
		for i := range out {
			right := up[i+2] + low[i+2]
			out[i] = add[i] + sign*mid[i+1] - (mid[i]+mid[i+2]+here)*edge - (left+right)*corner
			left, here = here, right
		}
		g.edges(run, func(i int, degree float64) { to[i] -= sign * (1 - degree) * v[i] })
	}
}

// edges calls do with the pixels of a run at the picture's edges, and the sum of the
// weights of their neighbours; that of all others is 1.
func (g *gaps) edges(of run, do func(i int, degree float64)) {
	if of.y == 0 || of.y == g.height-1 {
		for i := of.from; i < of.to; i++ {
			do(i, g.degree(of.y, (i-1)%g.stride))
		}
		return
	}
	if x := (of.from - 1) % g.stride; x == 0 {
		do(of.from, g.degree(of.y, x))
	}
	if x := (of.to - 2) % g.stride; x == g.width-1 && (x > 0 || of.to-1 > of.from) {
		do(of.to-1, g.degree(of.y, x))
	}
}

// degree is the sum of the weights of a pixel's neighbours within the picture.
func (g *gaps) degree(y, x int) float64 {
	within := func(at, n int) (neighbours float64) {
		if at > 0 {
			neighbours++
		}
		if at < n-1 {
			neighbours++
		}
		return neighbours
	}
	rows, cols := within(y, g.height), within(x, g.width)
	return (rows+cols)*edgeWeight + rows*cols*cornerWeight
}

// dot is the product of two vectors.
func dot(runs []run, a, b []float64) (sum float64) {
	for _, run := range runs {
		u, v := a[run.from:run.to], b[run.from:run.to]
		for i := range u {
			sum += u[i] * v[i]
		}
	}
	return sum
}
