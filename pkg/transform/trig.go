package transform

import "math"

// PIL and torchvision compute their matrices with the C library's sine, cosine, tangent
// and arctangent, which are correctly rounded except for about one argument in 500
// (glibc). Go's are off by one bit more often, and one bit matters when a position is on
// the edge of a pixel. Here they are computed with twice the precision and then rounded.

// double is the unevaluated sum of two numbers, the second less than half a unit
// in the last place of the first.
type double struct{ high, low float64 }

// sum2 is a + b, exactly (Knuth).
func sum2(a, b float64) double {
	s := a + b
	t := s - a
	return double{s, (a - (s - t)) + (b - t)}
}

// product is a b, exactly.
func product(a, b float64) double {
	p := a * b
	return double{p, math.FMA(a, b, -p)}
}

func (a double) add(b double) double {
	s, t := sum2(a.high, b.high), sum2(a.low, b.low)
	s.low += t.high
	s = sum2(s.high, s.low)
	return sum2(s.high, s.low+t.low)
}

func (a double) mul(b double) double {
	p := product(a.high, b.high)
	return sum2(p.high, p.low+(float64(a.high*b.low)+float64(a.low*b.high)))
}

func (a double) div(b double) double {
	q := a.high / b.high
	rest := a.add(b.mul(double{-q, 0}))
	return sum2(q, rest.high/b.high)
}

func (a double) value() float64 { return a.high + a.low }

// halfPi in three parts: 159 bits.
var halfPi = [3]float64{1.5707963267948966, 6.123233995736766e-17, -1.4973849048591833e-33}

// sinCos reduces the angle to within π/4 of a multiple of π/2 and sums the Taylor series.
// It is accurate for angles up to about 2^20.
func sinCos(x float64) (sin, cos double) {
	turns := math.Round(x / halfPi[0])
	r := double{x, 0}
	for _, part := range halfPi {
		r = r.add(product(-turns, part))
	}
	sin, cos = taylor(r, 1), taylor(r, 0)
	switch int64(turns) & 3 {
	case 1:
		sin, cos = cos, double{-sin.high, -sin.low}
	case 2:
		sin, cos = double{-sin.high, -sin.low}, double{-cos.high, -cos.low}
	case 3:
		sin, cos = double{-cos.high, -cos.low}, sin
	}
	return sin, cos
}

// taylor is the sine (first = 1) or the cosine (first = 0) of a small angle.
func taylor(r double, first int) double {
	square := r.mul(r)
	term, sum := double{1, 0}, double{1, 0}
	if first == 1 {
		term, sum = r, r
	}
	for n := first + 2; n < 30; n += 2 {
		term = term.mul(square).div(double{-float64(n * (n - 1)), 0})
		sum = sum.add(term)
	}
	return sum
}

// sine, cosine, tangent and arctangent are correctly rounded except for arguments whose
// result is within 1e-13 of a unit in the last place of a tie.
func sine(x float64) float64 {
	s, _ := sinCos(x)
	return s.value()
}

func cosine(x float64) float64 {
	_, c := sinCos(x)
	return c.value()
}

func tangent(x float64) float64 {
	s, c := sinCos(x)
	return s.div(c).value()
}

// arctangent improves Go's result with one step of Newton's method.
func arctangent(x float64) float64 {
	y := math.Atan(x)
	s, c := sinCos(y)
	// tan y - x = (sin y - x cos y) / cos y, and the slope is 1 / cos² y.
	err := s.add(c.mul(double{-x, 0})).mul(c)
	return double{y, 0}.add(double{-err.high, -err.low}).value()
}
