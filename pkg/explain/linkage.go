package explain

import "math"

// completeLinkage groups things by the distances between them, [n][n], of which it makes
// use as memory: the two groups with the smallest distance become one, as long as it is
// below a limit, where the distance of two groups is the greatest between their members. It
// returns the number of each thing's group. The groups are found by chains of nearest
// neighbours (Murtagh, 1983), which takes n² steps instead of n³.
func completeLinkage(distance [][]float64, limit float64) []int {
	n := len(distance)
	group, gone := make([]int, n), make([]bool, n)
	for i := range group {
		group[i] = i
	}
	var chain []int
	for merges, next := 0, 0; merges < n-1; {
		if len(chain) == 0 {
			for gone[next] {
				next++
			}
			chain = append(chain, next)
		}
		a := chain[len(chain)-1]
		before := -1
		if len(chain) > 1 {
			before = chain[len(chain)-2]
		}
		b := nearest(distance[a], gone, a, before)
		if b != before {
			chain = append(chain, b)
			continue
		}
		chain = chain[:len(chain)-2]
		if distance[a][b] < limit {
			for i, g := range group {
				if g == b {
					group[i] = a
				}
			}
		}
		// From here on a stands for both.
		gone[b] = true
		merges++
		for i := range n {
			if !gone[i] && i != a {
				distance[a][i] = math.Max(distance[a][i], distance[b][i])
				distance[i][a] = distance[a][i]
			}
		}
	}
	return group
}

// nearest is what has the smallest distance; before, if that is as near as any.
func nearest(distance []float64, gone []bool, self, before int) int {
	best := before
	for i, d := range distance {
		if !gone[i] && i != self && (best < 0 || d < distance[best]) {
			best = i
		}
	}
	return best
}
