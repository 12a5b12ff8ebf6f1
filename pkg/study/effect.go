package study

import (
	"fmt"
	"strings"

	"gaze/pkg/evaluate"
	"gaze/pkg/plots"
)

// Effect is what a change does to the accuracy, seed by seed: the same seed has
// the same head to begin with and the same order of pictures.
type Effect struct {
	From, To string            // names of rows
	Points   evaluate.Interval // mean difference in percentage points, with its 95 % interval
	On       string            // the set that it was measured on
	Pictures evaluate.Comparison
}

// judged is the accuracy of each of a row's runs on the test set, without one that of
// its best epoch on the validation set.
func (r *Result) judged(o Outcome) []float64 {
	if r.Data.Test == nil {
		return o.best()
	}
	return o.test()
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
	e := Effect{From: from, To: to, On: r.testedOn()}
	before, after := r.judged(a), r.judged(b)
	differences := make([]float64, len(after))
	var right, rightAfter []bool
	for i := range after {
		differences[i] = 100 * (after[i] - before[i])
		right, rightAfter = append(right, a.Runs[i].Right...), append(rightAfter, b.Runs[i].Right...)
	}
	if e.Points, err = evaluate.MeanInterval(differences); err != nil {
		return Effect{}, err
	}
	if len(right) > 0 {
		e.Pictures, err = evaluate.McNemar(right, rightAfter)
	}
	return e, err
}

// Real tells whether the interval excludes no effect.
func (e Effect) Real() bool { return e.Points.Low > 0 || e.Points.High < 0 }

// String is the effect in a sentence's end: "adds 3.1 points (0.8 to 5.4)".
func (e Effect) String() string {
	span := fmt.Sprintf("%.1f to %.1f", e.Points.Low, e.Points.High)
	switch {
	case !e.Real():
		return fmt.Sprintf("changes %+.1f points (%s): with these seeds that can't be told from nothing", e.Points.Value, span)
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

// EffectTable shows effects, a row for each.
func EffectTable(list []Effect) plots.Table {
	t := plots.Table{
		Caption: "Percentage points of accuracy, paired by seed: mean and 95 % interval",
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

// changes is the report's story, from row to row.
var changes = [][2]string{{Learns, Augmented}, {Augmented, Larger}, {Larger, Accumulate}, {Larger, Scaled}, {Larger, Gentle}}

// Effects is what each change of the report's story does, one on top of the other;
// those of rows that the study hasn't are left out. With one seed there are none.
func (r *Result) Effects() []Effect {
	var list []Effect
	for _, c := range changes {
		if e, err := r.Effect(c[0], c[1]); err == nil {
			list = append(list, e)
		}
	}
	return list
}

// Rates is the curves of the rows that differ in the learning rate.
func (r *Result) Rates() (plots.LineChart, error) { return r.curvesOf(Crawls, Learns, Collapses) }

// Changes is the curves of the rows that change something else.
func (r *Result) Changes() (plots.LineChart, error) {
	return r.curvesOf(Learns, Augmented, Larger, Accumulate, Scaled, Gentle)
}

func (r *Result) curvesOf(names ...string) (plots.LineChart, error) {
	var there []string
	for _, name := range names {
		if _, err := r.Outcome(name); err == nil {
			there = append(there, name)
		}
	}
	return r.Curves(there...)
}
