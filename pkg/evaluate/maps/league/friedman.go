package league

import (
	"fmt"
	"math"
)

// FriedmanTest asks whether entrants differ at all.
type FriedmanTest struct {
	Statistic float64 `json:"statistic"` // of the chi-squared distribution with Entrants-1 degrees of freedom
	P         float64 `json:"p"`
	Blocks    int     `json:"blocks"`
	Entrants  int     `json:"entrants"`
}

// Friedman tests whether the columns of values, [blocks][entrants], have the same ranks
// within the blocks (Friedman 1937, with the correction for ties; scipy's
// friedmanchisquare). It needs at least two blocks and three entrants.
func Friedman(values [][]float64) (FriedmanTest, error) {
	if len(values) < 2 || len(values[0]) < 3 {
		return FriedmanTest{}, fmt.Errorf("league: Friedman's test of %d blocks: it needs 2 or more, and 3 or more entrants", len(values))
	}
	n, k := float64(len(values)), float64(len(values[0]))
	ties, sums := 0.0, make([]float64, len(values[0]))
	for i, row := range values {
		if len(row) != len(sums) {
			return FriedmanTest{}, fmt.Errorf("league: block %d has %d entrants, the first %d", i, len(row), len(sums))
		}
		for j, r := range Ranks(row, true) {
			sums[j] += r
		}
		for _, t := range tied(row) {
			ties += t * (t*t - 1)
		}
	}
	squares := 0.0
	for _, s := range sums {
		squares += s * s
	}
	t := FriedmanTest{Blocks: len(values), Entrants: len(sums), P: 1}
	if c := 1 - ties/(k*(k*k-1)*n); c > 0 { // 0: every block is one tie
		t.Statistic = (12/(k*n*(k+1))*squares - 3*n*(k+1)) / c
		t.P = chiSquaredTail(t.Statistic, k-1)
	}
	return t, nil
}

// chiSquaredTail is the probability of more than x.
func chiSquaredTail(x, freedom float64) float64 {
	if x <= 0 {
		return 1
	}
	return gammaTail(freedom/2, x/2)
}

// gammaTail is the regularised upper incomplete gamma function Q(a, x): the series below
// a+1, the continued fraction above (Abramowitz & Stegun 6.5.29, 6.5.31).
func gammaTail(a, x float64) float64 {
	lg, _ := math.Lgamma(a)
	scale := math.Exp(a*math.Log(x) - x - lg)
	if x < a+1 {
		term, sum := 1/a, 1/a
		for n := 1.0; term > sum*1e-16; n++ {
			term *= x / (a + n)
			sum += term
		}
		return 1 - scale*sum
	}
	// Lentz's method.
	const tiny = 1e-300
	b := x + 1 - a
	c, d := 1/tiny, 1/b
	h := d
	for i := 1.0; i < 10000; i++ {
		an := -i * (i - a)
		b += 2
		d = 1 / nonzero(an*d+b, tiny)
		c = nonzero(b+an/c, tiny)
		h *= c * d
		if math.Abs(c*d-1) < 1e-15 {
			break
		}
	}
	return scale * h
}

func nonzero(v, tiny float64) float64 {
	if math.Abs(v) < tiny {
		return tiny
	}
	return v
}
