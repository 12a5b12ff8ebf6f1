package transform

import (
	"fmt"
	"math"
)

// Resize scales a picture to height rows of width pixels, to the same bytes as PIL's
// Image.resize: horizontally and vertically, rounded to 8 bits in between. Transparent
// pictures are scaled premultiplied, as in PIL. Sizes must be positive.
func Resize(im *Image, height, width int, f Filter) *Image {
	return separate(new(Buffers).resize(im, height, width, f), im)
}

// resize returns im itself if there is nothing to do.
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

// resample scales horizontally first, but vertically first if that removes more than
// twice as many rows as horizontal scaling removes columns. Pillow does the same since
// version 13; before, it always began horizontally, which rounds a few values differently.
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

// across scales each row horizontally.
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

// across3 scales an RGB row, beginning with pixel from.
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

// down scales vertically, one output row at a time.
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

// addRows4 adds four weighted rows at once, so that the sums are read and written a
// quarter as often.
func addRows4(sums []int32, rows []uint8, k []int32) {
	n := len(sums)
	a, b, c, d := rows[:n], rows[n:][:n], rows[2*n:][:n], rows[3*n:][:n]
	w0, w1, w2, w3 := k[0], k[1], k[2], k[3]
	for j := range sums {
		sums[j] += int32(a[j])*w0 + int32(b[j])*w1 + int32(c[j])*w2 + int32(d[j])*w3
	}
}

// clip rounds a fixed-point sum, to which one half has already been added, to 8 bits.
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

// resizeNearest takes the pixel under each output pixel's centre, and adds up positions
// like PIL's affine transform.
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

// unpremultiply undoes premultiply in place; fully transparent and opaque pixels are
// unchanged.
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

// Filter is a resampling filter, with PIL's definitions.
type Filter uint8

// The filters of torchvision's Resize on PIL images. When a picture gets smaller,
// all but Nearest widen their support (antialiasing). Rotations and warps accept only
// the first three, and don't widen them.
const (
	Bilinear Filter = iota
	Bicubic         // a = -0.5
	Nearest
	Lanczos // 3 lobes
	Box     // the mean of the pixels under the output pixel
	Hamming // as wide as Bilinear, sharper
)

var filterNames = [...]string{"bilinear", "bicubic", "nearest", "lanczos", "box", "hamming"}

// String returns the filter's name in a pipeline's text.
func (f Filter) String() string {
	if int(f) < len(filterNames) {
		return filterNames[f]
	}
	return fmt.Sprintf("Filter(%d)", int(f))
}

// precisionBits is the fixed point of PIL's coefficients for 8-bit channels.
const precisionBits = 32 - 8 - 2

// kernel returns the filter's function and the radius of its support.
func (f Filter) kernel() (func(float64) float64, float64) {
	switch f {
	case Bicubic:
		return bicubicKernel, 2
	case Lanczos:
		return lanczosKernel, 3
	case Box:
		return boxKernel, 0.5
	case Hamming:
		return hammingKernel, 1
	}
	return bilinearKernel, 1
}

func bilinearKernel(x float64) float64 { return max(0, 1-math.Abs(x)) }

// bicubicKernel's products are converted explicitly, so that no compiler fuses them with
// the sums, which would round differently from PIL.
func bicubicKernel(x float64) float64 {
	const a = -0.5
	x = math.Abs(x)
	switch {
	case x < 1:
		return float64((float64((a+2)*x)-(a+3))*x*x) + 1
	case x < 2:
		return (float64((float64((x-5)*x)+8)*x) - 4) * a
	}
	return 0
}

func lanczosKernel(x float64) float64 {
	if x < -3 || x >= 3 {
		return 0
	}
	return sinc(x) * sinc(x/3)
}

func sinc(x float64) float64 {
	if x == 0 {
		return 1
	}
	x *= math.Pi
	return math.Sin(x) / x
}

func boxKernel(x float64) float64 {
	if x > -0.5 && x <= 0.5 {
		return 1
	}
	return 0
}

// hammingKernel's constants are float32, as in PIL.
func hammingKernel(x float64) float64 {
	x = math.Abs(x)
	switch {
	case x == 0:
		return 1
	case x >= 1:
		return 0
	}
	x *= math.Pi
	return math.Sin(x) / x * (float64(float32(0.54)) + float64(float64(float32(0.46))*math.Cos(x)))
}

// taps holds the fixed-point weights for each output position.
type taps struct {
	in, out int
	filter  Filter
	first   []int   // first input position
	counts  []int   // number of input positions
	coefs   []int32 // size coefficients for each output position
	weights []float64
	size    int
	wide    []int32 // the coefficients in the vector code's layout; empty until it uses them
}

// compute computes the coefficients like PIL's precompute_coeffs.
func (t *taps) compute(in, out int, f Filter) {
	kernel, support := f.kernel()
	scale := float64(in) / float64(out)
	stretch := max(scale, 1)
	support *= stretch
	shrink := 1 / stretch
	t.in, t.out, t.filter = in, out, f
	t.size = int(math.Ceil(support))*2 + 1
	t.first, t.counts = resized(t.first, out), resized(t.counts, out)
	t.coefs, t.weights = resized(t.coefs, out*t.size), resized(t.weights, t.size)
	t.wide = t.wide[:0]
	w := t.weights
	for i := range out {
		center := float64((float64(i) + 0.5) * scale)
		lo := max(int(center-support+0.5), 0)
		hi := min(int(center+support+0.5), in)
		sum := 0.0
		for x := range hi - lo {
			w[x] = kernel((float64(x+lo) - center + 0.5) * shrink)
			sum += w[x]
		}
		for x := range hi - lo {
			v := w[x]
			if sum != 0 {
				v /= sum
			}
			t.coefs[i*t.size+x] = int32(math.Copysign(0.5, v) + float64(v*(1<<precisionBits)))
		}
		t.first[i], t.counts[i] = lo, hi-lo
	}
}
