package maps

import (
	"context"
	"math"
	"math/rand/v2"

	"gaze/pkg/explain"
)

// greatestChange bounds max-sensitivity.
const greatestChange = 10

// random2 is the stream of a purpose for one of several draws for a picture.
func random2(seed, purpose uint64, index, draw int) *rand.Rand {
	return random(seed^uint64(draw+1)*0xd1342543de82ef95, purpose, index)
}

// sensitivity scores max-sensitivity: the greatest ‖φ(x+δ) - φ(x)‖/‖φ(x)‖ over samples of
// δ, uniform within the radius of each value.
func (s *SanityJudge) sensitivity(ctx context.Context, e *explain.Explainer, entrant *Entrant, cases []*Case, own []explain.Map, rows [][]float64) error {
	for i := range rows {
		rows[i][0] = 0
	}
	for n := range s.o.Samples {
		maps, err := mapsBy(ctx, e, entrant, changed(cases, func(c *Case) func(span float64) float64 {
			r := random2(s.o.Seed, forSensitivity, c.Index, n)
			return func(span float64) float64 { return s.o.Radius * span * (2*r.Float64() - 1) }
		}))
		if err != nil {
			return err
		}
		for i, m := range maps {
			rows[i][0] = max(rows[i][0], moved(own[i].Values, m.Values))
		}
	}
	return nil
}

// moved is the size of the difference of two maps as a share of the first one's, at most
// greatestChange; of one that is zero everywhere, the size of the difference, as captum
// has it.
func moved(before, after []float32) float64 {
	var d, n float64
	for i, v := range before {
		d += math.Pow(float64(after[i])-float64(v), 2)
		n += math.Pow(float64(v), 2)
	}
	if n == 0 {
		n = 1
	}
	return min(math.Sqrt(d/n), greatestChange)
}
