package explain

import (
	"context"
	"fmt"
	"math"
	"slices"

	"gaze/internal/parallel"
)

// PositionSimilarity returns the cosine similarity of every patch position
// embedding with every other: [patches, patches] in row-major order, values in
// [-1, 1], 1 on the diagonal (figure 7 of "An Image is Worth 16x16 Words",
// arXiv:2010.11929). embeddings is [patches, dim]; sums run in float64. An
// embedding of zeros has similarity NaN with everything.
func PositionSimilarity(embeddings []float32, dim int) ([]float32, error) {
	if dim <= 0 || len(embeddings) == 0 || len(embeddings)%dim != 0 {
		return nil, fmt.Errorf("explain: %d values are not position embeddings of %d dimensions", len(embeddings), dim)
	}
	n := len(embeddings) / dim
	unit := make([]float64, len(embeddings))
	for i := range n {
		row := embeddings[i*dim : (i+1)*dim]
		var sum float64
		for _, v := range row {
			sum += float64(v) * float64(v)
		}
		norm := math.Sqrt(sum)
		for j, v := range row {
			unit[i*dim+j] = float64(v) / norm
		}
	}
	out := make([]float32, n*n)
	const block = 16 // rows that are compared with four others while these are in the cache
	err := parallel.Each(context.Background(), (n+block-1)/block, 0, func(b int) error {
		first, last := b*block, min(n, (b+1)*block)
		j := first
		for ; j+4 <= n; j += 4 {
			for i := first; i < min(last, j+4); i++ {
				for k, s := range dot4(unit[i*dim:(i+1)*dim], unit[j*dim:(j+4)*dim]) {
					out[i*n+j+k] = float32(clampUnit(s))
				}
			}
		}
		for ; j < n; j++ {
			for i := first; i < min(last, j+1); i++ {
				out[i*n+j] = float32(clampUnit(dot(unit[i*dim:(i+1)*dim], unit[j*dim:(j+1)*dim])))
			}
		}
		return nil
	})
	for i := range n {
		for j := range i {
			out[i*n+j] = out[j*n+i]
		}
	}
	return out, err
}

// clampUnit clips a cosine that rounding has pushed past -1 or 1; NaN stays NaN.
func clampUnit(s float64) float64 {
	if s > 1 {
		return 1
	}
	if s < -1 {
		return -1
	}
	return s
}

func dot(a, b []float64) float64 {
	var s float64
	for i, v := range a {
		s += v * b[i]
	}
	return s
}

// dot4 returns the products of a with four rows, each summed in the order of dot. A
// processor adds to four sums in the time that it takes for one.
func dot4(a, rows []float64) [4]float64 {
	n := len(a)
	b0, b1, b2, b3 := rows[:n], rows[n:][:n], rows[2*n:][:n], rows[3*n:][:n]
	var s0, s1, s2, s3 float64
	for i, v := range a {
		s0 += v * b0[i]
		s1 += v * b1[i]
		s2 += v * b2[i]
		s3 += v * b3[i]
	}
	return [4]float64{s0, s1, s2, s3}
}

// SimilarityMap returns the similarity of the position in (row, col) with all
// positions, as a map over the grid. similarity is [rows*cols, rows*cols].
func SimilarityMap(similarity []float32, rows, cols, row, col int) (Map, error) {
	n := rows * cols
	if len(similarity) != n*n {
		return Map{}, fmt.Errorf("explain: %d similarities are not those of a grid of %dx%d", len(similarity), rows, cols)
	}
	if row < 0 || row >= rows || col < 0 || col >= cols {
		return Map{}, fmt.Errorf("explain: position (%d, %d) is outside the grid of %dx%d", row, col, rows, cols)
	}
	q := row*cols + col
	return NewMap(rows, cols, similarity[q*n:(q+1)*n])
}

// DistanceCurve is similarity against distance on the grid: for every occurring distance
// (Euclidean, in patches), the mean and the standard deviation of the similarity over all
// ordered pairs at that distance.
type DistanceCurve struct {
	Distance, Mean, Std []float64
	Pairs               []int
}

// SimilarityByDistance groups a similarity matrix [rows*cols, rows*cols] by the distance
// between the two positions, rounded to whole patches. Distance 0 (a position with
// itself) is included; its similarity is 1 by definition.
func SimilarityByDistance(similarity []float32, rows, cols int) (DistanceCurve, error) {
	n := rows * cols
	if n <= 0 || len(similarity) != n*n {
		return DistanceCurve{}, fmt.Errorf("explain: %d similarities are not those of a grid of %dx%d", len(similarity), rows, cols)
	}
	bins := int(math.Round(math.Hypot(float64(rows-1), float64(cols-1)))) + 1
	sum, squares, count := make([]float64, bins), make([]float64, bins), make([]int, bins)
	for i := range n {
		for j := range n {
			s := float64(similarity[i*n+j])
			if math.IsNaN(s) {
				continue
			}
			d := int(math.Round(math.Hypot(float64(i/cols-j/cols), float64(i%cols-j%cols))))
			sum[d] += s
			squares[d] += s * s
			count[d]++
		}
	}
	var c DistanceCurve
	for d := range bins {
		if count[d] == 0 {
			continue
		}
		mean := sum[d] / float64(count[d])
		c.Distance = append(c.Distance, float64(d))
		c.Mean = append(c.Mean, mean)
		c.Std = append(c.Std, math.Sqrt(max(squares[d]/float64(count[d])-mean*mean, 0)))
		c.Pairs = append(c.Pairs, count[d])
	}
	return c, nil
}

// PositionSummary describes a grid of position embeddings: means of the cosine
// similarity over pairs of positions.
type PositionSummary struct {
	Neighbours       float64 // pairs one step apart, horizontally or vertically
	SameRow          float64 // pairs in one row, not neighbours and not the same
	SameColumn       float64 // pairs in one column, not neighbours and not the same
	Elsewhere        float64 // pairs that share neither row nor column
	NearestIsNext    float64 // share of positions whose most similar other position is adjacent (8 neighbours)
	Lowest           float64 // the smallest similarity of all
	LowestA, LowestB int     // the pair of positions that has it
}

// SummarisePositions computes a [PositionSummary] from a similarity matrix of
// shape [rows*cols, rows*cols]. Means over no pairs are NaN.
func SummarisePositions(similarity []float32, rows, cols int) (PositionSummary, error) {
	n := rows * cols
	if n <= 0 || len(similarity) != n*n {
		return PositionSummary{}, fmt.Errorf("explain: %d similarities are not those of a grid of %dx%d", len(similarity), rows, cols)
	}
	s := PositionSummary{Lowest: math.Inf(1)}
	var neighbours, sameRow, sameColumn, elsewhere mean
	near := 0
	for i := range n {
		best, bestJ := math.Inf(-1), -1
		for j := range n {
			v := float64(similarity[i*n+j])
			if i == j || math.IsNaN(v) {
				continue
			}
			dr, dc := abs(i/cols-j/cols), abs(i%cols-j%cols)
			switch {
			case dr+dc == 1:
				neighbours.add(v)
			case dr == 0:
				sameRow.add(v)
			case dc == 0:
				sameColumn.add(v)
			default:
				elsewhere.add(v)
			}
			if v > best {
				best, bestJ = v, j
			}
			if v < s.Lowest {
				s.Lowest, s.LowestA, s.LowestB = v, i, j
			}
		}
		if bestJ >= 0 && abs(i/cols-bestJ/cols) <= 1 && abs(i%cols-bestJ%cols) <= 1 {
			near++
		}
	}
	s.Neighbours, s.SameRow, s.SameColumn, s.Elsewhere = neighbours.value(), sameRow.value(), sameColumn.value(), elsewhere.value()
	s.NearestIsNext = float64(near) / float64(n)
	return s, nil
}

// mean accumulates an average.
type mean struct {
	sum   float64
	count int
}

func (m *mean) add(v float64)  { m.sum += v; m.count++ }
func (m *mean) value() float64 { return m.sum / float64(m.count) }

func abs(i int) int {
	if i < 0 {
		return -i
	}
	return i
}

// Median returns the middle value (the mean of the two middle ones for an even count), or
// NaN if there are none. The input isn't modified.
func Median(values []float64) float64 {
	if len(values) == 0 {
		return math.NaN()
	}
	v := slices.Clone(values)
	slices.Sort(v)
	if n := len(v); n%2 == 0 {
		return (v[n/2-1] + v[n/2]) / 2
	}
	return v[len(v)/2]
}
