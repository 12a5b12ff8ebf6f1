package league

import (
	"slices"

	"gaze/pkg/explain"
)

// Ranks are the ranks of values, 1 for the best: the greatest, or the least if lower is
// set. Equal values get the mean of their ranks. NaN has no order, so there must be none.
func Ranks(values []float64, lower bool) []float64 {
	ranks := explain.Ranks(values)
	for i, r := range ranks {
		if !lower {
			ranks[i] = float64(len(ranks)+1) - r
		}
	}
	return ranks
}

// rankRows ranks within each row of values, [blocks][entrants].
func rankRows(values [][]float64, lower bool) [][]float64 {
	ranks := make([][]float64, len(values))
	for i, row := range values {
		ranks[i] = Ranks(row, lower)
	}
	return ranks
}

// columnMeans are the means of the columns of rows, [blocks][entrants].
func columnMeans(rows [][]float64) []float64 {
	if len(rows) == 0 {
		return nil
	}
	means := make([]float64, len(rows[0]))
	for _, row := range rows {
		for k, v := range row {
			means[k] += v
		}
	}
	for k := range means {
		means[k] /= float64(len(rows))
	}
	return means
}

// tied are the sizes of the groups of equal values, of those groups that have several.
func tied(values []float64) []float64 {
	sorted := slices.Sorted(slices.Values(values))
	var out []float64
	for from := 0; from < len(sorted); {
		to := from + 1
		for to < len(sorted) && sorted[to] == sorted[from] {
			to++
		}
		if to-from > 1 {
			out = append(out, float64(to-from))
		}
		from = to
	}
	return out
}
