package league

import "math"

// Kendall is Kendall's rank correlation of two lists, from -1 to 1, with ties as in τ_b
// (scipy.stats.kendalltau); NaN if one of them is all the same.
func Kendall(a, b []float64) float64 {
	agree, tiesA, tiesB, n := 0.0, 0.0, 0.0, 0.0
	for i := range a {
		for j := range i {
			da, db := sign(a[i]-a[j]), sign(b[i]-b[j])
			agree += da * db
			n++
			if da == 0 {
				tiesA++
			}
			if db == 0 {
				tiesB++
			}
		}
	}
	if tiesA == n || tiesB == n {
		return math.NaN()
	}
	return agree / math.Sqrt((n-tiesA)*(n-tiesB))
}

func sign(v float64) float64 {
	switch {
	case v > 0:
		return 1
	case v < 0:
		return -1
	}
	return 0
}
