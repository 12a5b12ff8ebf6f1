package transform

// Sharpness blends a picture with a smoothed one, which Factor 0 gives; 1 leaves
// the picture, more sharpens it. Smoothing is PIL's 3x3 filter, which leaves the
// outermost pixels as they are. Factors must not be negative.
type Sharpness struct{ Factor float64 }

// String is the step's text.
func (s Sharpness) String() string { return "sharpness(" + decimal(s.Factor) + ")" }

// Apply blends.
func (s Sharpness) Apply(im *Image) (*Image, error) { return fresh(s, im) }

func (s Sharpness) apply(b *Buffers, im *Image) (*Image, error) {
	if !(s.Factor >= 0) {
		return nil, errFactor
	}
	if im.Width < 3 || im.Height < 3 || s.Factor == 1 {
		return im, nil
	}
	out := b.like(im)
	n, f := im.Channels, float32(s.Factor)
	stride := im.Width * n
	copy(out.Pix[:stride], im.Pix)
	copy(out.Pix[len(out.Pix)-stride:], im.Pix[len(im.Pix)-stride:])
	for y := 1; y < im.Height-1; y++ {
		row := im.Pix[y*stride : (y+1)*stride]
		dst := out.Pix[y*stride : (y+1)*stride]
		above, below := im.Pix[(y-1)*stride:y*stride], im.Pix[(y+1)*stride:(y+2)*stride]
		copy(dst[:n], row)
		copy(dst[stride-n:], row[stride-n:])
		for i := n; i < stride-n; i++ {
			dst[i] = blend(smooth(above, row, below, i, n), row[i], f)
		}
	}
	if n == 4 {
		copyAlpha(out, im)
	}
	return out, nil
}

// smooth is the weighted mean of nine values in float32, in PIL's order.
func smooth(above, row, below []uint8, i, n int) uint8 {
	const edge, middle = float32(1) / 13, float32(5) / 13
	line := func(r []uint8, w float32) float32 {
		return float32(float32(r[i-n])*edge) + float32(float32(r[i])*w) + float32(float32(r[i+n])*edge)
	}
	sum := float32(0.5) + line(below, edge)
	sum += line(row, middle)
	sum += line(above, edge)
	return uint8(int32(min(max(sum, 0), 255)))
}
