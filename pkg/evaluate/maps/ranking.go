package maps

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"gaze/pkg/explain"
)

// What random numbers are for. Each purpose has its own stream for a seed and a picture.
const (
	forTies uint64 = iota + 1
	forNoise
	forSubsets
	forMosaics
	forSmoothing
	forSensitivity
)

// random is the stream of a purpose for a picture: the same numbers whatever else is
// judged, in whatever order.
func random(seed, purpose uint64, index int) *rand.Rand {
	return rand.New(rand.NewPCG(seed^purpose*0x9e3779b97f4a7c15, uint64(index)))
}

// descending lists the cells by value, the largest first. Equal cells come in the order
// of a seeded permutation, so that a constant map is a random order.
func descending(values []float32, seed uint64, index int) []int {
	place := random(seed, forTies, index).Perm(len(values))
	out := make([]int, len(values))
	for i := range out {
		out[i] = i
	}
	slices.SortFunc(out, func(i, j int) int {
		return cmp.Or(cmp.Compare(values[j], values[i]), cmp.Compare(place[i], place[j]))
	})
	return out
}

// evenly is a map from 0 to 1: the values between the least and the greatest. A constant
// map has no order, so that it gets a seeded one: evenly spaced values in the order of a
// permutation, which is what a random map is.
func evenly(values []float32, seed uint64, index int) []float64 {
	lo, hi := slices.Min(values), slices.Max(values)
	out := make([]float64, len(values))
	if lo == hi {
		for k, i := range descending(values, seed, index) {
			out[i] = 1 - float64(k)/float64(max(len(out)-1, 1))
		}
		return out
	}
	for i, v := range values {
		out[i] = (float64(v) - float64(lo)) / (float64(hi) - float64(lo))
	}
	return out
}

func mean(values []float64) float64 {
	sum := 0.0
	for _, v := range values {
		sum += v
	}
	return sum / float64(len(values))
}

func constant[T float32 | float64](values []T) bool {
	return !slices.ContainsFunc(values, func(v T) bool { return v != values[0] })
}

func doubles(values []float32) []float64 {
	out := make([]float64, len(values))
	for i, v := range values {
		out[i] = float64(v)
	}
	return out
}

// checkMaps reports a map that can't be judged: of another number than there are
// entrants, of another grid than the picture's first, or with values that aren't finite.
func checkMaps(entrants []*Entrant, cases []*Case, maps [][]explain.Map) error {
	if len(maps) != len(cases) {
		return fmt.Errorf("maps: maps of %d pictures for %d cases", len(maps), len(cases))
	}
	for i, c := range cases {
		if len(maps[i]) != len(entrants) {
			return fmt.Errorf("maps: %d maps of %s for %d entrants", len(maps[i]), c.Name, len(entrants))
		}
		for k, m := range maps[i] {
			if m.Rows < 1 || m.Cols < 1 || len(m.Values) != m.Rows*m.Cols || m.Rows != maps[i][0].Rows || m.Cols != maps[i][0].Cols {
				return fmt.Errorf("maps: %s has a map of %d values on %dx%d cells of %s, where the first has %dx%d cells: all maps of a picture need the same grid",
					entrants[k].Name, len(m.Values), m.Rows, m.Cols, c.Name, maps[i][0].Rows, maps[i][0].Cols)
			}
			for at, v := range m.Values {
				if f := float64(v); math.IsNaN(f) || math.IsInf(f, 0) {
					return fmt.Errorf("maps: the map by %s of %s is %g in row %d, column %d", entrants[k].Name, c.Name, f, at/m.Cols, at%m.Cols)
				}
			}
		}
	}
	return nil
}

// blank is a table of scores [cases][entrants][columns], each NaN: it doesn't apply.
func blank(cases, entrants, columns int) [][][]float64 {
	out := make([][][]float64, cases)
	for i := range out {
		out[i] = make([][]float64, entrants)
		for k := range out[i] {
			out[i][k] = slices.Repeat([]float64{math.NaN()}, columns)
		}
	}
	return out
}

// known is a column's chance that is the same for every picture.
func known(v float64) *float64 { return &v }
