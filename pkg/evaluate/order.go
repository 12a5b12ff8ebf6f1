package evaluate

import (
	"fmt"
	"math"
	"slices"
)

// SimilarityOrder orders classes so that those which are taken for each other
// stand side by side: hierarchical clustering with average linkage, its leaves in
// the order with the least sum of distances between neighbours (Bar-Joseph et al.,
// "Fast optimal leaf ordering", 2001). Two classes are the nearer the larger the
// share of their pictures that is taken for the other. counts is a confusion
// matrix, [true][predicted]. Of an order and its mirror image, the one is taken
// that begins with the smaller class; equal distances are decided by the classes'
// numbers.
func SimilarityOrder(counts [][]int) ([]int, error) {
	d, err := distances(counts)
	if err != nil {
		return nil, err
	}
	return leafOrder(d), nil
}

// distances is 1 less the mean of the shares that go astray either way.
func distances(counts [][]int) ([][]float64, error) {
	if len(counts) == 0 {
		return nil, fmt.Errorf("evaluate: there are no classes to order")
	}
	totals := make([]float64, len(counts))
	for i, row := range counts {
		if len(row) != len(counts) {
			return nil, fmt.Errorf("evaluate: row %d of the confusion matrix has %d columns, not %d", i, len(row), len(counts))
		}
		for _, n := range row {
			totals[i] += float64(n)
		}
		totals[i] = max(totals[i], 1)
	}
	d := make([][]float64, len(counts))
	for i := range d {
		d[i] = make([]float64, len(counts))
		for j := range d {
			if i != j {
				d[i][j] = 1 - (float64(counts[i][j])/totals[i]+float64(counts[j][i])/totals[j])/2
			}
		}
	}
	return d, nil
}

// cluster is a node of the tree: a class, or two clusters.
type cluster struct {
	leaves      []int
	left, right *cluster // nil for a class
}

// leafOrder is the best order of a distance matrix's clusters.
func leafOrder(d [][]float64) []int {
	root := linkage(d)
	best := make([][]float64, len(d))
	for i := range best {
		best[i] = make([]float64, len(d))
	}
	root.solve(d, best)
	first, last, least := root.leaves[0], root.leaves[0], math.Inf(1)
	if root.left != nil {
		for _, i := range root.left.leaves {
			for _, j := range root.right.leaves {
				if best[i][j] < least {
					first, last, least = i, j, best[i][j]
				}
			}
		}
	}
	order := root.trace(d, best, first, last)
	if order[0] > order[len(order)-1] {
		slices.Reverse(order)
	}
	return order
}

// linkage joins the two nearest clusters until one is left; the distance of two
// clusters is the mean of their classes'.
func linkage(d [][]float64) *cluster {
	list, dist := make([]*cluster, len(d)), make([][]float64, len(d))
	for i := range d {
		list[i], dist[i] = &cluster{leaves: []int{i}}, slices.Clone(d[i])
	}
	for left := len(d); left > 1; left-- {
		a, b := -1, -1
		for i := range list {
			for j := i + 1; j < len(list) && list[i] != nil; j++ {
				if list[j] != nil && (a < 0 || dist[i][j] < dist[a][b]) {
					a, b = i, j
				}
			}
		}
		na, nb := float64(len(list[a].leaves)), float64(len(list[b].leaves))
		for k := range list {
			dist[a][k] = (na*dist[a][k] + nb*dist[b][k]) / (na + nb)
			dist[k][a] = dist[a][k]
		}
		list[a] = &cluster{slices.Concat(list[a].leaves, list[b].leaves), list[a], list[b]}
		list[b] = nil
	}
	return list[0]
}

// solve fills in best[i][j], for i and j on either side of the node: the least
// sum of distances of an order of its leaves from i to j.
func (c *cluster) solve(d, best [][]float64) {
	if c.left == nil {
		return
	}
	c.left.solve(d, best)
	c.right.solve(d, best)
	for _, i := range c.left.leaves {
		for _, l := range c.right.leaves {
			best[i][l], _ = c.left.reach(d, best, i, l)
		}
	}
	// best[i][l] is now that of the left side followed by l; each row is done
	// before it is written to.
	row := make([]float64, len(c.right.leaves))
	for _, i := range c.left.leaves {
		for n, j := range c.right.leaves {
			row[n] = math.Inf(1)
			for _, l := range c.right.opposite(j) {
				row[n] = min(row[n], best[i][l]+best[l][j])
			}
		}
		for n, j := range c.right.leaves {
			best[i][j], best[j][i] = row[n], row[n]
		}
	}
}

// reach is the least sum of an order of the node's leaves that begins with i and
// goes on to l outside, and the leaf it ends with.
func (c *cluster) reach(d, best [][]float64, i, l int) (least float64, end int) {
	least, end = math.Inf(1), i
	for _, k := range c.opposite(i) {
		if v := best[i][k] + d[k][l]; v < least {
			least, end = v, k
		}
	}
	return least, end
}

// opposite is the leaves that an order which begins with one of the node's may
// end with.
func (c *cluster) opposite(leaf int) []int {
	switch {
	case c.left == nil:
		return c.leaves
	case slices.Contains(c.left.leaves, leaf):
		return c.right.leaves
	}
	return c.left.leaves
}

// trace is the order from one leaf to another that best tells the sum of.
func (c *cluster) trace(d, best [][]float64, first, last int) []int {
	if c.left == nil {
		return c.leaves
	}
	near, far := c.left, c.right
	if slices.Contains(far.leaves, first) {
		near, far = far, near
	}
	least, k, l := math.Inf(1), first, last
	for _, b := range far.opposite(last) {
		if v, a := near.reach(d, best, first, b); v+best[b][last] < least {
			least, k, l = v+best[b][last], a, b
		}
	}
	return append(near.trace(d, best, first, k), far.trace(d, best, l, last)...)
}
