package scenes

import "math"

// vec is a point or a direction, x to the right, y down.
type vec struct{ x, y float64 }

func (v vec) plus(w vec) vec          { return vec{v.x + w.x, v.y + w.y} }
func (v vec) minus(w vec) vec         { return vec{v.x - w.x, v.y - w.y} }
func (v vec) times(k float64) vec     { return vec{float64(v.x * k), float64(v.y * k)} }
func (v vec) length() float64         { return math.Sqrt(float64(v.x*v.x) + float64(v.y*v.y)) }
func between(a, b vec, t float64) vec { return a.plus(b.minus(a).times(t)) }

// frame maps a part's own coordinates to samples of the canvas.
type frame struct{ xx, xy, yx, yy, x, y float64 }

func (f frame) at(v vec) vec {
	return vec{float64(f.xx*v.x) + float64(f.xy*v.y) + f.x, float64(f.yx*v.x) + float64(f.yy*v.y) + f.y}
}

// inside returns the frame of something that stands at v in f, larger by scale,
// turned clockwise by turn radians and, with flip -1, mirrored.
func (f frame) inside(v vec, scale, turn, flip float64) frame {
	s, c := math.Sincos(turn)
	s, c = float64(s*scale), float64(c*scale)
	at := f.at(v)
	return frame{
		xx: (float64(f.xx*c) + float64(f.xy*s)) * flip, xy: float64(f.xy*c) - float64(f.xx*s),
		yx: (float64(f.yx*c) + float64(f.yy*s)) * flip, yy: float64(f.yy*c) - float64(f.yx*s),
		x: at.x, y: at.y,
	}
}

// size is how many samples long a unit is.
func (f frame) size() float64 { return math.Sqrt(math.Abs(float64(f.xx*f.yy) - float64(f.xy*f.yx))) }

// ellipse returns an outline of 32 points.
func ellipse(at vec, rx, ry float64) []vec { return turned(at, rx, ry, 0) }

// turned returns an ellipse turned clockwise by angle radians.
func turned(at vec, rx, ry, angle float64) []vec {
	const n = 32
	out := make([]vec, n)
	s, c := math.Sincos(angle)
	for i := range out {
		y, x := math.Sincos(2 * math.Pi * float64(i) / n)
		x, y = float64(x*rx), float64(y*ry)
		out[i] = vec{at.x + float64(x*c) - float64(y*s), at.y + float64(x*s) + float64(y*c)}
	}
	return out
}

// rect returns a rectangle from two corners.
func rect(x0, y0, x1, y1 float64) []vec { return []vec{{x0, y0}, {x1, y0}, {x1, y1}, {x0, y1}} }

// smooth returns a closed curve through the points (Catmull-Rom).
func smooth(p ...vec) []vec {
	const steps = 6
	n := len(p)
	out := make([]vec, 0, n*steps)
	for i := range p {
		for j := range steps {
			out = append(out, curve(p[(i+n-1)%n], p[i], p[(i+1)%n], p[(i+2)%n], float64(j)/steps))
		}
	}
	return out
}

// spline returns an open curve through the points.
func spline(p ...vec) []vec {
	const steps = 5
	n := len(p)
	out := make([]vec, 0, n*steps)
	for i := range n - 1 {
		for j := range steps {
			out = append(out, curve(p[max(i-1, 0)], p[i], p[i+1], p[min(i+2, n-1)], float64(j)/steps))
		}
	}
	return append(out, p[n-1])
}

// curve is the Catmull-Rom curve from b to c at t.
func curve(a, b, c, d vec, t float64) vec {
	t2 := float64(t * t)
	t3 := float64(t2 * t)
	sum := b.times(2).plus(c.minus(a).times(t))
	sum = sum.plus(a.times(2).minus(b.times(5)).plus(c.times(4)).minus(d).times(t2))
	sum = sum.plus(b.times(3).minus(a).minus(c.times(3)).plus(d).times(t3))
	return sum.times(0.5)
}

// ribbon returns the outline of a line as wide, to either side, as width says
// of the way along it (0 to 1).
func ribbon(line []vec, width func(t float64) float64) []vec {
	n := len(line)
	out := make([]vec, 2*n)
	for i, v := range line {
		along := line[min(i+1, n-1)].minus(line[max(i-1, 0)])
		w := width(float64(i)/float64(n-1)) / max(along.length(), 1e-9)
		side := vec{float64(-along.y * w), float64(along.x * w)}
		out[i], out[2*n-1-i] = v.plus(side), v.minus(side)
	}
	return out
}

// stroke is a ribbon that is w wide to either side and pointed at both ends.
func stroke(w float64, line ...vec) []vec {
	return ribbon(spline(line...), func(t float64) float64 { return w * (0.12 + float64(3.5*t*(1-t))) })
}

// limb is a ribbon that is a wide to either side at first and b at last.
func limb(a, b float64, line ...vec) []vec {
	return ribbon(spline(line...), func(t float64) float64 { return a + float64((b-a)*t) })
}

// moved returns the shape elsewhere.
func moved(shape []vec, by vec) []vec {
	out := make([]vec, len(shape))
	for i, v := range shape {
		out[i] = v.plus(by)
	}
	return out
}

// reversed returns the outline in the other direction: together with another
// outline it cuts a hole.
func reversed(shape []vec) []vec {
	out := make([]vec, len(shape))
	for i, v := range shape {
		out[len(shape)-1-i] = v
	}
	return out
}

// grown returns the shape larger by w all round (smaller if negative).
func grown(shape []vec, w float64) []vec {
	n := len(shape)
	out := make([]vec, n)
	w = float64(w * turning(shape))
	for i, v := range shape {
		along := shape[(i+1)%n].minus(shape[(i+n-1)%n])
		k := w / max(along.length(), 1e-9)
		out[i] = vec{v.x + float64(along.y*k), v.y - float64(along.x*k)}
	}
	return out
}

// turning is 1 for an outline that runs clockwise on the picture, else -1.
func turning(shape []vec) float64 {
	sum := 0.0
	for i, v := range shape {
		w := shape[(i+1)%len(shape)]
		sum += float64(v.x*w.y) - float64(w.x*v.y)
	}
	if sum < 0 {
		return -1
	}
	return 1
}
