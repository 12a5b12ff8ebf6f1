package maps

import (
	"context"
	"math/rand/v2"
	"slices"

	"gaze/internal/parallel"
	"gaze/pkg/evaluate"
)

// smallStratum is the size below which strata are resampled together: one with a single
// picture would add nothing to the interval's width.
const smallStratum = 5

// Strata groups pictures by their stratum, in order of the first picture: the indices of each
// group's pictures. Strata with fewer than 5 pictures are one group.
func Strata(of []string) [][]int {
	members := map[string][]int{}
	var order []string
	for i, s := range of {
		if members[s] == nil {
			order = append(order, s)
		}
		members[s] = append(members[s], i)
	}
	var groups [][]int
	var rest []int
	for _, s := range order {
		if len(members[s]) < smallStratum {
			rest = append(rest, members[s]...)
			continue
		}
		groups = append(groups, members[s])
	}
	if rest != nil {
		groups = append(groups, rest)
	}
	return groups
}

// bootstrap gives the mean of each column and its 95 % percentile interval. values is
// [pictures][columns]. Pictures are drawn with replacement within each group; all columns
// share the draws. The result depends on the seed, not on the number of processors.
func bootstrap(values [][]float64, groups [][]int, resamples int, seed uint64) []evaluate.Interval {
	n, columns := float64(len(values)), len(values[0])
	means := make([][]float64, columns)
	for c := range means {
		means[c] = make([]float64, resamples)
	}
	// Nothing here can fail, and nothing cancels it.
	_ = parallel.Each(context.Background(), resamples, 0, func(b int) error {
		random := rand.New(rand.NewPCG(seed, uint64(b)))
		times := make([]float64, len(values))
		for _, group := range groups {
			for range group {
				times[group[random.IntN(len(group))]]++
			}
		}
		sums := make([]float64, columns)
		for i, row := range values {
			if times[i] == 0 {
				continue
			}
			for c, v := range row {
				sums[c] += times[i] * v
			}
		}
		for c, sum := range sums {
			means[c][b] = sum / n
		}
		return nil
	})
	out := make([]evaluate.Interval, columns)
	for c := range out {
		sum := 0.0
		for _, row := range values {
			sum += row[c]
		}
		slices.Sort(means[c])
		out[c] = evaluate.Interval{Value: sum / n, Low: quantile(means[c], 0.025), High: quantile(means[c], 0.975)}
	}
	return out
}

// quantile interpolates linearly between sorted values, as numpy does.
func quantile(sorted []float64, q float64) float64 {
	at := q * float64(len(sorted)-1)
	i := int(at)
	if i+1 >= len(sorted) {
		return sorted[len(sorted)-1]
	}
	return sorted[i] + (at-float64(i))*(sorted[i+1]-sorted[i])
}
