package league

import (
	"cmp"
	"slices"
)

// Holm adjusts p-values of tests that were made together (Holm 1979, as statsmodels'
// multipletests): if those below a level are called significant, the chance of a single
// false one is at most that level.
func Holm(p []float64) []float64 {
	order := make([]int, len(p))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int { return cmp.Compare(p[i], p[j]) })
	out := make([]float64, len(p))
	most := 0.0
	for k, i := range order {
		most = max(most, min(1, p[i]*float64(len(p)-k)))
		out[i] = most
	}
	return out
}

// Pairs are the Holm-adjusted p-values of Wilcoxon's test of every pair of entrants.
type Pairs struct {
	n int
	p []float64 // of the pairs (0,1), (0,2), …, (1,2), …
}

// ComparePairs tests every pair of columns of values, [blocks][entrants].
func ComparePairs(values [][]float64) Pairs {
	if len(values) == 0 {
		return Pairs{}
	}
	t := Pairs{n: len(values[0])}
	differences := make([]float64, len(values))
	for i := range t.n {
		for j := i + 1; j < t.n; j++ {
			for b, row := range values {
				differences[b] = row[i] - row[j]
			}
			t.p = append(t.p, Wilcoxon(differences).P)
		}
	}
	t.p = Holm(t.p)
	return t
}

// P is the adjusted p-value of a pair; 1 of an entrant with itself.
func (t Pairs) P(i, j int) float64 {
	if i == j {
		return 1
	}
	i, j = min(i, j), max(i, j)
	return t.p[i*t.n-i*(i+1)/2+j-i-1]
}

// Cliques are the greatest groups of neighbours in the order of the ranks within which no
// pair differs at a level: from and to in the order, both included, for groups of two or
// more. A group that has others between its members would be drawn over them, so
// neighbours it is. Unlike Nemenyi's test, what a pair's difference is worth doesn't depend
// on which other entrants take part, but for Holm's correction.
func Cliques(ranks []float64, pairs Pairs, level float64) (order []int, groups [][2]int) {
	order = make([]int, len(ranks))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int { return cmp.Compare(ranks[i], ranks[j]) })
	last := -1
	for from := range order {
		to := from
		for to+1 < len(order) && alike(order[from:to+1], order[to+1], pairs, level) {
			to++
		}
		if to > from && to > last {
			groups = append(groups, [2]int{from, to})
			last = to
		}
	}
	return order, groups
}

// alike reports whether an entrant differs from none of a group.
func alike(group []int, other int, pairs Pairs, level float64) bool {
	for _, k := range group {
		if pairs.P(k, other) < level {
			return false
		}
	}
	return true
}
