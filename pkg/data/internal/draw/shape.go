package draw

import "math"

// Vec is a point or a direction, x to the right, y down.
type Vec struct{ X, Y float64 }

// Pt returns the vector (x, y).
func Pt(x, y float64) Vec { return Vec{X: x, Y: y} }

// Path returns the points of a line or an outline: x and y of the first, of the
// second and so on.
func Path(coordinates ...float64) []Vec {
	points := make([]Vec, len(coordinates)/2)
	for i := range points {
		points[i] = Pt(coordinates[2*i], coordinates[2*i+1])
	}
	return points
}

// Plus returns v + w.
func (v Vec) Plus(w Vec) Vec { return Pt(v.X+w.X, v.Y+w.Y) }

// Minus returns v - w.
func (v Vec) Minus(w Vec) Vec { return Pt(v.X-w.X, v.Y-w.Y) }

// Times returns v, k times as long.
func (v Vec) Times(k float64) Vec { return Pt(float64(v.X*k), float64(v.Y*k)) }

// Length is the length of v.
func (v Vec) Length() float64 { return math.Sqrt(float64(v.X*v.X) + float64(v.Y*v.Y)) }

// Between returns the point t of the way from a to b.
func Between(a, b Vec, t float64) Vec { return a.Plus(b.Minus(a).Times(t)) }

// Frame maps a part's own coordinates to samples of the canvas.
type Frame struct{ XX, XY, YX, YY, X, Y float64 }

// At returns where on the canvas v is.
func (f Frame) At(v Vec) Vec {
	return Pt(float64(f.XX*v.X)+float64(f.XY*v.Y)+f.X, float64(f.YX*v.X)+float64(f.YY*v.Y)+f.Y)
}

// Inside returns the frame of something that stands at v in f, larger by scale,
// turned clockwise by turn radians and, with flip -1, mirrored.
func (f Frame) Inside(v Vec, scale, turn, flip float64) Frame {
	s, c := math.Sincos(turn)
	s, c = float64(s*scale), float64(c*scale)
	at := f.At(v)
	return Frame{
		XX: (float64(f.XX*c) + float64(f.XY*s)) * flip, XY: float64(f.XY*c) - float64(f.XX*s),
		YX: (float64(f.YX*c) + float64(f.YY*s)) * flip, YY: float64(f.YY*c) - float64(f.YX*s),
		X: at.X, Y: at.Y,
	}
}

// Size is how many samples long a unit is.
func (f Frame) Size() float64 { return math.Sqrt(math.Abs(float64(f.XX*f.YY) - float64(f.XY*f.YX))) }

// Ellipse returns an outline of 32 points.
func Ellipse(at Vec, rx, ry float64) []Vec { return Turned(at, rx, ry, 0) }

// Turned returns an ellipse turned clockwise by angle radians.
func Turned(at Vec, rx, ry, angle float64) []Vec {
	const n = 32
	out := make([]Vec, n)
	s, c := math.Sincos(angle)
	for i := range out {
		y, x := math.Sincos(2 * math.Pi * float64(i) / n)
		x, y = float64(x*rx), float64(y*ry)
		out[i] = Pt(at.X+float64(x*c)-float64(y*s), at.Y+float64(x*s)+float64(y*c))
	}
	return out
}

// Rect returns a rectangle from two corners.
func Rect(x0, y0, x1, y1 float64) []Vec { return []Vec{Pt(x0, y0), Pt(x1, y0), Pt(x1, y1), Pt(x0, y1)} }

// Smooth returns a closed curve through the points (Catmull-Rom).
func Smooth(p ...Vec) []Vec {
	const steps = 6
	n := len(p)
	out := make([]Vec, 0, n*steps)
	for i := range p {
		for j := range steps {
			out = append(out, curve(p[(i+n-1)%n], p[i], p[(i+1)%n], p[(i+2)%n], float64(j)/steps))
		}
	}
	return out
}

// Spline returns an open curve through the points.
func Spline(p ...Vec) []Vec {
	const steps = 5
	n := len(p)
	out := make([]Vec, 0, n*steps)
	for i := range n - 1 {
		for j := range steps {
			out = append(out, curve(p[max(i-1, 0)], p[i], p[i+1], p[min(i+2, n-1)], float64(j)/steps))
		}
	}
	return append(out, p[n-1])
}

// curve is the Catmull-Rom curve from b to c at t.
func curve(a, b, c, d Vec, t float64) Vec {
	t2 := float64(t * t)
	t3 := float64(t2 * t)
	sum := b.Times(2).Plus(c.Minus(a).Times(t))
	sum = sum.Plus(a.Times(2).Minus(b.Times(5)).Plus(c.Times(4)).Minus(d).Times(t2))
	sum = sum.Plus(b.Times(3).Minus(a).Minus(c.Times(3)).Plus(d).Times(t3))
	return sum.Times(0.5)
}

// Ribbon returns the outline of a line as wide, to either side, as width says
// of the way along it (0 to 1).
func Ribbon(line []Vec, width func(t float64) float64) []Vec {
	n := len(line)
	out := make([]Vec, 2*n)
	for i, v := range line {
		along := line[min(i+1, n-1)].Minus(line[max(i-1, 0)])
		w := width(float64(i)/float64(n-1)) / max(along.Length(), 1e-9)
		side := Pt(float64(-along.Y*w), float64(along.X*w))
		out[i], out[2*n-1-i] = v.Plus(side), v.Minus(side)
	}
	return out
}

// Stroke is a ribbon that is w wide to either side and pointed at both ends.
func Stroke(w float64, line ...Vec) []Vec {
	return Ribbon(Spline(line...), func(t float64) float64 { return w * (0.12 + float64(3.5*t*(1-t))) })
}

// Limb is a ribbon that is a wide to either side at first and b at last.
func Limb(a, b float64, line ...Vec) []Vec {
	return Ribbon(Spline(line...), func(t float64) float64 { return a + float64((b-a)*t) })
}

// Mirrored returns a shape's mirror image, left for right.
func Mirrored(shape []Vec) []Vec {
	out := make([]Vec, len(shape))
	for i, v := range shape {
		out[i] = Pt(-v.X, v.Y)
	}
	return out
}

// Moved returns the shape elsewhere.
func Moved(shape []Vec, by Vec) []Vec {
	out := make([]Vec, len(shape))
	for i, v := range shape {
		out[i] = v.Plus(by)
	}
	return out
}

// Reversed returns the outline in the other direction: together with another
// outline it cuts a hole.
func Reversed(shape []Vec) []Vec {
	out := make([]Vec, len(shape))
	for i, v := range shape {
		out[len(shape)-1-i] = v
	}
	return out
}

// Widened returns the shapes grown by w, and turns those that run anticlockwise,
// so that shapes that overlap make one outline.
func Widened(w float64, shapes [][]Vec) [][]Vec {
	wide := make([][]Vec, len(shapes))
	for i, shape := range shapes {
		if Turning(shape) < 0 {
			shapes[i] = Reversed(shape)
		}
		wide[i] = Grown(shapes[i], w)
	}
	return wide
}

// Grown returns the shape larger by w all round (smaller if negative).
func Grown(shape []Vec, w float64) []Vec {
	n := len(shape)
	out := make([]Vec, n)
	w = float64(w * Turning(shape))
	for i, v := range shape {
		along := shape[(i+1)%n].Minus(shape[(i+n-1)%n])
		k := w / max(along.Length(), 1e-9)
		out[i] = Pt(v.X+float64(along.Y*k), v.Y-float64(along.X*k))
	}
	return out
}

// Turning is 1 for an outline that runs clockwise on the picture, else -1.
func Turning(shape []Vec) float64 {
	sum := 0.0
	for i, v := range shape {
		w := shape[(i+1)%len(shape)]
		sum += float64(v.X*w.Y) - float64(w.X*v.Y)
	}
	if sum < 0 {
		return -1
	}
	return 1
}

// even returns count points of the closed outline at even distances.
func even(shape []Vec, count int) []Vec {
	step := around(shape) / float64(count)
	out := make([]Vec, 0, count)
	next, done := 0.0, 0.0
	for i, v := range shape {
		w := shape[(i+1)%len(shape)]
		length := w.Minus(v).Length()
		for next < done+length && len(out) < count {
			out = append(out, Between(v, w, (next-done)/length))
			next += step
		}
		done += length
	}
	return out
}

// around is the length of the closed outline.
func around(shape []Vec) float64 {
	total := 0.0
	for i, v := range shape {
		total += shape[(i+1)%len(shape)].Minus(v).Length()
	}
	return total
}

// Bumps returns the outline with teeth of the given period and height on it,
// outwards, each shaped as profile says.
func Bumps(shape []Vec, period, height float64, profile []float64) []Vec {
	k := len(profile)
	out := even(shape, k*max(int(around(shape)/period+0.5), 4))
	n := len(out)
	normals := make([]Vec, n)
	w := float64(height * Turning(out))
	for i := range out {
		along := out[(i+1)%n].Minus(out[(i+n-1)%n])
		normals[i] = Pt(along.Y, -along.X).Times(w / max(along.Length(), 1e-9))
	}
	for i := range out {
		out[i] = out[i].Plus(normals[i].Times(profile[i%k]))
	}
	return out
}
