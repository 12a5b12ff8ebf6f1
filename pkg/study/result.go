package study

import (
	"fmt"
	"math"
	"slices"

	"gaze/pkg/evaluate"
	"gaze/pkg/plots"
	"gaze/pkg/train"
)

// Outcome finds a row by its name.
func (r *Result) Outcome(name string) (Outcome, error) {
	for _, o := range r.Outcomes {
		if o.Name == name {
			return o, nil
		}
	}
	return Outcome{}, fmt.Errorf("study: there is no row %q", name)
}

// Best is the row with the highest mean accuracy on the validation set. The test
// set plays no part in it.
func (r *Result) Best() Outcome {
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

// Table shows how each row is trained and its accuracy, in percent with the 95 %
// interval of the mean over seeds.
func (r *Result) Table() plots.Table {
	seeds := len(r.Outcomes[0].Runs)
	t := plots.Table{
		Caption: fmt.Sprintf("Accuracy in percent: mean of %d seeds ± half its 95 %% interval (Student's t). Best and test: the weights that were best on the validation set.", seeds),
		Columns: []plots.Column{
			{Name: "row"}, {Name: "learning rate", Align: plots.AlignRight}, {Name: "updates", Align: plots.AlignRight},
			{Name: "validation, best", Align: plots.AlignRight}, {Name: "validation, last", Align: plots.AlignRight},
			{Name: "test", Align: plots.AlignRight}, {Name: "s a run", Align: plots.AlignRight, Format: "%.0f"},
		},
	}
	best := r.Best().Name
	for i, o := range r.Outcomes {
		rate, updates := "", 0
		if s, err := train.ParseSettings(o.Settings); err == nil {
			rate = fmt.Sprintf("%g", s.Rate)
		}
		if e := o.Runs[0].Epochs; len(e) > 0 {
			updates = e[len(e)-1].Update
		}
		t.Rows = append(t.Rows, []any{
			o.Name, rate, updates, Percent(o.BestAccuracy()), Percent(o.LastAccuracy()), Percent(o.TestAccuracy()),
			mean(o.Each(func(r Run) float64 { return r.Seconds })),
		})
		if o.Name == best {
			t.Highlight = append(t.Highlight, i)
		}
	}
	return t
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
// of the named rows (of all, if none is named): the mean of the seeds, within the
// band from the lowest to the highest.
func (r *Result) Curves(names ...string) (plots.LineChart, error) {
	chart := plots.LineChart{
		Title: "Accuracy on the validation set", Subtitle: "mean of the seeds; bands reach from the lowest to the highest",
		XLabel: "epoch", YLabel: "accuracy (%)", YMin: 0, YMax: 100,
		Lines: []plots.RefLine{{Value: 100 / float64(len(r.Data.Classes)), Label: "chance"}},
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
		chart.Series = append(chart.Series, o.curve())
	}
	return chart, nil
}

func (o Outcome) curve() plots.Series {
	s := plots.Series{Name: o.Name, Points: true}
	for e := range o.Runs[0].Epochs {
		var values []float64
		for _, run := range o.Runs {
			values = append(values, 100*run.Epochs[e].Validation.Accuracy)
		}
		s.X = append(s.X, float64(e+1))
		s.Y = append(s.Y, mean(values))
		s.Low, s.High = append(s.Low, slices.Min(values)), append(s.High, slices.Max(values))
	}
	return s
}
