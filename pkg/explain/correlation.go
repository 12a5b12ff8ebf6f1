package explain

import (
	"cmp"
	"math"
	"slices"
)

// Spearman is the rank correlation of two lists of one length, from -1 to 1: Pearson's
// correlation of their ranks, where equal values share the mean of theirs. It is 0 if a list
// is constant.
func Spearman[T float32 | float64](a, b []T) float64 { return Pearson(Ranks(a), Ranks(b)) }

// Pearson is the correlation of two lists of one length, from -1 to 1; 0 if a list is
// constant.
func Pearson(a, b []float64) float64 {
	if constant(a) || constant(b) {
		return 0
	}
	ma, mb := average(a), average(b)
	var ab, aa, bb float64
	for i := range a {
		x, y := a[i]-ma, b[i]-mb
		ab += x * y
		aa += x * x
		bb += y * y
	}
	if r := ab / math.Sqrt(aa*bb); !math.IsNaN(r) {
		return min(max(r, -1), 1)
	}
	return 0 // differences so small that their squares are zero
}

// Ranks are the ranks of values, 1 for the least. Equal values get the mean of their ranks, as in
// scipy.stats.rankdata. NaN has no order, so there must be none.
func Ranks[T float32 | float64](values []T) []float64 {
	order := make([]int, len(values))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(i, j int) int { return cmp.Compare(values[i], values[j]) })
	out := make([]float64, len(values))
	for from := 0; from < len(order); {
		to := from + 1
		for to < len(order) && values[order[to]] == values[order[from]] {
			to++
		}
		for _, i := range order[from:to] {
			out[i] = float64(from+to+1) / 2
		}
		from = to
	}
	return out
}

func average(values []float64) float64 {
	sum := 0.0
	for _, v := range values {
		sum += v
	}
	return sum / float64(len(values))
}

func constant(values []float64) bool {
	return !slices.ContainsFunc(values, func(v float64) bool { return v != values[0] })
}
