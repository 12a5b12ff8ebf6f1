package transform

import "math"

// nearestAffine takes the nearest pixels under an affine map in PIL's three
// ways: adding up positions where nothing is turned, else in 16.16 fixed point,
// else, where a position would overflow that, adding up again.
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

// nearestScaled is PIL's way for maps that scale and move only.
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

// nearestFixed counts in 65536ths of a pixel. Positions move along a row in
// equal steps, so that the pixels that lie inside are one run of them.
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

// runWithin gives the half-open run of 0 ≤ i < count with 0 ≤ start + i step < end.
func runWithin(start, step, end, count int) (first, last int) {
	if step < 0 { // the same in a mirror
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
