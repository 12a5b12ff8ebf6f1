package evaluate

import "math"

// studentQuantile is the value below which Student's t distribution with df
// degrees of freedom has the probability p, at least 0.5.
func studentQuantile(p, df float64) float64 {
	low, high := 0.0, 1.0
	for studentCDF(high, df) < p {
		high *= 2
	}
	for range 200 {
		middle := (low + high) / 2
		if middle <= low || middle >= high {
			break
		}
		if studentCDF(middle, df) < p {
			low = middle
		} else {
			high = middle
		}
	}
	return (low + high) / 2
}

// studentCDF is the probability of a value of at most t, which isn't negative.
func studentCDF(t, df float64) float64 {
	return 1 - betaRegular(df/(df+t*t), df/2, 0.5)/2
}

// betaRegular is the regularised incomplete beta function I_x(a, b) for x in
// [0, 1], by its continued fraction (DLMF 8.17.22).
func betaRegular(x, a, b float64) float64 {
	switch {
	case x <= 0:
		return 0
	case x >= 1:
		return 1
	case x > (a+1)/(a+b+2): // where the fraction converges slowly
		return 1 - betaRegular(1-x, b, a)
	}
	la, _ := math.Lgamma(a)
	lb, _ := math.Lgamma(b)
	lab, _ := math.Lgamma(a + b)
	front := math.Exp(lab-la-lb+a*math.Log(x)+b*math.Log1p(-x)) / a
	return front / betaFraction(x, a, b)
}

// betaFraction is 1 + d1/(1 + d2/(1 + …)), by Lentz's method.
func betaFraction(x, a, b float64) float64 {
	const tiny, enough = 1e-300, 1e-16
	f, c, d := 1.0, 1.0, 0.0
	for m := 1; m <= 10000; m++ {
		k := float64(m / 2)
		var term float64
		if m%2 == 0 {
			term = k * (b - k) * x / ((a + 2*k - 1) * (a + 2*k))
		} else {
			term = -(a + k) * (a + b + k) * x / ((a + 2*k) * (a + 2*k + 1))
		}
		d = 1 + term*d
		if math.Abs(d) < tiny {
			d = tiny
		}
		d = 1 / d
		c = 1 + term/c
		if math.Abs(c) < tiny {
			c = tiny
		}
		f *= c * d
		if math.Abs(c*d-1) < enough {
			break
		}
	}
	return f
}
