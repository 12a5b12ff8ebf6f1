package maps

import (
	"context"
	"math"
	"slices"

	"gaze/pkg/explain"
)

// ComplexityJudge describes how concentrated maps are. More isn't better, so that its
// columns are never ranked.
type ComplexityJudge struct{}

// Columns are the Gini index and the entropy.
func (ComplexityJudge) Columns() []Column {
	return []Column{
		{Key: "gini", Name: "Gini index", Family: Descriptive, Range: [2]float64{0, 1}, Chance: known(0),
			About: "Gini index of the map's magnitudes: 0 if all are equal, near 1 if one cell has everything (Chalasani et al., 2020)."},
		{Key: "entropy", Name: "entropy", Family: Descriptive, Lower: true, Range: [2]float64{0, 1}, Chance: known(1),
			About: "Entropy of the map's magnitudes, as a share of the greatest possible: 1 if all are equal, 0 if one cell has everything (Bhatt et al., 2020)."},
	}
}

// Judge is as in [Judge]; it needs no model.
func (ComplexityJudge) Judge(_ context.Context, _ *explain.Explainer, entrants []*Entrant, cases []*Case, maps [][]explain.Map) ([][][]float64, error) {
	if err := checkMaps(entrants, cases, maps); err != nil {
		return nil, err
	}
	out := blank(len(cases), len(entrants), 2)
	for i := range cases {
		for k, m := range maps[i] {
			magnitudes := absolute(doubles(m.Values))
			out[i][k][0], out[i][k][1] = gini(magnitudes), evenness(magnitudes)
		}
	}
	return out, nil
}

// gini is the Gini index of magnitudes; 0 if all are zero.
func gini(magnitudes []float64) float64 {
	if constant(magnitudes) {
		return 0
	}
	n, sum, weighted := float64(len(magnitudes)), 0.0, 0.0
	for i, v := range slices.Sorted(slices.Values(magnitudes)) {
		sum += v
		weighted += (2*float64(i+1) - n - 1) * v
	}
	return weighted / (n * sum)
}

// evenness is the entropy of magnitudes as a share of the greatest possible; 1 if all are
// equal.
func evenness(magnitudes []float64) float64 {
	if constant(magnitudes) {
		return 1
	}
	return entropy(magnitudes) / math.Log(float64(len(magnitudes)))
}
