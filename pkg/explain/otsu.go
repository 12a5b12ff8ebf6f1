package explain

import "slices"

// otsuBins is the number of bins of the histogram, as in scikit-image.
const otsuBins = 256

// Otsu returns the threshold that splits finite values into two classes with the greatest
// variance between them (Otsu, 1979): the centre of a bin of a histogram of 256 bins from the least
// to the greatest value, as scikit-image's threshold_otsu computes it. Values above it are
// one class. Equal values are their own threshold; without values it is 0.
func Otsu(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	lo, hi := slices.Min(values), slices.Max(values)
	width := (hi - lo) / otsuBins
	if width == 0 {
		return lo
	}
	var counts [otsuBins]float64
	for _, v := range values {
		counts[min(int((v-lo)/width), otsuBins-1)]++
	}
	centre := func(bin int) float64 { return lo + (float64(bin)+0.5)*width }
	var all, total float64
	for b, n := range counts {
		all, total = all+n, total+n*centre(b)
	}
	var below, sum, most float64
	best := 0
	for b, n := range counts[:otsuBins-1] {
		below, sum = below+n, sum+n*centre(b)
		above := all - below
		apart := sum/below - (total-sum)/above // both are positive: the ends' bins aren't empty
		if between := below * above * apart * apart; between > most {
			best, most = b, between
		}
	}
	return centre(best)
}
