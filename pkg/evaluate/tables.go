package evaluate

import (
	"fmt"
	"slices"

	"gaze/pkg/plots"
)

// Table is the report's main numbers.
func (r *Report) Table() plots.Table {
	t := plots.Table{
		Caption: fmt.Sprintf("%d pictures of %d classes%s", r.Pictures, len(r.Classes), r.trainedOn()),
		Columns: []plots.Column{{Name: "measure"}, {Name: "value", Align: plots.AlignRight}, {Name: "95 % interval", Align: plots.AlignRight}},
	}
	share := func(name string, i Interval) {
		t.Rows = append(t.Rows, []any{name, fmt.Sprintf("%.2f %%", 100*i.Value), fmt.Sprintf("%.2f to %.2f %%", 100*i.Low, 100*i.High)})
	}
	share(r.measure(), r.Accuracy)
	if r.Top5 != nil {
		share("among the first five", *r.Top5)
	}
	t.Rows = append(t.Rows,
		[]any{"mean cross entropy", fmt.Sprintf("%.4f", r.Loss), ""},
		[]any{"expected calibration error", fmt.Sprintf("%.4f", r.Calibration.ECE), ""})
	return t
}

// trainedOn is what a caption adds where the classifier was trained on the pictures.
func (r *Report) trainedOn() string {
	if r.Training {
		return ", which it was trained on"
	}
	return ""
}

// ClassTable is every class with pictures, the worst first.
func (r *Report) ClassTable() plots.Table {
	t := plots.Table{
		Caption: r.title() + " of each class",
		Columns: []plots.Column{{Name: "class"}, {Name: "pictures"}, {Name: "right"}, {Name: r.measure() + " %", Format: "%.1f"}, {Name: "95 % interval", Align: plots.AlignRight}, {Name: "precision %", Format: "%.1f"}},
	}
	list := slices.Clone(r.PerClass)
	slices.SortStableFunc(list, byAccuracy)
	for _, c := range list {
		if c.Pictures == 0 {
			continue
		}
		var precision any
		if c.Predicted > 0 {
			precision = 100 * c.Precision.Value
		}
		t.Rows = append(t.Rows, []any{
			ShortName(c.Class), c.Pictures, c.Correct, 100 * c.Accuracy.Value,
			fmt.Sprintf("%.1f to %.1f", 100*c.Accuracy.Low, 100*c.Accuracy.High), precision,
		})
	}
	return t
}

// PairTable is the classes that are most often taken for another one.
func (r *Report) PairTable() plots.Table {
	t := plots.Table{
		Caption: "Most confused classes",
		Columns: []plots.Column{{Name: "class"}, {Name: "taken for"}, {Name: "pictures"}, {Name: "of the class %", Format: "%.1f"}},
	}
	for _, p := range r.Pairs {
		t.Rows = append(t.Rows, []any{r.name(p.True), r.name(p.Predicted), p.Count, 100 * p.Share})
	}
	return t
}
