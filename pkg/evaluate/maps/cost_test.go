package maps

import (
	"context"
	"fmt"
	"testing"
)

// BenchmarkFaithfulness measures what a picture's maps cost on a model of the size that
// ships: milliseconds for each map of a picture with the curves alone, then for a picture's
// subsets and single cells, whatever the number of maps.
func BenchmarkFaithfulness(b *testing.B) {
	_, e, cases := judged(b, "vit:dim=128,depth=6,heads=4,patch=12,size=96", 4)
	var entrants []*Entrant
	for i := range 16 {
		entrants = append(entrants, noise(uint64(i), 8, 8))
	}
	maps := mapsOf(b, e, entrants, cases)
	for _, part := range []Parts{Curves, Subsets | Singles, Products} {
		for _, op := range []Operator{TrainingMean(), Blur(0), LinearImputation(0.01, 1), TokenDrop()} {
			if part == Products && op.Key != "mean" {
				continue
			}
			b.Run(fmt.Sprintf("parts=%d/%s", part, op.Key), func(b *testing.B) {
				f, err := NewFaithfulness(FaithfulnessOptions{Operators: []Operator{op}, Parts: part})
				if err != nil {
					b.Fatal(err)
				}
				per := len(cases) * len(entrants)
				if part == Subsets|Singles {
					per = len(cases)
				}
				for b.Loop() {
					if _, err := f.Judge(context.Background(), e, entrants, cases, maps); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(float64(b.Elapsed().Milliseconds())/float64(b.N*per), "ms/map")
			})
		}
	}
}
