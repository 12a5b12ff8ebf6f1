package league

import (
	"math"
	"slices"

	"gaze/pkg/evaluate/maps"
)

// row is a line of the league: an entry, or all random ones together.
type row struct {
	name     string
	role     Role
	entries  []int // that are averaged
	operator string
	pictures int // that it has maps of, the first ones; 0: all
}

// rowsOf are the rows of entries: random ones are one row.
func rowsOf(entries []Entry) []row {
	var out []row
	random := -1
	for i, e := range entries {
		switch {
		case e.Role != Random:
			out = append(out, row{e.Name, e.Role, []int{i}, e.Operator, e.Pictures})
		case random < 0:
			random = len(out)
			out = append(out, row{"random", Random, []int{i}, "", e.Pictures})
		default:
			out[random].entries = append(out[random].entries, i)
		}
	}
	return out
}

// scored is a column's scores in all models.
type scored struct {
	column maps.Column
	rows   []row
	cases  []*maps.Case  // of the first model; the others have the same pictures
	values [][][]float64 // [models][cases][rows]
	right  [][]bool      // [models][cases]
	there  []bool        // of each row: whether the column applies to it
	tiers  []int         // numbers of pictures that rows have maps of, the most first
	own    []bool        // of each row: whether it uses the column's operator itself
}

// collect takes a column out of the models' scores.
func collect(models []*Scores, part, column int, rows []row) *scored {
	s := &scored{column: models[0].Parts[part].Columns[column], rows: rows, cases: models[0].Parts[part].Cases}
	for _, m := range models {
		p := m.Parts[part]
		values, right := make([][]float64, len(p.Cases)), make([]bool, len(p.Cases))
		for i, c := range p.Cases {
			right[i] = c.Right
			values[i] = make([]float64, len(rows))
			for k, r := range rows {
				sum := 0.0
				for _, e := range r.entries {
					sum += p.Values[i][e][column]
				}
				values[i][k] = sum / float64(len(r.entries))
			}
		}
		s.values, s.right = append(s.values, values), append(s.right, right)
	}
	for _, r := range rows {
		s.own = append(s.own, r.operator != "" && r.operator == s.column.Operator)
	}
	s.apply()
	return s
}

// limit is how many of the column's pictures a row has maps of.
func (s *scored) limit(row int) int {
	if n := s.rows[row].pictures; n > 0 {
		return min(n, len(s.cases))
	}
	return len(s.cases)
}

// mostly is the share of its pictures in which a row must have a score to be in a column.
const mostly = 0.95

// apply finds the rows that the column applies to: those with a score of nearly all of
// their pictures of which most methods have one. Then it lists the tiers.
func (s *scored) apply() {
	s.there = make([]bool, len(s.rows))
	has, all := make([]int, len(s.rows)), make([]int, len(s.rows))
	for _, model := range s.values {
		for i, values := range model {
			if !s.applies(i, values) {
				continue
			}
			for k, v := range values {
				if i < s.limit(k) {
					all[k]++
					if finite(v) {
						has[k]++
					}
				}
			}
		}
	}
	seen := map[int]bool{}
	for k := range s.there {
		if s.there[k] = all[k] > 0 && float64(has[k]) >= mostly*float64(all[k]); s.there[k] && !seen[s.limit(k)] {
			seen[s.limit(k)] = true
			s.tiers = append(s.tiers, s.limit(k))
		}
	}
	slices.SortFunc(s.tiers, func(a, b int) int { return b - a })
}

// applies reports whether at least half of the methods that have a map of picture i have a
// score.
func (s *scored) applies(i int, values []float64) bool {
	methods, with := 0, 0
	for k, v := range values {
		if s.rows[k].role == Competes && i < s.limit(k) {
			methods++
			if finite(v) {
				with++
			}
		}
	}
	return with > 0 && 2*with >= methods
}

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

// counts reports whether a picture counts for a tier in a model: it is one of the tier's, the
// model is right (or wrong, if that is asked), and every row with maps of the tier's pictures
// has a score.
func (s *scored) counts(tier, model, i int, right bool) bool {
	if s.right[model][i] != right || i >= tier {
		return false
	}
	for k, v := range s.values[model][i] {
		if s.in(tier, k) && !finite(v) {
			return false
		}
	}
	return true
}

// in reports whether a row has scores of a tier's pictures.
func (s *scored) in(tier, row int) bool { return s.there[row] && s.limit(row) >= tier }

// sample is the scores of the pictures that count for a tier, with zeros elsewhere.
func (s *scored) sample(tier int, right bool) *sample {
	out := &sample{entrants: len(s.rows)}
	var strata []string
	for _, c := range s.cases[:tier] {
		strata = append(strata, c.Stratum)
	}
	out.strata = maps.Strata(strata)
	for m, model := range s.values {
		values, counts := make([]float64, tier*len(s.rows)), make([]bool, tier)
		for i, row := range model[:tier] {
			if counts[i] = s.counts(tier, m, i, right); !counts[i] {
				continue
			}
			for k, v := range row {
				if s.in(tier, k) {
					values[i*len(s.rows)+k] = v
				}
			}
		}
		out.values, out.counts = append(out.values, values), append(out.counts, counts)
	}
	return out
}

// pictures are the pictures that count for a tier in some model: their numbers, and the mean
// scores of the rows, [pictures][rows], over the models in which they count.
func (s *scored) pictures(tier int) (which []int, means [][]float64) {
	for i := range tier {
		sums, n := make([]float64, len(s.rows)), 0.0
		for m := range s.values {
			if !s.counts(tier, m, i, true) {
				continue
			}
			n++
			for k, v := range s.values[m][i] {
				sums[k] += v
			}
		}
		if n == 0 {
			continue
		}
		for k := range sums {
			sums[k] /= n
		}
		which, means = append(which, i), append(means, sums)
	}
	return which, means
}

// ranked are the rows that are ranked: methods that the column applies to and that don't use
// its operator themselves.
func (s *scored) ranked() []int {
	var out []int
	for k, r := range s.rows {
		if r.role == Competes && s.there[k] && !s.own[k] {
			out = append(out, k)
		}
	}
	return out
}

// only are the columns of values that are named.
func only(values [][]float64, which []int) [][]float64 {
	out := make([][]float64, len(values))
	for i, row := range values {
		for _, k := range which {
			out[i] = append(out[i], row[k])
		}
	}
	return out
}
