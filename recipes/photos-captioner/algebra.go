package main

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"

	"gaze/internal/parallel"
)

// matrix is rows of equal length.
type matrix [][]float64

func newMatrix(rows, columns int) matrix {
	flat := make([]float64, rows*columns)
	m := make(matrix, rows)
	for i := range m {
		m[i] = flat[i*columns : (i+1)*columns : (i+1)*columns]
	}
	return m
}

// rows calls work for every row of a result, on all processors. It can't fail.
func rows(n int, work func(i int)) {
	_ = parallel.Each(context.Background(), n, 0, func(i int) error { work(i); return nil })
}

// timesTransposed is a·bᵀ.
func (a matrix) timesTransposed(b matrix) matrix {
	out := newMatrix(len(a), len(b))
	rows(len(a), func(i int) {
		for j, y := range b {
			out[i][j] = dot(a[i], y)
		}
	})
	return out
}

// times is a·b.
func (a matrix) times(b matrix) matrix {
	out := newMatrix(len(a), len(b[0]))
	rows(len(a), func(i int) {
		for k, v := range a[i] {
			if v != 0 {
				addTo(out[i], v, b[k])
			}
		}
	})
	return out
}

func (a matrix) transposed() matrix {
	out := newMatrix(len(a[0]), len(a))
	for i, row := range a {
		for j, v := range row {
			out[j][i] = v
		}
	}
	return out
}

func dot(x, y []float64) float64 {
	var a, b, c, d float64
	n := len(x) / 4 * 4
	y = y[:len(x)]
	for i := 0; i < n; i += 4 {
		a += x[i] * y[i]
		b += x[i+1] * y[i+1]
		c += x[i+2] * y[i+2]
		d += x[i+3] * y[i+3]
	}
	for i := n; i < len(x); i++ {
		a += x[i] * y[i]
	}
	return a + b + c + d
}

// addTo adds f·x to y.
func addTo(y []float64, f float64, x []float64) {
	y = y[:len(x)]
	for i, v := range x {
		y[i] += f * v
	}
}

// cholesky is the lower triangle L of a symmetric positive definite matrix L·Lᵀ.
func cholesky(a matrix) (matrix, error) {
	n := len(a)
	l := newMatrix(n, n)
	for j := range n {
		d := a[j][j] - dot(l[j][:j], l[j][:j])
		if !(d > 0) {
			return nil, errors.New("a matrix isn't positive definite: is the ridge positive?")
		}
		l[j][j] = math.Sqrt(d)
		rows(n-j-1, func(k int) {
			i := j + 1 + k
			l[i][j] = (a[i][j] - dot(l[i][:j], l[j][:j])) / l[j][j]
		})
	}
	return l, nil
}

// solve is x with L·Lᵀ·x = b, column by column of b.
func solve(l, b matrix) matrix {
	columns := b.transposed()
	upper := l.transposed()
	rows(len(columns), func(c int) {
		x := columns[c]
		for i := range x {
			x[i] = (x[i] - dot(l[i][:i], x[:i])) / l[i][i]
		}
		for i := len(x) - 1; i >= 0; i-- {
			x[i] = (x[i] - dot(upper[i][i+1:], x[i+1:])) / l[i][i]
		}
	})
	return columns.transposed()
}

// ridge fits y ≈ mean(y) + x·w with the square of w times lambda as a penalty; the columns
// of x have a mean of about zero. It returns w [columns of x, columns of y], the means, and
// what the fit without it would predict for each row of x (Golub, Heath and Wahba 1979).
func ridge(x, y matrix, lambda float64) (w matrix, mean []float64, leftOut matrix, err error) {
	n := len(x)
	mean = means(y)
	centred := newMatrix(n, len(mean))
	for i := range y {
		for j, v := range y[i] {
			centred[i][j] = v - mean[j]
		}
	}
	k := x.timesTransposed(x)
	for i := range k {
		k[i][i] += lambda
	}
	l, err := cholesky(k)
	if err != nil {
		return nil, nil, nil, err
	}
	alpha := solve(l, centred)
	inverse := inverseDiagonal(l)
	leftOut = newMatrix(n, len(mean))
	for i := range leftOut {
		for j := range mean {
			leftOut[i][j] = y[i][j] - alpha[i][j]/inverse[i]
		}
	}
	return x.transposed().times(alpha), mean, leftOut, nil
}

// inverseDiagonal is the diagonal of (L·Lᵀ)⁻¹.
func inverseDiagonal(l matrix) []float64 {
	n := len(l)
	out := make([]float64, n)
	rows(n, func(c int) {
		x := make([]float64, n) // column c of L⁻¹
		x[c] = 1 / l[c][c]
		for i := c + 1; i < n; i++ {
			x[i] = -dot(l[i][c:i], x[c:i]) / l[i][i]
		}
		out[c] = dot(x[c:], x[c:])
	})
	return out
}

func means(x matrix) []float64 {
	out := make([]float64, len(x[0]))
	for _, row := range x {
		addTo(out, 1/float64(len(x)), row)
	}
	return out
}

// deviations are the standard deviations of the columns.
func deviations(x matrix, mean []float64) []float64 {
	out := make([]float64, len(mean))
	for _, row := range x {
		for j, v := range row {
			out[j] += (v - mean[j]) * (v - mean[j]) / float64(len(x))
		}
	}
	for j := range out {
		out[j] = math.Sqrt(out[j])
	}
	return out
}

// principal finds the n directions of greatest variance of rows with a mean of zero, by
// subspace iteration, as rows of length 1, and the variances along them, greatest first.
func principal(x matrix, n, iterations int, seed uint64) (directions matrix, variances []float64) {
	t := x.transposed()
	c := t.timesTransposed(t)
	for i := range c {
		for j := range c[i] {
			c[i][j] /= float64(len(x))
		}
	}
	r := rand.New(rand.NewPCG(seed, 0))
	v := newMatrix(n, len(c))
	for i := range v {
		for j := range v[i] {
			v[i][j] = r.NormFloat64()
		}
	}
	for range iterations {
		orthonormal(v)
		v = v.times(c)
	}
	variances = make([]float64, n)
	for i := range v {
		variances[i] = math.Sqrt(dot(v[i], v[i]))
	}
	orthonormal(v)
	return v, variances
}

// orthonormal makes rows orthonormal, one after the other (modified Gram-Schmidt).
func orthonormal(v matrix) {
	for i := range v {
		f := 1 / math.Sqrt(dot(v[i], v[i]))
		for j := range v[i] {
			v[i][j] *= f
		}
		rows(len(v)-i-1, func(k int) {
			other := v[i+1+k]
			addTo(other, -dot(other, v[i]), v[i])
		})
	}
}
