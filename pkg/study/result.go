package study

import (
	"fmt"
	"math"
	"slices"

	"gaze/pkg/evaluate"
	"gaze/pkg/plots"
	"gaze/pkg/train"
)

// Outcome finds a row by its name. Where several models have a row of that name, choose one
// of them with [Result.Of] first: otherwise it is an error.
func (r *Result) Outcome(name string) (Outcome, error) {
	var found []Outcome
	for _, o := range r.Outcomes {
		if o.Name == name {
			found = append(found, o)
		}
	}
	switch len(found) {
	case 0:
		return Outcome{}, fmt.Errorf("study: there is no row %q", name)
	case 1:
		return found[0], nil
	}
	return Outcome{}, fmt.Errorf("study: %d models have a row %q: choose one", len(found), name)
}

// Models are the models of the outcomes, in their order.
func (r *Result) Models() []string {
	var names []string
	for _, o := range r.Outcomes {
		if !slices.Contains(names, o.Model) {
			names = append(names, o.Model)
		}
	}
	return names
}

// Of is the part of the result that is about one model.
func (r *Result) Of(model string) *Result {
	part := *r
	part.Outcomes = slices.DeleteFunc(slices.Clone(r.Outcomes), func(o Outcome) bool { return o.Model != model })
	part.Missing = slices.DeleteFunc(slices.Clone(r.Missing), func(m Missing) bool { return m.Model != model })
	return &part
}

// Best is the row with the highest mean accuracy on the validation set. The test
// set plays no part in it. Without outcomes it has no runs.
func (r *Result) Best() Outcome {
	if len(r.Outcomes) == 0 {
		return Outcome{}
	}
	best := r.Outcomes[0]
	for _, o := range r.Outcomes[1:] {
		if mean(o.BestAccuracy()) > mean(best.BestAccuracy()) {
			best = o
		}
	}
	return best
}

// Median is the run whose best validation accuracy is the median of the row's,
// the lower one of two: the run to show when one is shown.
func (o Outcome) Median() Run {
	runs := slices.Clone(o.Runs)
	slices.SortStableFunc(runs, func(a, b Run) int { return a.Best.Correct - b.Best.Correct })
	return runs[(len(runs)-1)/2]
}

// BestAccuracy is each run's best accuracy on the validation set.
func (o Outcome) BestAccuracy() []float64 {
	return o.Each(func(r Run) float64 { return r.Best.Accuracy })
}

// LastAccuracy is each run's accuracy on the validation set after the last epoch.
func (o Outcome) LastAccuracy() []float64 {
	return o.Each(func(r Run) float64 { return r.Last.Accuracy })
}

// TestAccuracy is the accuracy of each run on the test set; NaN without one.
func (o Outcome) TestAccuracy() []float64 {
	return o.Each(func(r Run) float64 {
		if r.Test == nil {
			return math.NaN()
		}
		return r.Test.Accuracy.Value
	})
}

// Each returns of(run) for each run.
func (o Outcome) Each(of func(Run) float64) []float64 {
	list := make([]float64, len(o.Runs))
	for i, r := range o.Runs {
		list[i] = of(r)
	}
	return list
}

// Table shows how each row is trained and its accuracy in percent: the mean over its seeds
// with half its 95 % interval; of a row with a single run, its share of right pictures with
// the interval that follows from their number. A column for what is the same in all rows is
// left out.
func (r *Result) Table() plots.Table {
	seeds, models := r.seeds(), len(r.Models()) > 1
	t := plots.Table{Caption: r.caption(seeds)}
	if models {
		t.Columns = append(t.Columns, plots.Column{Name: "model"})
	}
	t.Columns = append(t.Columns,
		plots.Column{Name: "row"}, plots.Column{Name: "learning rate", Align: plots.AlignRight}, plots.Column{Name: "updates", Align: plots.AlignRight},
		plots.Column{Name: "validation, best", Align: plots.AlignRight}, plots.Column{Name: "validation, last", Align: plots.AlignRight},
		plots.Column{Name: r.testName(), Align: plots.AlignRight}, plots.Column{Name: "s a run", Align: plots.AlignRight, Format: "%.0f"})
	if seeds == 0 {
		t.Columns = append(t.Columns, plots.Column{Name: "seeds", Align: plots.AlignRight})
	}
	best := r.Best().Title()
	for i, o := range r.Outcomes {
		row := o.cells()
		if models {
			row = append([]any{o.Model}, row...)
		}
		if seeds == 0 {
			row = append(row, len(o.Runs))
		}
		t.Rows = append(t.Rows, row)
		if o.Title() == best {
			t.Highlight = append(t.Highlight, i)
		}
	}
	return t
}

// testName is the head of the column for the pictures that runs are tested on.
func (r *Result) testName() string {
	if r.Tested {
		return r.Judge
	}
	return "test"
}

// seeds is how many runs every row has; 0 if that differs.
func (r *Result) seeds() int {
	n := 0
	for i, o := range r.Outcomes {
		if i > 0 && len(o.Runs) != n {
			return 0
		}
		n = len(o.Runs)
	}
	return n
}

// caption says what the numbers of the table are.
func (r *Result) caption(seeds int) string {
	means := "mean of the seeds"
	switch {
	case seeds > 1:
		means = fmt.Sprintf("mean of %d seeds", seeds)
	case seeds == 1:
		return "Accuracy in percent of one run, with the 95 % interval of its share of right pictures (Wilson). Best and " + r.testName() + ": the weights that were best on the validation set."
	}
	text := fmt.Sprintf("Accuracy in percent: %s ± half its 95 %% interval (Student's t). Best and %s: the weights that were best on the validation set.", means, r.testName())
	if seeds == 0 {
		text += " Of a single run, in brackets: the interval of its share of right pictures (Wilson)."
	}
	return text
}

// cells are the outcome's row of the table.
func (o Outcome) cells() []any {
	rate, updates := "", 0
	if s, err := train.ParseSettings(o.Settings); o.Kind == Trains && err == nil {
		rate = fmt.Sprintf("%g", s.Rate)
	} else if o.Kind == Neighbours {
		rate = fmt.Sprintf("k=%d", o.Runs[0].Neighbours)
	}
	if e := o.Runs[0].Epochs; len(e) > 0 {
		updates = e[len(e)-1].Update
	}
	return []any{
		o.Name, rate, updates,
		o.percent(func(r Run) (int, int) { return r.Best.Correct, r.Best.Total }),
		o.percent(func(r Run) (int, int) { return r.Last.Correct, r.Last.Total }),
		o.percent(func(r Run) (int, int) {
			if r.Test == nil {
				return 0, 0
			}
			return r.Test.Correct, r.Test.Pictures
		}),
		mean(o.Each(func(r Run) float64 { return r.Seconds })),
	}
}

// percent writes the share of right answers, from how many of how many each run has right.
func (o Outcome) percent(of func(Run) (correct, total int)) string {
	if len(o.Runs) == 1 {
		correct, total := of(o.Runs[0])
		if total == 0 {
			return "–"
		}
		i := evaluate.Wilson(correct, total)
		return fmt.Sprintf("%.1f (%.1f to %.1f)", 100*i.Value, 100*i.Low, 100*i.High)
	}
	return Percent(o.Each(func(r Run) float64 {
		correct, total := of(r)
		return float64(correct) / float64(total)
	}))
}

// Percent writes a mean and half its 95 % interval, in percent.
func Percent(values []float64) string {
	i, err := evaluate.MeanInterval(values)
	switch {
	case err == nil:
		return fmt.Sprintf("%.1f ± %.1f", 100*i.Value, 100*i.Half())
	case len(values) == 1 && !math.IsNaN(values[0]):
		return fmt.Sprintf("%.1f", 100*values[0])
	}
	return "–"
}

func mean(values []float64) float64 {
	sum := 0.0
	for _, v := range values {
		sum += v
	}
	return sum / float64(len(values))
}

// Curves is the accuracy on the validation set after each epoch, a line for each
// of the named rows (of all, if none is named) that have epochs: the mean of the seeds, within the
// band from the lowest to the highest.
func (r *Result) Curves(names ...string) (plots.LineChart, error) {
	return r.curves("Accuracy on the validation set", func(e train.EpochMetrics) float64 { return e.Validation.Accuracy }, names)
}

// TrainingCurves is like Curves, of the accuracy on the training pictures in each epoch, as
// they were shown: augmented, and each batch before the step that it is for.
func (r *Result) TrainingCurves(names ...string) (plots.LineChart, error) {
	return r.curves("Accuracy on the training pictures", func(e train.EpochMetrics) float64 { return e.Train.Accuracy }, names)
}

func (r *Result) curves(title string, of func(train.EpochMetrics) float64, names []string) (plots.LineChart, error) {
	chart := plots.LineChart{
		Title: title, Subtitle: "mean of the seeds; bands reach from the lowest to the highest",
		XLabel: "epoch", WholeX: true, YLabel: "accuracy (%)", YMin: 0, YMax: 100,
		Lines: []plots.RefLine{{Value: 100 / float64(len(r.Classes)), Label: "chance"}},
	}
	if len(names) == 0 {
		for _, o := range r.Outcomes {
			names = append(names, o.Name)
		}
	}
	for _, name := range names {
		o, err := r.Outcome(name)
		if err != nil {
			return chart, err
		}
		if len(o.Runs[0].Epochs) > 0 {
			chart.Series = append(chart.Series, o.curve(of))
		}
	}
	return chart, nil
}

func (o Outcome) curve(of func(train.EpochMetrics) float64) plots.Series {
	s := plots.Series{Name: o.Name, Points: true}
	for e := range o.Runs[0].Epochs {
		var values []float64
		for _, run := range o.Runs {
			values = append(values, 100*of(run.Epochs[e]))
		}
		s.X = append(s.X, float64(e+1))
		s.Y = append(s.Y, mean(values))
		s.Low, s.High = append(s.Low, slices.Min(values)), append(s.High, slices.Max(values))
	}
	return s
}
