package transform

import (
	"math"
	"math/bits"
	"math/rand/v2"
)

// Rand draws the parameters of one random step for one picture. Its numbers depend only
// on (seed, epoch, index, position), so a picture is the same whichever worker makes it,
// and at any time.
type Rand struct{ pcg rand.PCG }

// NewRand returns the generator for the step at a position of a pipeline, for the picture
// with an index, in an epoch of a run with a seed.
func NewRand(seed, epoch, index, position uint64) *Rand {
	r := new(Rand)
	r.reset(seed, epoch, index, position)
	return r
}

// reset mixes the four numbers into the generator's 128 bits of state, each with a
// separate step of the SplitMix64 sequence, so that neighbouring numbers give independent
// sequences.
func (r *Rand) reset(seed, epoch, index, position uint64) {
	h := splitMix(seed)
	for _, v := range [...]uint64{epoch, index, position} {
		h = splitMix(h ^ splitMix(v+0x9e3779b97f4a7c15))
	}
	r.pcg.Seed(h, splitMix(h))
}

// splitMix is the output function of SplitMix64 (Steele, Lea and Flood, Fast
// splittable pseudorandom number generators, 2014).
func splitMix(v uint64) uint64 {
	v += 0x9e3779b97f4a7c15
	v = (v ^ v>>30) * 0xbf58476d1ce4e5b9
	v = (v ^ v>>27) * 0x94d049bb133111eb
	return v ^ v>>31
}

// Float64 draws uniformly from [0, 1).
func (r *Rand) Float64() float64 { return float64(r.pcg.Uint64()>>11) / (1 << 53) }

// Uniform draws uniformly from [low, high).
func (r *Rand) Uniform(low, high float64) float64 { return low + float64((high-low)*r.Float64()) }

// IntN draws uniformly from 0 to n-1; n must be positive.
func (r *Rand) IntN(n int) int {
	size := uint64(n)
	high, low := bits.Mul64(r.pcg.Uint64(), size)
	if low < size {
		// Products whose lower half is below 2^64 mod n would make some results
		// slightly more frequent, so they are rejected (Lemire 2019).
		for limit := -size % size; low < limit; {
			high, low = bits.Mul64(r.pcg.Uint64(), size)
		}
	}
	return int(high)
}

// Normal draws from the standard normal distribution (Box and Muller 1958).
func (r *Rand) Normal() float64 {
	radius := math.Sqrt(-2 * math.Log(1-r.Float64()))
	return radius * math.Cos(2*math.Pi*r.Float64())
}

// gamma draws from the gamma distribution with the given shape and scale 1 (Marsaglia and
// Tsang 2000).
func (r *Rand) gamma(shape float64) float64 {
	if shape < 1 {
		return r.gamma(shape+1) * math.Pow(1-r.Float64(), 1/shape)
	}
	d := shape - 1.0/3
	c := 1 / math.Sqrt(9*d)
	for {
		x := r.Normal()
		v := 1 + c*x
		if v <= 0 {
			continue
		}
		v *= v * v
		if math.Log(1-r.Float64()) < 0.5*x*x+d-d*v+d*math.Log(v) {
			return d * v
		}
	}
}

// Beta draws from the beta distribution with two positive shapes.
func (r *Rand) Beta(a, b float64) float64 {
	x, y := r.gamma(a), r.gamma(b)
	if x+y == 0 { // both underflowed: with tiny shapes nearly all of the mass is at the ends
		return math.Round(r.Uniform(0, 1))
	}
	return x / (x + y)
}
