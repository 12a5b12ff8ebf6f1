package evaluate

import (
	"math/rand/v2"
	"testing"
)

// BenchmarkSimilarityOrder orders ImageNet's thousand classes.
func BenchmarkSimilarityOrder(b *testing.B) {
	r := rand.New(rand.NewPCG(3, 4))
	counts := make([][]int, 1000)
	for i := range counts {
		counts[i] = make([]int, len(counts))
		counts[i][i] = 35
		for range 15 {
			counts[i][(i+r.IntN(40))%len(counts)]++
		}
	}
	for b.Loop() {
		if _, err := SimilarityOrder(counts); err != nil {
			b.Fatal(err)
		}
	}
}
