package transform

// Resize scales a picture to height rows of width pixels, with the bytes of
// PIL's Image.resize: across and down, rounded to 8 bits between. Transparent
// pictures are scaled premultiplied, as PIL does. Sizes must be positive.
func Resize(im *Image, height, width int, f Filter) *Image {
	return separate(new(Buffers).resize(im, height, width, f), im)
}

// resize returns im itself where there is nothing to do.
func (b *Buffers) resize(im *Image, height, width int, f Filter) *Image {
	if im.Width == width && im.Height == height {
		return im
	}
	if f == Nearest {
		return b.resizeNearest(im, height, width)
	}
	if im.Channels == 4 {
		return unpremultiply(b.resample(b.premultiply(im), height, width, f))
	}
	return b.resample(im, height, width, f)
}

// resample scales across first, but down first where that takes away more than
// twice as many rows as across takes columns. So does Pillow since version 13;
// before, it always went across first, which rounds a few values otherwise.
func (b *Buffers) resample(im *Image, height, width int, f Filter) *Image {
	if rows := im.Height - height; rows > 0 && rows > 2*(im.Width-width) {
		im = b.down(im, height, b.coefficients(im.Height, height, f))
	}
	if width != im.Width {
		im = b.across(im, width, b.coefficients(im.Width, width, f))
	}
	if height != im.Height {
		im = b.down(im, height, b.coefficients(im.Height, height, f))
	}
	return im
}

// across scales each row.
func (b *Buffers) across(im *Image, width int, t *taps) *Image {
	out := b.image(im, width, im.Height, im.Channels)
	n := im.Channels
	for y := range im.Height {
		row := im.Pix[y*im.Width*n : (y+1)*im.Width*n]
		dst := out.Pix[y*width*n : (y+1)*width*n]
		switch n {
		case 3:
			across3(dst, row, t, acrossRow(dst, im.Pix[y*im.Width*n:], t))
		default:
			acrossAny(dst, row, t, n)
		}
	}
	return out
}

// across3 scales an RGB row from the pixel from on.
func across3(dst, row []uint8, t *taps, from int) {
	for x := from; x < len(t.first); x++ {
		first, count := t.first[x], t.counts[x]
		k := t.coefs[x*t.size : x*t.size+count]
		src := row[first*3 : (first+count)*3]
		r, g, b := int32(1<<(precisionBits-1)), int32(1<<(precisionBits-1)), int32(1<<(precisionBits-1))
		for i, c := range k {
			p := src[3*i : 3*i+3 : 3*i+3]
			r += int32(p[0]) * c
			g += int32(p[1]) * c
			b += int32(p[2]) * c
		}
		d := dst[3*x : 3*x+3 : 3*x+3]
		d[0], d[1], d[2] = clip(r), clip(g), clip(b)
	}
}

func acrossAny(dst, row []uint8, t *taps, n int) {
	for x, first := range t.first {
		k := t.coefs[x*t.size : x*t.size+t.counts[x]]
		for c := range n {
			sum := int32(1 << (precisionBits - 1))
			for i, w := range k {
				sum += int32(row[(first+i)*n+c]) * w
			}
			dst[x*n+c] = clip(sum)
		}
	}
}

// down scales each column, a row at a time.
func (b *Buffers) down(im *Image, height int, t *taps) *Image {
	out := b.image(im, im.Width, height, im.Channels)
	stride := im.Width * im.Channels
	b.sums = resized(b.sums, stride)
	sums := b.sums
	for y := range height {
		k := t.coefs[y*t.size : y*t.size+t.counts[y]]
		rows := im.Pix[t.first[y]*stride:]
		dst := out.Pix[y*stride : (y+1)*stride]
		if downRow(dst, rows, k, &b.wide) == stride {
			continue
		}
		for i := range sums {
			sums[i] = 1 << (precisionBits - 1)
		}
		for ; len(k) >= 4; k = k[4:] {
			addRows4(sums, rows, k)
			rows = rows[4*stride:]
		}
		for i, w := range k {
			for j, v := range rows[i*stride:][:len(sums)] {
				sums[j] += int32(v) * w
			}
		}
		for j, s := range sums {
			dst[j] = clip(s)
		}
	}
	return out
}

// addRows4 adds four weighted rows at once, which goes over the sums a quarter
// as often.
func addRows4(sums []int32, rows []uint8, k []int32) {
	n := len(sums)
	a, b, c, d := rows[:n], rows[n:][:n], rows[2*n:][:n], rows[3*n:][:n]
	w0, w1, w2, w3 := k[0], k[1], k[2], k[3]
	for j := range sums {
		sums[j] += int32(a[j])*w0 + int32(b[j])*w1 + int32(c[j])*w2 + int32(d[j])*w3
	}
}

// clip rounds a fixed-point sum (the half is already in it) to 8 bits.
func clip(v int32) uint8 {
	v >>= precisionBits
	if uint32(v) > 255 {
		if v < 0 {
			return 0
		}
		return 255
	}
	return uint8(v)
}

// resizeNearest takes the pixel under each output pixel's centre, adding up
// positions as PIL's affine transform does.
func (b *Buffers) resizeNearest(im *Image, height, width int) *Image {
	out := b.image(im, width, height, im.Channels)
	xStep, yStep := float64(im.Width)/float64(width), float64(im.Height)/float64(height)
	n := im.Channels
	sy := yStep * 0.5
	for y := range height {
		row := im.Pix[min(int(sy), im.Height-1)*im.Width*n:]
		dst := out.Pix[y*width*n : (y+1)*width*n]
		sx := xStep * 0.5
		for x := 0; x < len(dst); x += n {
			copy(dst[x:x+n], row[min(int(sx), im.Width-1)*n:])
			sx += xStep
		}
		sy += yStep
	}
	return out
}

// premultiply multiplies colours by alpha, rounded as PIL's MULDIV255.
func (b *Buffers) premultiply(im *Image) *Image {
	out := b.like(im)
	for i := 0; i < len(im.Pix); i += 4 {
		a := uint32(im.Pix[i+3])
		for c := range 3 {
			v := uint32(im.Pix[i+c])*a + 128
			out.Pix[i+c] = uint8((v>>8 + v) >> 8)
		}
		out.Pix[i+3] = uint8(a)
	}
	return out
}

// unpremultiply undoes premultiply in place; fully transparent and opaque pixels
// stay.
func unpremultiply(im *Image) *Image {
	for i := 0; i < len(im.Pix); i += 4 {
		a := int(im.Pix[i+3])
		if a == 0 || a == 255 {
			continue
		}
		for c := range 3 {
			im.Pix[i+c] = uint8(min(255*int(im.Pix[i+c])/a, 255))
		}
	}
	return im
}
