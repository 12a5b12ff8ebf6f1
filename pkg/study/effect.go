package study

import (
	"fmt"
	"slices"
	"strings"

	"gaze/pkg/evaluate"
	"gaze/pkg/plots"
)

// Effect is what a change does to the accuracy, seed by seed: the same seed has
// the same head to begin with and the same order of pictures.
type Effect struct {
	From, To string            // names of rows
	Points   evaluate.Interval // mean difference in percentage points, with its 95 % interval
	Seeds    int               // that both rows have; with one, the interval is that of the same pictures judged twice
	On       string            // the set that it was measured on
	Pictures evaluate.Comparison
}

// Judged is the accuracy of each of a row's runs on the test set, without one that of
// its best epoch on the validation set.
func (r *Result) Judged(o Outcome) []float64 {
	if !r.Tested {
		return o.BestAccuracy()
	}
	return o.TestAccuracy()
}

// Effect compares two rows on the test set, without one on the validation set.
func (r *Result) Effect(from, to string) (Effect, error) {
	a, err := r.Outcome(from)
	if err != nil {
		return Effect{}, err
	}
	b, err := r.Outcome(to)
	if err != nil {
		return Effect{}, err
	}
	e := Effect{From: from, To: to, On: r.TestedOn()}
	a, b = sameSeeds(a, b)
	before, after := r.Judged(a), r.Judged(b)
	differences := make([]float64, len(after))
	var right, rightAfter []bool
	for i := range after {
		differences[i] = 100 * (after[i] - before[i])
		right, rightAfter = append(right, a.Runs[i].Right...), append(rightAfter, b.Runs[i].Right...)
	}
	if len(right) > 0 {
		if e.Pictures, err = evaluate.McNemar(right, rightAfter); err != nil {
			return Effect{}, err
		}
	}
	if e.Seeds = len(after); e.Seeds == 1 && len(right) > 0 {
		d := e.Pictures.Difference()
		e.Points = evaluate.Interval{Value: 100 * d.Value, Low: 100 * d.Low, High: 100 * d.High}
		return e, nil
	}
	e.Points, err = evaluate.MeanInterval(differences)
	return e, err
}

// sameSeeds are the runs of two rows whose seeds both have.
func sameSeeds(a, b Outcome) (Outcome, Outcome) {
	x, y := Outcome{Row: a.Row}, Outcome{Row: b.Row}
	for _, run := range a.Runs {
		if i := slices.IndexFunc(b.Runs, func(other Run) bool { return other.Seed == run.Seed }); i >= 0 {
			x.Runs, y.Runs = append(x.Runs, run), append(y.Runs, b.Runs[i])
		}
	}
	return x, y
}

// Real tells whether the interval excludes no effect.
func (e Effect) Real() bool { return e.Points.Low > 0 || e.Points.High < 0 }

// String is the effect in a sentence's end: "adds 3.1 points (0.8 to 5.4)".
func (e Effect) String() string {
	span := fmt.Sprintf("%.1f to %.1f", e.Points.Low, e.Points.High)
	switch {
	case !e.Real():
		with := "these seeds"
		if e.Seeds == 1 {
			with = "these pictures"
		}
		return fmt.Sprintf("changes %+.1f points (%s): with %s that can't be told from nothing", e.Points.Value, span, with)
	case e.Points.Value > 0:
		return fmt.Sprintf("adds %.1f points (%s)", e.Points.Value, span)
	}
	return fmt.Sprintf("costs %.1f points (%.1f to %.1f)", -e.Points.Value, -e.Points.High, -e.Points.Low)
}

// Steps is the effects of going from each of the named rows to the next.
func (r *Result) Steps(names ...string) ([]Effect, error) {
	var list []Effect
	for i := 1; i < len(names); i++ {
		e, err := r.Effect(names[i-1], names[i])
		if err != nil {
			return nil, err
		}
		list = append(list, e)
	}
	return list, nil
}

// effectCaption says how the effects are paired.
func effectCaption(list []Effect) string {
	one := func(e Effect) bool { return e.Seeds == 1 }
	switch {
	case !slices.ContainsFunc(list, one):
		return "Percentage points of accuracy, paired by seed: mean and 95 % interval"
	case !slices.ContainsFunc(list, func(e Effect) bool { return !one(e) }):
		return "Percentage points of accuracy of one run each, paired by picture, with the 95 % interval"
	}
	return "Percentage points of accuracy with the 95 % interval: paired by seed, or by picture where a row has a single run"
}

// EffectTable shows effects, a row for each.
func EffectTable(list []Effect) plots.Table {
	t := plots.Table{
		Caption: effectCaption(list),
		Columns: []plots.Column{
			{Name: "from"}, {Name: "to"}, {Name: "points", Align: plots.AlignRight, Format: "%+.1f"},
			{Name: "95 % interval", Align: plots.AlignRight}, {Name: "reading"},
		},
	}
	for _, e := range list {
		reading := "can't be told from nothing"
		if e.Real() {
			reading = strings.Fields(e.String())[0]
		}
		t.Rows = append(t.Rows, []any{e.From, e.To, e.Points.Value, fmt.Sprintf("%+.1f to %+.1f", e.Points.Low, e.Points.High), reading})
	}
	return t
}
