package transform

import (
	"errors"
	"fmt"
	"math"
)

// projection maps output positions to input positions:
//
//	x' = (a0 x + a1 y + a2) / (a6 x + a7 y + 1)
//	y' = (a3 x + a4 y + a5) / (a6 x + a7 y + 1)
//
// An affine map has a6 = a7 = 0.
type projection [8]float64

func (m *projection) affine() bool { return m[6] == 0 && m[7] == 0 }

// project maps a picture like PIL's Image.transform. Pictures with an alpha channel are
// interpolated premultiplied; the fill is used unchanged.
func (b *Buffers) project(im *Image, width, height int, m *projection, f Filter, fill Fill) (*Image, error) {
	if width <= 0 || height <= 0 || height > maxPixels/width {
		return nil, errors.New("the result would be empty or enormous")
	}
	colour, err := fill.pixel(im.Channels)
	if err != nil {
		return nil, err
	}
	if f >= Lanczos {
		return nil, fmt.Errorf("%s is only for resizing: use nearest, bilinear or bicubic", f)
	}
	premultiplied := im.Channels == 4 && f != Nearest
	if premultiplied {
		im = b.premultiply(im)
	}
	out := b.image(im, width, height, im.Channels)
	out.paint(colour)
	switch {
	case f == Nearest && m.affine():
		nearestAffine(out, im, m)
	case f == Nearest:
		b.eachRow(out, im, m, nearestRow)
	case f == Bilinear && im.Channels == 3:
		b.eachRow(out, im, m, bilinearRow3)
	case f == Bilinear:
		b.eachRow(out, im, m, bilinearRow)
	default:
		b.eachRow(out, im, m, bicubicRow)
	}
	if premultiplied {
		unpremultiply(out)
	}
	return out, nil
}

// eachRow computes the input positions of each row's pixels and samples them. Sums are in
// PIL's order; products are converted explicitly, so that none is fused.
func (b *Buffers) eachRow(out, im *Image, m *projection, sample func(row []uint8, im *Image, xs, ys []float64)) {
	b.coords = resized(b.coords, 2*out.Width)
	xs, ys := b.coords[:out.Width], b.coords[out.Width:]
	stride := out.Width * out.Channels
	affine := m.affine()
	for y := range out.Height {
		yin := float64(y) + 0.5
		xOfY, yOfY, wOfY := float64(m[1]*yin), float64(m[4]*yin), float64(m[7]*yin)
		for x := range xs {
			xin := float64(x) + 0.5
			xs[x] = float64(m[0]*xin) + xOfY + m[2]
			ys[x] = float64(m[3]*xin) + yOfY + m[5]
			if !affine {
				w := float64(m[6]*xin) + wOfY + 1
				xs[x] /= w
				ys[x] /= w
			}
		}
		sample(out.Pix[y*stride:(y+1)*stride], im, xs, ys)
	}
}

// inside reports whether a position is in the picture; NaN isn't.
func inside(im *Image, x, y float64) bool {
	return x >= 0 && y >= 0 && x < float64(im.Width) && y < float64(im.Height)
}

func nearestRow(row []uint8, im *Image, xs, ys []float64) {
	n := im.Channels
	for i, x := range xs {
		if y := ys[i]; inside(im, x, y) {
			copy(row[i*n:(i+1)*n], im.Pix[(int(y)*im.Width+int(x))*n:])
		}
	}
}

// bilinearRow3 is bilinearRow for RGB, with a fast path for pixels whose four neighbours
// all exist.
func bilinearRow3(row []uint8, im *Image, xs, ys []float64) {
	ys = ys[:len(xs)]
	width, height := float64(im.Width), float64(im.Height)
	stride := 3 * im.Width
	for i, x := range xs {
		y := ys[i]
		if !(x >= 0 && y >= 0 && x < width && y < height) {
			continue
		}
		if x < 0.5 || y < 0.5 || x >= width-0.5 || y >= height-0.5 {
			bilinearRow(row[3*i:3*i+3], im, xs[i:i+1], ys[i:i+1])
			continue
		}
		x -= 0.5
		y -= 0.5
		x0, y0 := int(x), int(y)
		dx, dy := x-float64(x0), y-float64(y0)
		at := y0*stride + 3*x0
		p, q := im.Pix[at:at+6:at+6], im.Pix[at+stride:at+stride+6:at+stride+6]
		d := row[3*i : 3*i+3 : 3*i+3]
		d[0] = uint8(int32(lerp(lerpBytes(p[0], p[3], dx), lerpBytes(q[0], q[3], dx), dy)))
		d[1] = uint8(int32(lerp(lerpBytes(p[1], p[4], dx), lerpBytes(q[1], q[4], dx), dy)))
		d[2] = uint8(int32(lerp(lerpBytes(p[2], p[5], dx), lerpBytes(q[2], q[5], dx), dy)))
	}
}

func lerp(a, b, d float64) float64 { return a + float64((b-a)*d) }

func lerpBytes(a, b uint8, d float64) float64 {
	return float64(a) + float64(float64(int(b)-int(a))*d)
}

// bilinearRow interpolates between the four neighbours and drops the fraction; beyond the
// edge the last pixel is repeated.
func bilinearRow(row []uint8, im *Image, xs, ys []float64) {
	n := im.Channels
	for i, x := range xs {
		y := ys[i]
		if !inside(im, x, y) {
			continue
		}
		x, y = x-0.5, y-0.5
		fx, fy := math.Floor(x), math.Floor(y)
		dx, dy := x-fx, y-fy
		x0, x1 := max(int(fx), 0)*n, min(int(fx)+1, im.Width-1)*n
		y0, y1 := max(int(fy), 0), int(fy)+1
		if y1 >= im.Height {
			y1 = y0
		}
		p, q := im.Pix[y0*im.Width*n:], im.Pix[y1*im.Width*n:]
		for c := range n {
			above := lerpBytes(p[x0+c], p[x1+c], dx)
			below := lerpBytes(q[x0+c], q[x1+c], dx)
			row[i*n+c] = uint8(int32(lerp(above, below, dy)))
		}
	}
}

// bicubicRow interpolates between 4x4 neighbours with PIL's cubic (a = -1).
func bicubicRow(row []uint8, im *Image, xs, ys []float64) {
	n := im.Channels
	for i, x := range xs {
		y := ys[i]
		if !inside(im, x, y) {
			continue
		}
		x, y = x-0.5, y-0.5
		fx, fy := math.Floor(x), math.Floor(y)
		dx, dy := x-fx, y-fy
		var at [4]int
		for k := range at {
			at[k] = min(max(int(fx)-1+k, 0), im.Width-1) * n
		}
		for c := range n {
			var v [4]float64
			for k := range v {
				sy := int(fy) - 1 + k
				if k > 0 && (sy < 0 || sy >= im.Height) { // PIL repeats the previous row
					v[k] = v[k-1]
					continue
				}
				p := im.Pix[max(sy, 0)*im.Width*n+c:]
				v[k] = cubic(float64(p[at[0]]), float64(p[at[1]]), float64(p[at[2]]), float64(p[at[3]]), dx)
			}
			row[i*n+c] = uint8(int32(min(max(cubic(v[0], v[1], v[2], v[3], dy), 0), 255)))
		}
	}
}

func cubic(v1, v2, v3, v4, d float64) float64 {
	p2 := v3 - v1
	p3 := float64(2*(v1-v2)) + v3 - v4
	p4 := v2 - v1 - v3 + v4
	return v2 + float64(d*(p2+float64(d*(p3+float64(d*p4)))))
}

// nearestAffine takes the nearest pixels under an affine map, by one of PIL's three
// methods: it adds up positions if there is no rotation; otherwise it uses 16.16 fixed
// point or, if a position would overflow that, adds up in floating point.
func nearestAffine(out, im *Image, m *projection) {
	if m[1] == 0 && m[3] == 0 {
		nearestScaled(out, im, m)
		return
	}
	w, h := float64(out.Width), float64(out.Height)
	for _, corner := range [4][2]float64{{0, 0}, {w, h}, {0, h}, {w, 0}} {
		x := float64(corner[0]*m[0]) + float64(corner[1]*m[1]) + m[2]
		y := float64(corner[0]*m[3]) + float64(corner[1]*m[4]) + m[5]
		if !(math.Abs(x) < 1<<15 && math.Abs(y) < 1<<15) {
			nearestAdded(out, im, m)
			return
		}
	}
	nearestFixed(out, im, m)
}

// nearestScaled is PIL's method for maps that only scale and move.
func nearestScaled(out, im *Image, m *projection) {
	n := im.Channels
	sy := m[5] + float64(m[4]*0.5)
	for y := range out.Height {
		if sy >= 0 && sy < float64(im.Height) {
			row, from := out.Pix[y*out.Width*n:(y+1)*out.Width*n], im.Pix[int(sy)*im.Width*n:]
			sx := m[2] + float64(m[0]*0.5)
			for x := 0; x < len(row); x += n {
				if sx >= 0 && sx < float64(im.Width) {
					copy(row[x:x+n], from[int(sx)*n:])
				}
				sx += m[0]
			}
		}
		sy += m[4]
	}
}

// nearestAdded adds up positions in floating point.
func nearestAdded(out, im *Image, m *projection) {
	n := im.Channels
	rowX := m[2] + float64(m[1]*0.5) + float64(m[0]*0.5)
	rowY := m[5] + float64(m[4]*0.5) + float64(m[3]*0.5)
	for y := range out.Height {
		row := out.Pix[y*out.Width*n : (y+1)*out.Width*n]
		sx, sy := rowX, rowY
		for x := 0; x < len(row); x += n {
			if inside(im, sx, sy) {
				copy(row[x:x+n], im.Pix[(int(sy)*im.Width+int(sx))*n:])
			}
			sx += m[0]
			sy += m[3]
		}
		rowX += m[1]
		rowY += m[4]
	}
}

// nearestFixed counts in 65536ths of a pixel. Positions advance along a row in equal
// steps, so the pixels inside the picture are contiguous.
func nearestFixed(out, im *Image, m *projection) {
	fix := func(v float64) int { return int(math.Floor(float64(v*65536) + 0.5)) }
	stepX, stepY := fix(m[0]), fix(m[3])
	startX := fix(m[2] + float64(m[0]*0.5) + float64(m[1]*0.5))
	startY := fix(m[5] + float64(m[3]*0.5) + float64(m[4]*0.5))
	downX, downY := fix(m[1]), fix(m[4])
	n := im.Channels
	for y := range out.Height {
		atX, atY := startX+y*downX, startY+y*downY
		first, last := runWithin(atX, stepX, im.Width<<16, out.Width)
		firstY, lastY := runWithin(atY, stepY, im.Height<<16, out.Width)
		first, last = max(first, firstY), min(last, lastY)
		if first >= last {
			continue
		}
		row := out.Pix[(y*out.Width+first)*n : (y*out.Width+last)*n]
		atX += first * stepX
		atY += first * stepY
		if n == 3 {
			nearestRun3(row, im, atX, atY, stepX, stepY)
			continue
		}
		for x := 0; x < len(row); x += n {
			copy(row[x:x+n], im.Pix[(atY>>16*im.Width+atX>>16)*n:])
			atX += stepX
			atY += stepY
		}
	}
}

func nearestRun3(row []uint8, im *Image, atX, atY, stepX, stepY int) {
	stride := 3 * im.Width
	for ; len(row) >= 3; row = row[3:] {
		at := atY>>16*stride + 3*(atX>>16)
		s := im.Pix[at : at+3 : at+3]
		row[0], row[1], row[2] = s[0], s[1], s[2]
		atX += stepX
		atY += stepY
	}
}

// runWithin returns the half-open run of 0 ≤ i < count with 0 ≤ start + i step < end.
func runWithin(start, step, end, count int) (first, last int) {
	if step < 0 { // mirror it
		start, step = end-1-start, -step
	}
	if step == 0 {
		if start < 0 || start >= end {
			return 0, 0
		}
		return 0, count
	}
	if start < 0 {
		first = (-start + step - 1) / step
	}
	if start < end {
		last = (end - start + step - 1) / step
	}
	return min(first, count), min(last, count)
}
