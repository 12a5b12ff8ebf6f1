package explain

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"gaze/internal/parallel"
)

// This file finds the first principal components of many long vectors. Only three are
// needed, of up to thousands; solving for all takes 20 s for 1,024 dimensions with gonum,
// which has no solver for the first few.

// samples are vectors with their mean taken off, in float64: n rows of dim values.
type samples struct {
	n, dim int
	x      []float64 // [n, dim]
	total  float64   // the sum of all squares: the variance, times n-1
}

// centred copies the given rows of features, [rows, dim], and takes off their mean.
func centred(rows [][]float32) samples {
	s := samples{n: len(rows), dim: len(rows[0])}
	mean := make([]float64, s.dim)
	for _, row := range rows {
		for k, v := range row {
			mean[k] += float64(v)
		}
	}
	s.x = make([]float64, 0, s.n*s.dim)
	for _, row := range rows {
		for k, v := range row {
			d := float64(v) - mean[k]/float64(s.n)
			s.x = append(s.x, d)
			s.total += d * d
		}
	}
	return s
}

func (s samples) row(i int) []float64 { return s.x[i*s.dim : (i+1)*s.dim] }

// component is a direction in which samples vary.
type component struct {
	direction []float64 // of length 1; the entry of largest magnitude is positive
	variance  float64   // the sum of squares along it: a part of samples.total
}

const (
	blockSize   = 8     // directions that are improved together, more than are wanted
	blockPowers = 4     // products with the covariance before the best directions are chosen again
	maxRestarts = 1000  // a few suffice, unless many components vary alike
	converged   = 1e-11 // the residual, as a part of the greatest variance
)

// principal returns the k directions of greatest variance, fewer if there are fewer
// dimensions. It is the block Lanczos method with restarts (Golub & Underwood, 1977):
// among the combinations of a block of directions and of their products with the
// covariance, keep the best, until products with the covariance only lengthen them. The
// result doesn't depend on the number of workers.
func (s samples) principal(k int) ([]component, error) {
	k = min(k, s.dim)
	rng := rand.New(rand.NewPCG(1, 0))
	start := make([][]float64, min(blockSize, s.dim))
	for i := range start {
		start[i] = make([]float64, s.dim)
		for d := range start[i] {
			start[i][d] = rng.NormFloat64()
		}
	}
	for range maxRestarts {
		values, vectors, products := s.improve(start)
		worst := 0.0
		for i := range k {
			var sum float64
			for d, v := range vectors[i] {
				r := products[i][d] - values[i]*v
				sum += r * r
			}
			worst = max(worst, math.Sqrt(sum))
		}
		if worst <= converged*values[0] {
			out := make([]component, k)
			for i := range out {
				out[i] = component{upright(vectors[i]), max(values[i], 0)}
			}
			return out, nil
		}
		start = vectors
	}
	return nil, fmt.Errorf("explain: the first %d principal components of %d patches didn't converge: %d and more vary alike", k, s.n, blockSize)
}

// improve returns the best directions among the combinations of the given ones and their
// products with the covariance, with the variance along each and its product.
func (s samples) improve(start [][]float64) (values []float64, vectors, products [][]float64) {
	var basis, images [][]float64
	block := start
	for range blockPowers {
		first := len(basis)
		for _, v := range block {
			if v = independent(v, basis); v != nil {
				basis = append(basis, v)
			}
		}
		if first == len(basis) {
			break // the products are combinations of what there is
		}
		block = s.covary(basis[first:])
		images = append(images, block...)
	}
	m := len(basis)
	h := make([][]float64, m)
	for i := range h {
		h[i] = make([]float64, m)
		for j := range h[i] {
			h[i][j] = (dot(basis[i], images[j]) + dot(basis[j], images[i])) / 2
		}
	}
	values, mix := jacobi(h)
	for i := range min(len(start), m) {
		vectors = append(vectors, combined(basis, mix[i]))
		products = append(products, combined(images, mix[i]))
	}
	return values, vectors, products
}

// combined is the sum of vectors, weighted.
func combined(vectors [][]float64, weights []float64) []float64 {
	out := make([]float64, len(vectors[0]))
	for i, v := range vectors {
		addScaled(out, weights[i], v)
	}
	return out
}

// addScaled adds by·v to sum.
func addScaled(sum []float64, by float64, v []float64) {
	for d, x := range v {
		sum[d] += by * x
	}
}

// independent is the part of v that is orthogonal to a basis, of length 1; nil if v is a
// combination of the basis, but for rounding.
func independent(v []float64, basis [][]float64) []float64 {
	before := math.Sqrt(dot(v, v))
	v = slices.Clone(v)
	for range 2 { // the second time takes off what rounding left
		for _, b := range basis {
			addScaled(v, -dot(v, b), b)
		}
	}
	norm := math.Sqrt(dot(v, v))
	if !(norm > 1e-12*before) {
		return nil
	}
	for d := range v {
		v[d] /= norm
	}
	return v
}

// covary multiplies vectors by the covariance, times n-1: XᵀXw.
func (s samples) covary(w [][]float64) [][]float64 {
	flat := slices.Concat(w...)
	parts := make([][][]float64, min(16, s.n)) // summed in order, so that the number of workers doesn't matter
	parallel.Each(context.Background(), len(parts), 0, func(p int) error {
		along := make([]float64, len(w))
		parts[p] = make([][]float64, len(w))
		for j, v := range w {
			parts[p][j] = make([]float64, len(v))
		}
		for i := s.n * p / len(parts); i < s.n*(p+1)/len(parts); i++ {
			dots(along, s.row(i), flat)
			for j, by := range along {
				addScaled(parts[p][j], by, s.row(i))
			}
		}
		return nil
	})
	for _, p := range parts[1:] {
		for j, v := range p {
			addScaled(parts[0][j], 1, v)
		}
	}
	return parts[0]
}

// scores are the samples' coordinates along a component.
func (s samples) scores(c component) []float64 {
	out := make([]float64, s.n)
	for i := range out {
		out[i] = dot(s.row(i), c.direction)
	}
	return out
}

// upright turns a direction so that its entry of largest magnitude is positive. Entries
// that differ by rounding only count as equal: the first decides.
func upright(v []float64) []float64 {
	best := 0
	for i, x := range v {
		if math.Abs(x) > math.Abs(v[best])*(1+1e-9) {
			best = i
		}
	}
	if v[best] < 0 {
		for i := range v {
			v[i] = -v[i]
		}
	}
	return v
}

// jacobi returns the eigenvalues of a symmetric matrix, the greatest first, and their
// eigenvectors, by rotations that make one entry off the diagonal zero after another
// (Jacobi, 1846). The matrix is overwritten.
func jacobi(a [][]float64) (values []float64, vectors [][]float64) {
	n := len(a)
	v := make([][]float64, n)
	for i := range v {
		v[i] = make([]float64, n)
		v[i][i] = 1
	}
	for range 50 { // sweeps; convergence is quadratic
		var off, all float64
		for i := range a {
			for j, x := range a[i] {
				all += x * x
				if i != j {
					off += x * x
				}
			}
		}
		if off <= 1e-32*all {
			break
		}
		for p := range n {
			for q := p + 1; q < n; q++ {
				rotate(a, v, p, q)
			}
		}
	}
	order := make([]int, n)
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int {
		switch {
		case a[i][i] > a[j][j]:
			return -1
		case a[i][i] < a[j][j]:
			return 1
		}
		return 0
	})
	for _, i := range order {
		values, vectors = append(values, a[i][i]), append(vectors, v[i])
	}
	return values, vectors
}

// rotate turns axes p and q so that a[p][q] is zero; the rows of v turn with them.
func rotate(a, v [][]float64, p, q int) {
	if a[p][q] == 0 {
		return
	}
	theta := (a[q][q] - a[p][p]) / (2 * a[p][q])
	t := 1 / (math.Abs(theta) + math.Hypot(theta, 1))
	if theta < 0 {
		t = -t
	}
	c := 1 / math.Hypot(t, 1)
	s := t * c
	for k := range a {
		x, y := a[k][p], a[k][q]
		a[k][p], a[k][q] = c*x-s*y, s*x+c*y
	}
	for k := range a {
		x, y := a[p][k], a[q][k]
		a[p][k], a[q][k] = c*x-s*y, s*x+c*y
		x, y = v[p][k], v[q][k]
		v[p][k], v[q][k] = c*x-s*y, s*x+c*y
	}
}
