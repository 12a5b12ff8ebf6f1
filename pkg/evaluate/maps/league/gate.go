package league

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"

	"gaze/pkg/evaluate"
	"gaze/pkg/evaluate/maps"
)

// Gate is what a column has to pass before it counts. Differences are positive where the
// column works, with 95 % intervals.
type Gate struct {
	Passed bool   `json:"passed"`
	Why    string `json:"why,omitempty"` // not passed
	// Ceiling is by how much the best row that knows the answer beats random maps. In the
	// family [maps.Sanity], where none knows it, by how much the best method beats the best
	// row that doesn't ask the model.
	Ceiling     *Gain  `json:"ceiling,omitempty"`
	CeilingName string `json:"ceiling_name,omitempty"`
	// Inverted is by how much random maps beat the inverted best map; nil in the family
	// Sanity, which compares a method's maps with its own.
	Inverted *Gain `json:"inverted,omitempty"`
	// Constant is by how much a constant map differs from chance.
	Constant *Gain `json:"constant,omitempty"`
	// Halves is Kendall's τ between the methods' mean ranks on two halves of the pictures,
	// the mean over several ways of halving.
	Halves float64 `json:"halves"`
}

// Gain is a difference with its interval.
type Gain struct {
	Value float64 `json:"v"`
	Low   float64 `json:"l"`
	High  float64 `json:"h"`
}

func gain(i evaluate.Interval) *Gain { return &Gain{round(i.Value), round(i.Low), round(i.High)} }

// round keeps five significant places of numbers around 1.
func round(v float64) float64 { return math.Round(v*1e5) / 1e5 }

// leastHalves is the agreement of two halves of the pictures below which a column says
// little.
const leastHalves = 0.8

// halvings is in how many ways pictures are halved.
const halvings = 50

// gate checks a column. Each comparison is on the pictures that both rows have maps of; the best
// row of a role is found on those that all have.
func (a *analysis) gate(s *scored, tiers []*tier) Gate {
	g, means := Gate{}, tiers[len(tiers)-1].means
	var fails []string
	need := func(ok bool, why string) {
		if !ok {
			fails = append(fails, why)
		}
	}
	random, constant := s.find(Random, means), s.find(Constant, means)
	if s.column.Family == maps.Sanity {
		best, blind := s.find(Competes, means), s.find(Blind, means)
		if random >= 0 && (blind < 0 || better(means[random], means[blind], s.column.Lower) > 0) {
			blind = random
		}
		g.Ceiling, g.CeilingName = a.over(s, tiers, best, blind), s.nameOf(best)
		need(g.Ceiling != nil && g.Ceiling.Low > 0, "no method beats a map that doesn't ask the model")
	} else {
		ceiling, inverted := s.find(Ceiling, means), s.find(Inverted, means)
		g.Ceiling, g.CeilingName = a.over(s, tiers, ceiling, random), s.nameOf(ceiling)
		need(g.Ceiling != nil && g.Ceiling.Low > 0, "its ceiling doesn't beat random maps")
		g.Inverted = a.over(s, tiers, random, inverted)
		need(g.Inverted != nil && g.Inverted.Low > 0, "the inverted best map isn't below random maps")
		g.Constant = a.chance(s, tiers, constant, random)
		need(g.Constant != nil && a.nothing(g.Constant, s.column), "a constant map doesn't score chance")
	}
	g.Halves = round(s.halves(tiers, a.options.Seed))
	need(g.Halves >= leastHalves, fmt.Sprintf("two halves of the pictures agree by τ = %.2f only", g.Halves))
	g.Passed, g.Why = len(fails) == 0, strings.Join(fails, "; ")
	return g
}

// halves is how much two halves of the pictures agree on the methods' order: on the most
// pictures of which three methods have maps, since that is asked of the metric, not of the
// methods.
func (s *scored) halves(tiers []*tier, seed uint64) float64 {
	for i, t := range tiers {
		var which []int
		for _, k := range s.ranked() {
			if s.in(t.pictures, k) {
				which = append(which, k)
			}
		}
		if len(which) >= 3 || i == len(tiers)-1 {
			return halves(rankRows(only(t.values, which), s.column.Lower), strataOf(s.cases, t.which), seed)
		}
	}
	return 0
}

// find is the best row with a role that the column applies to, -1 if there is none.
func (s *scored) find(role Role, means []float64) int {
	best := -1
	for k, r := range s.rows {
		if r.role == role && s.there[k] && (best < 0 || better(means[k], means[best], s.column.Lower) > 0) {
			best = k
		}
	}
	return best
}

func (s *scored) nameOf(row int) string {
	if row < 0 {
		return ""
	}
	return s.rows[row].name
}

// shared is the tier with the most pictures of which both rows have maps.
func (s *scored) shared(tiers []*tier, i, j int) *tier {
	return tiers[slices.IndexFunc(tiers, func(t *tier) bool { return t.pictures <= min(s.limit(i), s.limit(j)) })]
}

// over is by how much row i is better than row j; nil if one isn't there.
func (a *analysis) over(s *scored, tiers []*tier, i, j int) *Gain {
	if i < 0 || j < 0 {
		return nil
	}
	t := s.shared(tiers, i, j)
	return gain(interval(better(t.means[i], t.means[j], s.column.Lower), t.draws.difference(i, j, s.column.Lower), a.options.Level))
}

// chance is how much a constant map differs from chance: from the column's own, or from
// random maps.
func (a *analysis) chance(s *scored, tiers []*tier, constant, random int) *Gain {
	if s.column.Chance == nil || constant < 0 {
		return a.over(s, tiers, constant, random)
	}
	t := s.shared(tiers, constant, constant)
	i := interval(t.means[constant], t.draws[constant], a.options.Level)
	c := *s.column.Chance
	return gain(evaluate.Interval{Value: i.Value - c, Low: i.Low - c, High: i.High - c})
}

// nothing reports whether a difference may be none, or is smaller than what is of interest.
func (a *analysis) nothing(g *Gain, c maps.Column) bool {
	interest := a.options.Interest * (c.Range[1] - c.Range[0])
	return g.Low <= 0 && g.High >= 0 || g.Low > -interest && g.High < interest
}

// halves is the mean over several ways of halving of Kendall's τ between the mean ranks of
// the halves, NaN with fewer than two methods.
func halves(ranks [][]float64, strata [][]int, seed uint64) float64 {
	sum := 0.0
	for h := range uint64(halvings) {
		random := rand.New(rand.NewPCG(seed, h))
		var first, second [][]float64
		for _, group := range strata {
			for _, at := range random.Perm(len(group)) {
				if (len(first)+len(second))%2 == 0 { // by turns, also from one stratum to the next
					first = append(first, ranks[group[at]])
				} else {
					second = append(second, ranks[group[at]])
				}
			}
		}
		a, b := columnMeans(first), columnMeans(second)
		if len(a) < 2 || len(b) < 2 {
			return 0
		}
		if tau := Kendall(a, b); finite(tau) {
			sum += tau
		}
	}
	return sum / halvings
}

// strataOf groups some pictures, by their place among these, by stratum.
func strataOf(cases []*maps.Case, which []int) [][]int {
	var of []string
	for _, i := range which {
		of = append(of, cases[i].Stratum)
	}
	return maps.Strata(of)
}
