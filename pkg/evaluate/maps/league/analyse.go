package league

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"

	"gaze/pkg/evaluate/maps"
	"gaze/pkg/explain"
	"gaze/pkg/vit"
)

// Options say how scores are analysed.
type Options struct {
	Key, Title string  // of the part
	Resamples  int     // 0: 10,000
	Seed       uint64  // of resamples and halves
	Level      float64 // 0: 0.05
	Interest   float64 // the smallest difference of interest, as a share of a column's range; 0: 0.02
	Workers    int     // 0: one for each processor; the result doesn't depend on it
	// Keep are the keys of the columns whose scores of single pictures are kept.
	Keep []string
	// Config is the model's configuration, for costs.
	Config vit.Config
	// Failed is how many pictures each entry has no map of, by name.
	Failed map[string]int

	ungated bool // all columns count
}

func (o Options) filled() Options {
	if o.Resamples == 0 {
		o.Resamples = 10000
	}
	if o.Level == 0 {
		o.Level = 0.05
	}
	if o.Interest == 0 {
		o.Interest = 0.02
	}
	return o
}

// analysis is the analysis under way.
type analysis struct {
	options Options
	rows    []row
	part    *Part
	columns []columnRanks
}

// columnRanks is what the standings need of a column.
type columnRanks struct {
	family maps.Family
	passed bool
	ranked []int       // rows
	ranks  [][]float64 // [pictures][ranked], scaled to all methods
	strata []string    // of the pictures
	models [][]float64 // [models][ranked]: the rank of the model's means, scaled
}

// Analyse turns the scores of several models on the same pictures into a part of a record.
func Analyse(ctx context.Context, entries []Entry, models []*Scores, o Options) (*Part, error) {
	if err := checkScores(entries, models); err != nil {
		return nil, err
	}
	a := &analysis{options: o.filled(), rows: rowsOf(entries)}
	a.part = &Part{Key: o.Key, Title: o.Title}
	a.describe(entries, models)
	for k := range models[0].Parts {
		for c := range models[0].Parts[k].Columns {
			if err := a.column(ctx, collect(models, k, c, a.rows)); err != nil {
				return nil, err
			}
		}
	}
	a.standings()
	a.diagrams()
	a.modelRanks(len(models))
	return a.part, nil
}

// checkScores makes sure that all models were judged on the same.
func checkScores(entries []Entry, models []*Scores) error {
	if len(models) == 0 {
		return errors.New("league: there are no scores")
	}
	if err := checkEntries(entries); err != nil {
		return err
	}
	for _, m := range models {
		if len(m.Parts) != len(models[0].Parts) {
			return fmt.Errorf("league: %s was judged by %d judges, %s by %d", m.Model, len(m.Parts), models[0].Model, len(models[0].Parts))
		}
		for k, p := range m.Parts {
			first := models[0].Parts[k]
			if len(p.Cases) == 0 || len(p.Cases) != len(first.Cases) || len(p.Columns) != len(first.Columns) {
				return fmt.Errorf("league: judge %d looked at %d pictures with %s, at %d with %s", k, len(p.Cases), m.Model, len(first.Cases), models[0].Model)
			}
			for i, c := range p.Cases {
				if c.Name != first.Cases[i].Name || len(p.Values[i]) != len(entries) {
					return fmt.Errorf("league: picture %d is %s with %s, %s with %s", i, c.Name, m.Model, first.Cases[i].Name, models[0].Model)
				}
			}
		}
	}
	return nil
}

// describe fills in models, pictures and rows.
func (a *analysis) describe(entries []Entry, models []*Scores) {
	for _, m := range models {
		a.part.Models = append(a.part.Models, m.Model)
		longest := slices.MaxFunc(m.Parts, func(x, y ScoresPart) int { return len(x.Cases) - len(y.Cases) })
		right := 0
		a.part.Cases = nil
		for _, c := range longest.Cases {
			a.part.Cases = append(a.part.Cases, c.Name)
			if c.Right {
				right++
			}
		}
		a.part.Pictures, a.part.Right = len(longest.Cases), append(a.part.Right, right)
	}
	for _, r := range a.rows {
		e := entries[r.entries[0]]
		row := Row{Name: r.name, Role: r.role, Operator: r.operator, Settings: settingsText(e.Settings), Pictures: r.pictures, Failed: a.options.Failed[r.name]}
		if e.Method != nil {
			row.Method, row.Title, row.Cost = e.Method.Name, e.Method.Title, e.Method.Cost(a.options.Config, e.Settings)
		}
		a.part.Rows = append(a.part.Rows, row)
	}
}

// settingsText is what differs from the defaults.
func settingsText(s explain.Settings) string {
	bytes, err := json.Marshal(s)
	if err != nil {
		return ""
	}
	var all map[string]any
	if json.Unmarshal(bytes, &all) != nil {
		return ""
	}
	var out []string
	for k, v := range all {
		switch v := v.(type) {
		case float64:
			if v != 0 || k == "Layer" {
				out = append(out, fmt.Sprintf("%s %g", k, v))
			}
		case bool:
			if v {
				out = append(out, k)
			}
		}
	}
	if s.Heads != (explain.Heads{}) {
		out = append(out, fmt.Sprintf("Heads %s", s.Heads))
	}
	slices.Sort(out)
	return joined(out)
}

// tier is the scores of the pictures of which some rows have maps.
type tier struct {
	pictures int
	sample   *sample
	means    []float64
	draws    resampled
	which    []int       // the pictures that count in some model
	values   [][]float64 // [which][rows], means over models
}

// column analyses a column and adds it to the part.
func (a *analysis) column(ctx context.Context, s *scored) error {
	c := s.column
	out := Column{Key: c.Key, Name: c.Name, Family: c.Family, Lower: c.Lower, Range: c.Range, Chance: c.Chance, Operator: c.Operator, About: c.About}
	out.Cells = make([]*Cell, len(s.rows))
	var tiers []*tier
	for _, n := range s.tiers {
		t := &tier{pictures: n, sample: s.sample(n, true)}
		if t.which, t.values = s.pictures(n); len(t.which) == 0 {
			continue
		}
		t.means = t.sample.means()
		var err error
		if t.draws, err = t.sample.resample(ctx, a.options.Resamples, a.options.Seed, a.options.Workers); err != nil {
			return err
		}
		tiers = append(tiers, t)
		a.cells(s, t, out.Cells)
		out.Wrong = max(out.Wrong, a.wrong(s, n, out.Cells))
	}
	if len(tiers) == 0 || len(tiers) < len(s.tiers) {
		out.Gate.Why = "no picture counts"
		a.part.Columns = append(a.part.Columns, out)
		return nil
	}
	common := tiers[len(tiers)-1] // all rows have maps of its pictures
	out.Pictures, out.Common = len(tiers[0].which), len(common.which)
	ranked := s.ranked()
	values := only(common.values, ranked)
	ranks := rankRows(values, c.Lower)
	a.ranks(&out, ranked, ranks, values)
	a.against(s, tiers, out.Cells)
	switch {
	case c.Family == maps.Descriptive:
		out.Gate.Why = "it describes maps, and says nothing about which is better"
	case a.options.ungated:
		out.Gate.Passed = true
	default:
		out.Gate = a.gate(s, tiers)
	}
	if slices.Contains(a.options.Keep, c.Key) {
		out.Kept = keep(s.all(tiers))
	}
	a.part.Columns = append(a.part.Columns, out)
	a.columns = append(a.columns, a.columnRanks(s, out, common, ranked, ranks))
	return nil
}

// cells fills in means and intervals of the rows of a tier.
func (a *analysis) cells(s *scored, t *tier, cells []*Cell) {
	models := t.sample.modelMeans()
	for k := range s.rows {
		if !s.there[k] || s.limit(k) != t.pictures {
			continue
		}
		i := interval(t.means[k], t.draws[k], a.options.Level)
		cells[k] = &Cell{Value: round(i.Value), Low: round(i.Low), High: round(i.High), Own: s.own[k] && s.rows[k].role == Competes}
		if len(models) > 1 {
			for _, m := range models {
				cells[k].Model = append(cells[k].Model, round(m[k]))
			}
		}
	}
}

// modelMeans are the means of each model.
func (s *sample) modelMeans() [][]float64 {
	var out [][]float64
	for m := range s.counts {
		weights, sums, mean := make([]float64, len(s.counts)), make([]float64, s.entrants), make([]float64, s.entrants)
		weights[m] = 1
		s.mean(weights, ones(len(s.counts[m])), sums, mean)
		out = append(out, mean)
	}
	return out
}

// wrong fills in the means of the rows of a tier on pictures that the models are wrong about,
// and returns how many there are in all models together.
func (a *analysis) wrong(s *scored, pictures int, cells []*Cell) int {
	sample, n := s.sample(pictures, false), 0
	for _, counts := range sample.counts {
		for _, c := range counts {
			if c {
				n++
			}
		}
	}
	if n == 0 {
		return 0
	}
	for k, v := range sample.means() {
		if cells[k] != nil && s.limit(k) == pictures && finite(v) {
			v = round(v)
			cells[k].Wrong = &v
		}
	}
	return n
}

// ranks fills in mean ranks and whether methods differ at all.
func (a *analysis) ranks(out *Column, ranked []int, ranks, values [][]float64) {
	for k, r := range columnMeans(ranks) {
		if len(ranked) > 0 {
			out.Cells[ranked[k]].Rank = round(r)
		}
	}
	if len(ranked) < 3 {
		return
	}
	if f, err := Friedman(values); err == nil {
		f.Statistic = round(f.Statistic)
		out.Friedman = &f
	}
}

// against holds the ranked methods against the reference, each on the pictures that it has
// maps of.
func (a *analysis) against(s *scored, tiers []*tier, cells []*Cell) {
	reference := slices.IndexFunc(s.rows, func(r row) bool { return r.name == Reference })
	ranked := s.ranked()
	if !slices.Contains(ranked, reference) {
		return
	}
	var others []int
	var p, gains []float64
	var gained [][]float64
	for _, k := range ranked {
		if k == reference {
			continue
		}
		t := s.shared(tiers, k, reference)
		var d []float64
		for _, row := range t.values {
			d = append(d, better(row[k], row[reference], s.column.Lower))
		}
		w := Wilcoxon(d)
		others, p = append(others, k), append(p, w.P)
		cells[k].Effect, cells[k].Size = round(w.Effect), round(standardised(d))
		gains = append(gains, better(t.means[k], t.means[reference], s.column.Lower))
		gained = append(gained, t.draws.difference(k, reference, s.column.Lower))
	}
	adjusted, intervals := Holm(p), simultaneous(gains, gained, a.options.Level)
	for i, k := range others {
		cells[k].Gain = gain(intervals[i])
		cells[k].P = shortP(adjusted[i])
	}
}

// shortP keeps three significant digits; none is below 1e-99.
func shortP(p float64) float64 {
	if p < 1e-99 {
		return 1e-99
	}
	digits := math.Pow(10, 2-math.Floor(math.Log10(p)))
	return math.Round(p*digits) / digits
}

// all is the mean scores of all pictures over models, NaN where a row has none.
func (s *scored) all(tiers []*tier) [][]float64 {
	out := make([][]float64, len(s.cases))
	for i := range out {
		out[i] = nans(len(s.rows))
	}
	for _, t := range tiers {
		for n, i := range t.which {
			for k := range s.rows {
				if s.there[k] && s.limit(k) == t.pictures {
					out[i][k] = t.values[n][k]
				}
			}
		}
	}
	return out
}
