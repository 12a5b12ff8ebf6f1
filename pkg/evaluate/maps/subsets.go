package maps

import "math"

// subset is a random set of cells of a picture.
type subset []bool

// subsets are random sets of size cells of n each, those of a case whatever the map.
func subsets(count, size, n int, seed uint64, index int) []subset {
	r := random(seed, forSubsets, index)
	out := make([]subset, count)
	for i := range out {
		out[i] = make(subset, n)
		for _, cell := range r.Perm(n)[:size] {
			out[i][cell] = true
		}
	}
	return out
}

// sums are a map's sums over subsets.
func sums(values []float64, of []subset) []float64 {
	out := make([]float64, len(of))
	for i, s := range of {
		for cell, in := range s {
			if in {
				out[i] += values[cell]
			}
		}
	}
	return out
}

// infidelity is the mean of (βa - d)² over subsets, where a is the map's sum over a subset
// and d what its removal takes from the logit, as a share of the mean of d². β ≥ 0 is the
// best scale, so that a map's units don't matter, but its sign does: from 0, where the map
// says what every removal takes, to 1, where it says nothing.
func infidelity(a, d []float64) float64 {
	var aa, ad, dd float64
	for i := range a {
		aa += a[i] * a[i]
		ad += a[i] * d[i]
		dd += d[i] * d[i]
	}
	if !(aa > 0 && dd > 0 && ad > 0) {
		return 1
	}
	return math.Max(0, 1-ad*ad/(aa*dd))
}
