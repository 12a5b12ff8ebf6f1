package transform

import (
	"fmt"
	"math"
)

// Filter is a resampling filter, with PIL's definitions.
type Filter uint8

// The filters of torchvision's Resize on PIL images. All but Nearest widen
// their support when a picture gets smaller (antialiasing). Rotations and warps
// take only the first three, and don't widen.
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

func boxKernel(x float64) float64 {
	if x > -0.5 && x <= 0.5 {
		return 1
	}
	return 0
}

// hammingKernel's constants are float32 in PIL, too.
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

// taps is the fixed-point weighted mean that makes each output position.
type taps struct {
	in, out int
	filter  Filter
	first   []int   // first input position
	counts  []int   // how many
	coefs   []int32 // size of them for each output position
	weights []float64
	size    int
	wide    []int32 // the coefficients as vector code takes them; empty until it does
}

// compute fills in the coefficients as PIL's precompute_coeffs does.
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
