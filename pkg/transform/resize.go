package transform

import (
	"fmt"
	"math"
)

// Filter is a resampling filter, with PIL's definitions.
type Filter uint8

// The filters of torchvision's Resize on PIL images. All but Nearest widen
// their support when a picture gets smaller (antialiasing).
const (
	Bilinear Filter = iota
	Bicubic         // a = -0.5
	Nearest
	Lanczos // 3 lobes
)

var filterNames = [...]string{"bilinear", "bicubic", "nearest", "lanczos"}

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
	}
	return func(x float64) float64 { return max(0, 1-math.Abs(x)) }, 1
}

// bicubicKernel's products are converted so that no compiler fuses them with
// the sums, which would round otherwise than PIL.
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

// taps is the fixed-point weighted mean that makes each output position.
type taps struct {
	first  []int   // first input position
	counts []int   // how many
	coefs  []int32 // size of them for each output position
	size   int
}

// newTaps computes the coefficients as PIL's precompute_coeffs does.
func newTaps(in, out int, f Filter) *taps {
	kernel, support := f.kernel()
	scale := float64(in) / float64(out)
	stretch := max(scale, 1)
	support *= stretch
	shrink := 1 / stretch
	t := &taps{first: make([]int, out), counts: make([]int, out), size: int(math.Ceil(support))*2 + 1}
	t.coefs = make([]int32, out*t.size)
	w := make([]float64, t.size)
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
	return t
}

// Resize scales a picture to height rows of width pixels, with the bytes of
// PIL's Image.resize: across and down, rounded to 8 bits between. Transparent
// pictures are scaled premultiplied, as PIL does. Sizes must be positive.
func Resize(im *Image, height, width int, f Filter) *Image {
	if im.Width == width && im.Height == height {
		return FromImage(im)
	}
	if f == Nearest {
		return resizeNearest(im, height, width)
	}
	if im.Channels == 4 {
		return unpremultiply(resample(premultiply(im), height, width, f))
	}
	return resample(im, height, width, f)
}

// resample scales across first, but down first where that takes away more than
// twice as many rows as across takes columns. So does Pillow since version 13;
// before, it always went across first, which rounds a few values otherwise.
func resample(im *Image, height, width int, f Filter) *Image {
	if rows := im.Height - height; rows > 0 && rows > 2*(im.Width-width) {
		im = down(im, height, newTaps(im.Height, height, f))
	}
	if width != im.Width {
		im = across(im, width, newTaps(im.Width, width, f))
	}
	if height != im.Height {
		im = down(im, height, newTaps(im.Height, height, f))
	}
	return im
}

// across scales each row.
func across(im *Image, width int, t *taps) *Image {
	out := NewImage(width, im.Height, im.Channels)
	n := im.Channels
	for y := range im.Height {
		row := im.Pix[y*im.Width*n : (y+1)*im.Width*n]
		dst := out.Pix[y*width*n : (y+1)*width*n]
		switch n {
		case 3:
			across3(dst, row, t)
		default:
			acrossAny(dst, row, t, n)
		}
	}
	return out
}

func across3(dst, row []uint8, t *taps) {
	for x, first := range t.first {
		count := t.counts[x]
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

// down scales each column, a row of sums at a time.
func down(im *Image, height int, t *taps) *Image {
	out := NewImage(im.Width, height, im.Channels)
	stride := im.Width * im.Channels
	sums := make([]int32, stride)
	for y := range height {
		for i := range sums {
			sums[i] = 1 << (precisionBits - 1)
		}
		k := t.coefs[y*t.size : y*t.size+t.counts[y]]
		rows := im.Pix[t.first[y]*stride:]
		for ; len(k) >= 4; k = k[4:] {
			addRows4(sums, rows, k)
			rows = rows[4*stride:]
		}
		for i, w := range k {
			for j, v := range rows[i*stride:][:len(sums)] {
				sums[j] += int32(v) * w
			}
		}
		dst := out.Pix[y*stride : (y+1)*stride]
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
func resizeNearest(im *Image, height, width int) *Image {
	out := NewImage(width, height, im.Channels)
	xs, ys := nearestPositions(im.Width, width), nearestPositions(im.Height, height)
	n := im.Channels
	for y, sy := range ys {
		row := im.Pix[sy*im.Width*n:]
		for x, sx := range xs {
			copy(out.Pix[(y*width+x)*n:][:n], row[sx*n:])
		}
	}
	return out
}

func nearestPositions(in, out int) []int {
	step := float64(in) / float64(out)
	at := step * 0.5
	p := make([]int, out)
	for i := range p {
		p[i] = min(int(at), in-1)
		at += step
	}
	return p
}

// premultiply multiplies colours by alpha, rounded as PIL's MULDIV255.
func premultiply(im *Image) *Image {
	out := NewImage(im.Width, im.Height, 4)
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

// unpremultiply undoes premultiply; fully transparent and opaque pixels stay.
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
