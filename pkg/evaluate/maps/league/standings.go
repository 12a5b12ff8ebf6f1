package league

import (
	"cmp"
	"slices"
	"strings"

	"gaze/pkg/evaluate/maps"
)

// Families are the ranked families in their order.
func Families() []maps.Family {
	return []maps.Family{maps.Truth, maps.Localisation, maps.Faithfulness, maps.Sanity}
}

func joined(parts []string) string { return strings.Join(parts, ", ") }

// methods is how many rows compete.
func (a *analysis) methods() int {
	n := 0
	for _, r := range a.rows {
		if r.role == Competes {
			n++
		}
	}
	return n
}

// scale puts a rank among some methods on the scale of all: 1 stays 1, the last is the last.
func scale(rank float64, among, all int) float64 {
	if among < 2 {
		return 1
	}
	return 1 + (rank-1)*float64(all-1)/float64(among-1)
}

// columnRanks keeps what the standings need of a column.
func (a *analysis) columnRanks(s *scored, c Column, t *tier, ranked []int, ranks [][]float64) columnRanks {
	all := a.methods()
	out := columnRanks{family: c.Family, passed: c.Gate.Passed, ranked: ranked}
	for n, i := range t.which {
		out.strata = append(out.strata, s.cases[i].Stratum)
		line := make([]float64, len(ranked))
		for k, r := range ranks[n] {
			line[k] = scale(r, len(ranked), all)
		}
		out.ranks = append(out.ranks, line)
	}
	for _, means := range t.sample.modelMeans() {
		var values []float64
		for _, k := range ranked {
			values = append(values, means[k])
		}
		line := Ranks(values, c.Lower)
		for k := range line {
			line[k] = scale(line[k], len(ranked), all)
		}
		out.models = append(out.models, line)
	}
	return out
}

// mean is a mean under way.
type mean struct {
	sum float64
	n   int
}

func (m *mean) add(v float64) { m.sum += v; m.n++ }
func (m mean) value() float64 { return m.sum / float64(m.n) }

// byFamily averages what columns that passed the gate say of each row, within families and
// then over them. A row without a column in some family that others have is left out of
// the second.
func (a *analysis) byFamily(of func(c columnRanks) []float64) (families []map[maps.Family]mean, overall []float64) {
	families = make([]map[maps.Family]mean, len(a.rows))
	present := map[maps.Family]bool{}
	for i := range families {
		families[i] = map[maps.Family]mean{}
	}
	for _, c := range a.columns {
		values := of(c)
		if !c.passed || values == nil {
			continue
		}
		present[c.family] = true
		for k, row := range c.ranked {
			m := families[row][c.family]
			m.add(values[k])
			families[row][c.family] = m
		}
	}
	overall = make([]float64, len(a.rows))
	for i, all := range families {
		if len(all) < len(present) || len(all) == 0 {
			continue
		}
		var m mean
		for _, f := range Families() { // in a fixed order, for the same bits
			if x, ok := all[f]; ok {
				m.add(x.value())
			}
		}
		overall[i] = m.value()
	}
	return families, overall
}

// standings fills in the methods' places.
func (a *analysis) standings() {
	families, overall := a.byFamily(func(c columnRanks) []float64 { return columnMeans(c.ranks) })
	for i, r := range a.rows {
		if r.role != Competes || len(families[i]) == 0 {
			continue
		}
		s := Standing{Name: r.name, Rank: round(overall[i]), Cost: a.part.Rows[i].Cost, Families: map[maps.Family]float64{}, Columns: map[maps.Family]int{}}
		for f, m := range families[i] {
			s.Families[f], s.Columns[f] = round(m.value()), m.n
		}
		a.part.Standings = append(a.part.Standings, s)
	}
	slices.SortStableFunc(a.part.Standings, func(x, y Standing) int {
		if (x.Rank == 0) != (y.Rank == 0) { // without a rank at the end
			return cmp.Compare(y.Rank, x.Rank)
		}
		return cmp.Compare(x.Rank, y.Rank)
	})
}

// modelRanks fills in the ranks of each model alone.
func (a *analysis) modelRanks(models int) {
	for m := range models {
		_, overall := a.byFamily(func(c columnRanks) []float64 { return c.models[m] })
		for i := range overall {
			overall[i] = round(overall[i])
		}
		a.part.ModelRanks = append(a.part.ModelRanks, overall)
	}
}

// diagrams fills in a diagram for each family and one for all, over blocks that are strata:
// so pictures that only some columns have can be used, and what they have in common doesn't
// count as many times as there are pictures.
func (a *analysis) diagrams() {
	for _, f := range append([]maps.Family{""}, Families()...) {
		if d, ok := a.diagram(f); ok {
			a.part.Diagrams = append(a.part.Diagrams, d)
		}
	}
}

func (a *analysis) diagram(family maps.Family) (Diagram, bool) {
	seen := map[string]bool{}
	var strata []string
	for _, c := range a.columns {
		for _, s := range c.strata {
			if !seen[s] {
				seen[s] = true
				strata = append(strata, s)
			}
		}
	}
	var values [][]float64
	for _, s := range strata {
		families, overall := a.byFamily(func(c columnRanks) []float64 { return c.stratum(s) })
		if family != "" {
			for i := range overall {
				overall[i] = 0
				if m, ok := families[i][family]; ok {
					overall[i] = m.value()
				}
			}
		}
		values = append(values, overall)
	}
	return a.drawn(family, values)
}

// stratum is the mean ranks on the pictures of a stratum; nil without any.
func (c columnRanks) stratum(name string) []float64 {
	var rows [][]float64
	for i, s := range c.strata {
		if s == name {
			rows = append(rows, c.ranks[i])
		}
	}
	return columnMeans(rows)
}

// drawn makes a diagram of the mean ranks of rows in blocks, [blocks][rows], of those rows
// that have one in most blocks.
func (a *analysis) drawn(family maps.Family, values [][]float64) (Diagram, bool) {
	var in []int
	for k, r := range a.rows {
		ranked := 0
		for _, row := range values {
			if row[k] > 0 {
				ranked++
			}
		}
		if r.role == Competes && 2*ranked > len(values) {
			in = append(in, k)
		}
	}
	var blocks [][]float64
	for _, row := range only(values, in) {
		if !slices.Contains(row, 0) {
			blocks = append(blocks, Ranks(row, true))
		}
	}
	if len(in) < 2 || len(blocks) < 2 {
		return Diagram{}, false
	}
	ranks := columnMeans(blocks)
	order, groups := Cliques(ranks, ComparePairs(blocks), a.options.Level)
	d := Diagram{Family: family, Groups: groups}
	if f, err := Friedman(blocks); err == nil {
		f.Statistic, f.P = round(f.Statistic), shortP(f.P)
		d.Friedman = &f
	}
	for _, k := range order {
		d.Names, d.Ranks = append(d.Names, a.rows[in[k]].name), append(d.Ranks, round(ranks[k]))
	}
	return d, true
}

// Budgets are the limits of cost, in forward passes, within which the best method is named.
var Budgets = []int{3, 100, 1000}

// Best is the best method within a budget in forward passes (0: any), nil if none is ranked.
func (p *Part) Best(budget int) *Standing {
	for i, s := range p.Standings {
		if s.Rank > 0 && (budget == 0 || s.Cost <= budget) {
			return &p.Standings[i]
		}
	}
	return nil
}
