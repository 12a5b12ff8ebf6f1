//go:build cgo && linux && !noxla && amd64

package kernels

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// Batch, tokens, heads and numbers of a head: fewer and more than a panel, a strip and a
// vector have.
var attentionShapes = [][4]int{{1, 1, 1, 1}, {2, 5, 2, 3}, {1, 48, 1, 16}, {2, 50, 3, 8}, {1, 97, 2, 64}, {1, 130, 1, 80}, {1, 9, 2, 50}}

func TestAttention(t *testing.T) {
	makers(t)
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
					mixed, ok := attend(qkv, nil, batch, tokens, heads, dim, queries, threads)
					back, ok2 := attend(qkv, gradient, batch, tokens, heads, dim, queries, threads)
					if !ok || !ok2 {
						t.Fatal("no memory")
					}
					near(t, "the result", mixed, want, 3e-6)
					near(t, "the gradient", back, wantGradient, 1e-5)
				})
			}
		}
	}
}

// TestAttentionSameBits checks that neither the number of threads nor that of queries
// changes anything.
func TestAttentionSameBits(t *testing.T) {
	makers(t)
	qkv := vector(rand.New(rand.NewPCG(1, 1)), 150*3*3*16)
	want, _ := attend(qkv, nil, 1, 150, 3, 16, 150, 1)
	for _, threads := range []int{2, 5, 16} {
		if got, _ := attend(qkv, nil, 1, 150, 3, 16, 150, threads); !slices.Equal(got, want) {
			t.Errorf("with %d threads it is another", threads)
		}
	}
	if got, _ := attend(qkv, nil, 1, 150, 3, 16, 2, 2); !slices.Equal(got, want[:2*48]) {
		t.Error("two queries alone give something else")
	}
}

// TestAttentionOfGreatScores checks that scores whose exponentials overflow don't.
func TestAttentionOfGreatScores(t *testing.T) {
	makers(t)
	s := [4]int{1, 20, 1, 16}
	qkv := vector(rand.New(rand.NewPCG(5, 1)), 20*3*16)
	for i := range qkv {
		if i%48 < 32 {
			qkv[i] *= 40
		}
	}
	want, _ := attention64(qkv, make([]float32, 20*16), s, 20)
	mixed, _ := attend(qkv, nil, 1, 20, 1, 16, 20, 2)
	near(t, "the result", mixed, want, 2e-4) // of scores of some thousands
}

// near compares with numbers of size 1, to a part of the greatest.
func near(t *testing.T, what string, got []float32, want []float64, bound float64) {
	t.Helper()
	greatest, worst := 1.0, 0.0
	for i := range want {
		greatest = max(greatest, math.Abs(want[i]))
		if d := math.Abs(float64(got[i]) - want[i]); !(d <= worst) {
			worst = d
		}
	}
	if !(worst <= bound*greatest) {
		t.Errorf("%s is off by %.2g, the greatest is %.2g", what, worst, greatest)
	}
}

// attention64 is attention and its gradient as they are defined, in float64.
func attention64(qkv, gradient []float32, shape [4]int, queries int) (mixed, back []float64) {
	batch, tokens, heads, dim := shape[0], shape[1], shape[2], shape[3]
	mixed, back = make([]float64, len(gradient)), make([]float64, len(qkv))
	scale := 1 / math.Sqrt(float64(dim))
	for b := range batch {
		for h := range heads {
			at := func(token, which, d int) int { return ((b*tokens+token)*3+which)*heads*dim + h*dim + d }
			out := func(token, d int) int { return (b*queries+token)*heads*dim + h*dim + d }
			for i := range queries {
				p, greatest, sum := make([]float64, tokens), math.Inf(-1), 0.0
				for j := range p {
					for d := range dim {
						p[j] += float64(qkv[at(i, 0, d)]) * float64(qkv[at(j, 1, d)]) * scale
					}
					greatest = max(greatest, p[j])
				}
				for j := range p {
					p[j] = math.Exp(p[j] - greatest)
					sum += p[j]
				}
				slope, all := make([]float64, tokens), 0.0 // with respect to p
				for j := range p {
					p[j] /= sum
					for d := range dim {
						mixed[out(i, d)] += p[j] * float64(qkv[at(j, 2, d)])
						slope[j] += float64(gradient[out(i, d)]) * float64(qkv[at(j, 2, d)])
						back[at(j, 2, d)] += p[j] * float64(gradient[out(i, d)])
					}
					all += p[j] * slope[j]
				}
				for j := range p {
					g := p[j] * (slope[j] - all) * scale // with respect to the product of query and key
					for d := range dim {
						back[at(i, 0, d)] += g * float64(qkv[at(j, 1, d)])
						back[at(j, 1, d)] += g * float64(qkv[at(i, 0, d)])
					}
				}
			}
		}
	}
	return mixed, back
}
