//go:build cgo && linux && !noxla && amd64

package kernels

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

func TestNorm(t *testing.T) {
	makers(t)
	const epsilon = 1e-5
	for _, s := range [][2]int{{1, 1}, {3, 16}, {40, 50}, {100, 384}, {33, 33}} {
		t.Run(fmt.Sprint(s), func(t *testing.T) {
			rows, n := s[0], s[1]
			random := rand.New(rand.NewPCG(uint64(rows), uint64(n)))
			x, gamma, beta, gradient := vector(random, rows*n), vector(random, n), vector(random, n), vector(random, rows*n)
			for i := range x {
				x[i] = 3*x[i] + 5
			}
			want, onX := make([]float64, rows*n), make([]float64, rows*n)
			onGamma, onBeta := make([]float64, n), make([]float64, n)
			for r := range rows {
				row := make([]float64, n)
				for i := range row {
					row[i] = float64(x[r*n+i])
				}
				norm64(row, gamma, beta, gradient[r*n:], epsilon, want[r*n:], onX[r*n:], onGamma, onBeta)
			}
			for _, threads := range []int{1, 3} {
				out, _, _, ok := normalize(x, gamma, beta, nil, epsilon, threads)
				dx, dgamma, dbeta, ok2 := normalize(x, gamma, beta, gradient, epsilon, threads)
				if !ok || !ok2 {
					t.Fatal("no memory")
				}
				near(t, "the result", out, want, 2e-6)
				near(t, "x's gradient", dx, onX, 4e-6)
				near(t, "gamma's gradient", dgamma, onGamma, 2e-6)
				near(t, "beta's gradient", dbeta, onBeta, 2e-6)
			}
		})
	}
}

// norm64 is a row's norm and what it adds to the gradients, in float64.
func norm64(row []float64, gamma, beta, gradient []float32, epsilon float64, out, onX, onGamma, onBeta []float64) {
	n := float64(len(row))
	mean, variance := 0.0, 0.0
	for _, x := range row {
		mean += x / n
	}
	for _, x := range row {
		variance += (x - mean) * (x - mean) / n
	}
	scale := 1 / math.Sqrt(variance+epsilon)
	all, along := 0.0, 0.0
	for i, x := range row {
		hat, g := (x-mean)*scale, float64(gradient[i])
		out[i] = hat*float64(gamma[i]) + float64(beta[i])
		onGamma[i] += g * hat
		onBeta[i] += g
		all += g * float64(gamma[i]) / n
		along += g * float64(gamma[i]) * hat / n
	}
	for i, x := range row {
		onX[i] = scale * (float64(gradient[i])*float64(gamma[i]) - all - (x-mean)*scale*along)
	}
}

// TestNormSameBits checks that sums over rows are added up in the same order for any
// number of threads.
func TestNormSameBits(t *testing.T) {
	makers(t)
	random := rand.New(rand.NewPCG(7, 7))
	x, gamma, gradient := vector(random, 500*70), vector(random, 70), vector(random, 500*70)
	_, want, _, _ := normalize(x, gamma, gamma, gradient, 1e-6, 1)
	for range 20 {
		if _, got, _, _ := normalize(x, gamma, gamma, gradient, 1e-6, 7); !slices.Equal(got, want) {
			t.Fatal("gamma's gradient is another")
		}
	}
}
