package league

import "math"

// SignedRank is Wilcoxon's test of paired differences.
type SignedRank struct {
	Plus, Minus float64 // sums of the ranks of positive and of negative differences
	Z           float64 // above 0: the differences tend to be positive
	P           float64 // two-sided
	// Effect is the rank-biserial correlation (Plus-Minus)/(Plus+Minus), from -1 to 1.
	Effect float64
}

// Wilcoxon tests whether paired differences are symmetric around 0. Differences of 0 take
// part in the ranking and are dropped afterwards (Pratt 1959); the p-value is the normal
// approximation with the correction for ties and without one for continuity, as scipy's
// wilcoxon(zero_method="pratt", method="asymptotic"). Without any difference P is 1.
func Wilcoxon(differences []float64) SignedRank {
	sizes := make([]float64, len(differences))
	for i, d := range differences {
		sizes[i] = math.Abs(d)
	}
	ranks := Ranks(sizes, true)
	var t SignedRank
	zeros := 0.0
	var counted []float64
	for i, d := range differences {
		switch {
		case d > 0:
			t.Plus += ranks[i]
		case d < 0:
			t.Minus += ranks[i]
		default:
			zeros++
			continue
		}
		counted = append(counted, ranks[i])
	}
	t.P = 1
	if len(counted) == 0 {
		return t
	}
	n := float64(len(differences))
	mean := n*(n+1)/4 - zeros*(zeros+1)/4
	variance := n*(n+1)*(2*n+1) - zeros*(zeros+1)*(2*zeros+1)
	for _, same := range tied(counted) {
		variance -= same * (same*same - 1) / 2
	}
	t.Z = (t.Plus - mean) / math.Sqrt(variance/24)
	t.P = 2 * normalTail(math.Abs(t.Z))
	t.Effect = (t.Plus - t.Minus) / (t.Plus + t.Minus)
	return t
}

// normalTail is the probability that a standard normal number exceeds z.
func normalTail(z float64) float64 { return math.Erfc(z/math.Sqrt2) / 2 }

// standardised is the mean of paired differences over their standard deviation (Cohen's
// d_z); 0 if they are all the same.
func standardised(differences []float64) float64 {
	n := float64(len(differences))
	if n < 2 {
		return 0
	}
	mean, squares := 0.0, 0.0
	for _, d := range differences {
		mean += d / n
	}
	for _, d := range differences {
		squares += (d - mean) * (d - mean)
	}
	if squares < 1e-24*n {
		return 0
	}
	return mean / math.Sqrt(squares/(n-1))
}
