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

// attentionShapes are batch, tokens, heads and numbers of a head: smaller and larger than
// micropanels and vectors.
var attentionShapes = [][4]int{{1, 1, 1, 1}, {2, 5, 2, 3}, {1, 48, 1, 16}, {2, 50, 3, 8}, {1, 97, 2, 64}, {1, 130, 1, 80}, {1, 9, 2, 50}}

func TestAttention(t *testing.T) {
	eachSet(t, func(t *testing.T, set kernelstest.Set) {
		for _, s := range attentionShapes {
			for _, threads := range []int{1, 2, 8} {
				batch, tokens, heads, dim := s[0], s[1], s[2], s[3]
				for _, queries := range []int{tokens, 1, (tokens + 1) / 2} {
					t.Run(fmt.Sprint(s, queries, threads), func(t *testing.T) {
						random := rand.New(rand.NewPCG(uint64(tokens), uint64(dim)))
						qkv, gradient := vector(random, batch*tokens*3*heads*dim), vector(random, batch*queries*heads*dim)
						for i := range qkv {
							qkv[i] *= 2
						}
						want, wantGradient := attention64(qkv, gradient, s, queries)
						out, ok := set.Attention(qkv, nil, batch, tokens, heads, dim, queries, threads)
						dqkv, ok2 := set.Attention(qkv, gradient, batch, tokens, heads, dim, queries, threads)
						if !ok || !ok2 {
							t.Fatal("memory ran out")
						}
						near(t, "the result", out, want, 3e-6)
						near(t, "the gradient", dqkv, wantGradient, 1e-5)
					})
				}
			}
		}
	})
}

// TestAttentionSameBits checks that the bits of a result depend neither on the number of threads
// nor on that of queries.
func TestAttentionSameBits(t *testing.T) {
	eachSet(t, func(t *testing.T, set kernelstest.Set) {
		qkv := vector(rand.New(rand.NewPCG(1, 1)), 150*3*3*16)
		want, _ := set.Attention(qkv, nil, 1, 150, 3, 16, 150, 1)
		for _, threads := range []int{2, 5, 16} {
			if got, _ := set.Attention(qkv, nil, 1, 150, 3, 16, 150, threads); !slices.Equal(got, want) {
				t.Errorf("with %d threads the result differs", threads)
			}
		}
		if got, _ := set.Attention(qkv, nil, 1, 150, 3, 16, 2, 2); !slices.Equal(got, want[:2*48]) {
			t.Error("two queries alone give a different result")
		}
	})
}

// TestAttentionOfLargeScores checks scores whose exponentials would overflow.
func TestAttentionOfLargeScores(t *testing.T) {
	eachSet(t, func(t *testing.T, set kernelstest.Set) {
		s := [4]int{1, 20, 1, 16}
		qkv := vector(rand.New(rand.NewPCG(5, 1)), 20*3*16)
		for i := range qkv {
			if i%48 < 32 {
				qkv[i] *= 40
			}
		}
		want, _ := attention64(qkv, make([]float32, 20*16), s, 20)
		out, _ := set.Attention(qkv, nil, 1, 20, 1, 16, 20, 2)
		near(t, "the result", out, want, 2e-4) // scores are in the thousands
	})
}

// near compares numbers; bound is relative to the largest one, or to 1 if that is larger.
func near(t *testing.T, what string, got []float32, want []float64, bound float64) {
	t.Helper()
	largest, worst := 1.0, 0.0
	for i := range want {
		largest = max(largest, math.Abs(want[i]))
		if d := math.Abs(float64(got[i]) - want[i]); !(d <= worst) {
			worst = d
		}
	}
	if !(worst <= bound*largest) {
		t.Errorf("%s: the error is %.2g, the largest number is %.2g", what, worst, largest)
	}
}

// attention64 is attention and its gradient by definition, in float64.
func attention64(qkv, gradient []float32, shape [4]int, queries int) (out, dqkv []float64) {
	batch, tokens, heads, dim := shape[0], shape[1], shape[2], shape[3]
	out, dqkv = make([]float64, len(gradient)), make([]float64, len(qkv))
	scale := 1 / math.Sqrt(float64(dim))
	for b := range batch {
		for h := range heads {
			at := func(token, which, d int) int { return ((b*tokens+token)*3+which)*heads*dim + h*dim + d }
			outAt := func(token, d int) int { return (b*queries+token)*heads*dim + h*dim + d }
			for i := range queries {
				p, largest, sum := make([]float64, tokens), math.Inf(-1), 0.0
				for j := range p {
					for d := range dim {
						p[j] += float64(qkv[at(i, 0, d)]) * float64(qkv[at(j, 1, d)]) * scale
					}
					largest = max(largest, p[j])
				}
				for j := range p {
					p[j] = math.Exp(p[j] - largest)
					sum += p[j]
				}
				dp, total := make([]float64, tokens), 0.0 // the gradient for p, and its sum weighted by p
				for j := range p {
					p[j] /= sum
					for d := range dim {
						out[outAt(i, d)] += p[j] * float64(qkv[at(j, 2, d)])
						dp[j] += float64(gradient[outAt(i, d)]) * float64(qkv[at(j, 2, d)])
						dqkv[at(j, 2, d)] += p[j] * float64(gradient[outAt(i, d)])
					}
					total += p[j] * dp[j]
				}
				for j := range p {
					g := p[j] * (dp[j] - total) * scale // the gradient for the product of query and key
					for d := range dim {
						dqkv[at(i, 0, d)] += g * float64(qkv[at(j, 1, d)])
						dqkv[at(j, 1, d)] += g * float64(qkv[at(i, 0, d)])
					}
				}
			}
		}
	}
	return out, dqkv
}
