package league_test

import (
	"context"
	"fmt"

	"gaze/pkg/evaluate/maps"
	"gaze/pkg/evaluate/maps/league"
)

// Scores of two methods and a reference on six pictures, as a judge gives them.
func ExampleAnalyse() {
	var entries []league.Entry
	for _, name := range []string{league.Reference, "good", "bad"} {
		e := league.Baselines()[0] // for the function that makes maps
		e.Entrant = &maps.Entrant{Name: name, Make: e.Make, Competes: true}
		e.Role = league.Competes
		entries = append(entries, e)
	}
	part := league.ScoresPart{Columns: []maps.Column{{Key: "energy", Name: "energy", Family: maps.Localisation, Range: [2]float64{0, 1}}}}
	for i := range 6 {
		x := 0.02 * float64(i)
		part.Cases = append(part.Cases, &maps.Case{Name: fmt.Sprint(i), Right: true})
		part.Values = append(part.Values, [][]float64{{0.5 + x}, {0.7 + x}, {0.4 + x}})
	}
	p, err := league.Analyse(context.Background(), entries, []*league.Scores{{Model: "m", Parts: []league.ScoresPart{part}}}, league.Options{Resamples: 100})
	if err != nil {
		fmt.Println(err)
		return
	}
	good := p.Column("energy").Cells[p.Row("good")]
	fmt.Printf("%.2f, rank %.0f, %+.2f over %s\n", good.Value, good.Rank, good.Gain.Value, league.Reference)
	fmt.Println("passed the gate:", p.Column("energy").Gate.Passed)
	// Output:
	// 0.75, rank 1, +0.20 over attention
	// passed the gate: false
}

// Of three tests, the first stays significant.
func ExampleHolm() {
	for _, p := range league.Holm([]float64{0.01, 0.04, 0.03}) {
		fmt.Printf("%.2f ", p)
	}
	// Output: 0.03 0.06 0.06
}
