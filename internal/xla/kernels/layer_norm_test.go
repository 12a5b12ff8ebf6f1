//go:build cgo && linux && !noxla && (amd64 || arm64)

package kernels_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"gaze/internal/xla/kernels/kernelstest"
)

func TestLayerNorm(t *testing.T) {
	eachSet(t, func(t *testing.T, set kernelstest.Set) {
		const epsilon = 1e-5
		for _, s := range [][2]int{{1, 1}, {3, 16}, {40, 50}, {100, 384}, {33, 33}} {
			t.Run(fmt.Sprint(s), func(t *testing.T) {
				rows, n := s[0], s[1]
				random := rand.New(rand.NewPCG(uint64(rows), uint64(n)))
				x, gamma, beta, gradient := vector(random, rows*n), vector(random, n), vector(random, n), vector(random, rows*n)
				for i := range x {
					x[i] = 3*x[i] + 5
				}
				want, dx64 := make([]float64, rows*n), make([]float64, rows*n)
				dgamma64, dbeta64 := make([]float64, n), make([]float64, n)
				for r := range rows {
					row := make([]float64, n)
					for i := range row {
						row[i] = float64(x[r*n+i])
					}
					norm64(row, gamma, beta, gradient[r*n:], epsilon, want[r*n:], dx64[r*n:], dgamma64, dbeta64)
				}
				for _, threads := range []int{1, 3} {
					out, _, _, ok := set.LayerNorm(x, gamma, beta, nil, epsilon, threads)
					dx, dgamma, dbeta, ok2 := set.LayerNorm(x, gamma, beta, gradient, epsilon, threads)
					if !ok || !ok2 {
						t.Fatal("memory ran out")
					}
					near(t, "the result", out, want, 2e-6)
					near(t, "the gradient for x", dx, dx64, 4e-6)
					near(t, "the gradient for gamma", dgamma, dgamma64, 2e-6)
					near(t, "the gradient for beta", dbeta, dbeta64, 2e-6)
				}
			})
		}
	})
}

// norm64 is a row's layer norm and its terms of the gradients, in float64.
func norm64(row []float64, gamma, beta, gradient []float32, epsilon float64, out, dx64, dgamma64, dbeta64 []float64) {
	n := float64(len(row))
	mean, variance := 0.0, 0.0
	for _, x := range row {
		mean += x / n
	}
	for _, x := range row {
		variance += (x - mean) * (x - mean) / n
	}
	scale := 1 / math.Sqrt(variance+epsilon)
	gMean, gxMean := 0.0, 0.0
	for i, x := range row {
		hat, g := (x-mean)*scale, float64(gradient[i])
		out[i] = hat*float64(gamma[i]) + float64(beta[i])
		dgamma64[i] += g * hat
		dbeta64[i] += g
		gMean += g * float64(gamma[i]) / n
		gxMean += g * float64(gamma[i]) * hat / n
	}
	for i, x := range row {
		dx64[i] = scale * (float64(gradient[i])*float64(gamma[i]) - gMean - (x-mean)*scale*gxMean)
	}
}

// TestLayerNormSameBits checks that sums over rows don't depend on the number of threads.
func TestLayerNormSameBits(t *testing.T) {
	eachSet(t, func(t *testing.T, set kernelstest.Set) {
		random := rand.New(rand.NewPCG(7, 7))
		x, gamma, gradient := vector(random, 500*70), vector(random, 70), vector(random, 500*70)
		_, want, _, _ := set.LayerNorm(x, gamma, gamma, gradient, 1e-6, 1)
		for range 20 {
			if _, got, _, _ := set.LayerNorm(x, gamma, gamma, gradient, 1e-6, 7); !slices.Equal(got, want) {
				t.Fatal("the gradient for gamma differs")
			}
		}
	})
}
