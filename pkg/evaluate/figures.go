package evaluate

import (
	"cmp"
	"fmt"
	"image"
	"slices"
	"strings"

	"gaze/pkg/plots"
)

// maxShown is the number of classes that a figure shows: with more, their
// names would be too small to read.
const maxShown = 60

// ShortName is a class's name for a figure: what stands before a colon, its middle
// left out if it is longer than 22 characters.
func ShortName(name string) string {
	name, _, _ = strings.Cut(name, ":")
	runes := []rune(strings.TrimSpace(name))
	if len(runes) > 22 {
		return strings.TrimSpace(string(runes[:12])) + "…" + strings.TrimSpace(string(runes[len(runes)-9:]))
	}
	return string(runes)
}

func (r *Report) name(class int) string { return ShortName(r.Classes[class]) }

// ConfusionFigure is the confusion matrix, its classes ordered by similarity; of
// more than 60 classes, those 60 with the most mistakes.
func (r *Report) ConfusionFigure() plots.Confusion {
	m := plots.Confusion{
		Title:    "Which classes are taken for which",
		Subtitle: fmt.Sprintf("%d pictures%s, %s right; similar classes side by side", r.Pictures, r.trainedOn(), r.Accuracy.Percent()),
	}
	shown := r.Order
	if len(shown) > maxShown {
		m.Title = fmt.Sprintf("The %d classes with the most mistakes, of %d", maxShown, len(shown))
		shown = r.mistaken(maxShown)
	}
	for _, i := range shown {
		row := make([]int, len(shown))
		for at, j := range shown {
			row[at] = r.Confusion[i][j]
		}
		m.Counts, m.Names = append(m.Counts, row), append(m.Names, r.name(i))
	}
	return m
}

// mistaken is the n classes with the most mistakes, those of their own pictures
// and those of others taken for them, ordered by similarity.
func (r *Report) mistaken(n int) []int {
	mistakes := func(class int) int {
		c := r.PerClass[class]
		return c.Pictures + c.Predicted - 2*c.Correct
	}
	worst := slices.Clone(r.Order)
	slices.SortStableFunc(worst, func(a, b int) int { return cmp.Compare(mistakes(b), mistakes(a)) })
	worst = worst[:n]
	return slices.DeleteFunc(slices.Clone(r.Order), func(class int) bool { return !slices.Contains(worst, class) })
}

// ReliabilityFigure is the accuracy of each bin of calibration over its mean
// confidence, with 95 % intervals: on the diagonal, probabilities can be taken at
// their word.
func (r *Report) ReliabilityFigure() plots.LineChart {
	bins := plots.Series{Name: r.measure() + ", 95 % interval", Points: true}
	for _, b := range r.Calibration.Bins {
		if b.Pictures > 0 {
			bins.X, bins.Y = append(bins.X, b.Confidence), append(bins.Y, b.Accuracy.Value)
			bins.Low, bins.High = append(bins.Low, b.Accuracy.Low), append(bins.High, b.Accuracy.High)
		}
	}
	share := plots.Series{Name: "share of the pictures", Points: true, Dashed: true}
	for _, b := range r.Calibration.Bins {
		share.X, share.Y = append(share.X, (b.From+b.To)/2), append(share.Y, float64(b.Pictures)/float64(r.Pictures))
	}
	return plots.LineChart{
		Series:   []plots.Series{bins, share, {Name: "as sure as right", X: []float64{0, 1}, Y: []float64{0, 1}, Dashed: true}},
		Title:    "How far the probabilities can be believed",
		Subtitle: fmt.Sprintf("expected calibration error %.3f, largest gap %.3f, %d bins, %d pictures%s", r.Calibration.ECE, r.Calibration.MCE, len(r.Calibration.Bins), r.Pictures, r.trainedOn()),
		XLabel:   "Probability of the predicted class", YLabel: "Share that is right",
		XMin: 0, XMax: 1, YMin: 0, YMax: 1, Width: 420, Height: 360,
	}
}

// ClassFigure is the accuracy of every class that has pictures, the worst first,
// in percent; of more than 60 classes, the worst 60.
func (r *Report) ClassFigure() plots.BarChart {
	worst := slices.DeleteFunc(slices.Clone(r.PerClass), func(c ClassResult) bool { return c.Pictures == 0 })
	slices.SortStableFunc(worst, byAccuracy)
	chart := plots.BarChart{
		Title: r.title() + " of each class", Subtitle: fmt.Sprintf("of all pictures %s right", r.Accuracy.Percent()),
		ValueLabel: "Right, in percent of its pictures", Horizontal: true, Max: 108, // room for the last number
		Format: func(v float64) string { return fmt.Sprintf("%.0f", v) }, Series: []plots.Bars{{}},
	}
	if len(worst) > maxShown {
		chart.Title = fmt.Sprintf("%s of the worst %d of %d classes", r.title(), maxShown, len(worst))
		worst = worst[:maxShown]
	}
	for _, c := range worst {
		chart.Names = append(chart.Names, ShortName(c.Class))
		chart.Series[0].Values = append(chart.Series[0].Values, 100*c.Accuracy.Value)
	}
	return chart
}

// byAccuracy orders the worst first, of equals the one with more pictures.
func byAccuracy(a, b ClassResult) int {
	return cmp.Or(cmp.Compare(a.Accuracy.Value, b.Accuracy.Value), cmp.Compare(b.Pictures, a.Pictures))
}

// LossesFigure is the pictures that were classified worst, at most the given
// number: what each is taken for and is, and both probabilities. picture gives the
// picture with an index in the predictions. Without a mistake there is no figure,
// which is an error.
func (r *Report) LossesFigure(most int, picture func(index int) (image.Image, error)) (plots.Grid, error) {
	list := r.TopLosses[:min(len(r.TopLosses), max(most, 0))]
	if len(list) == 0 {
		return plots.Grid{}, fmt.Errorf("evaluate: no picture was classified wrongly")
	}
	const columns = 4
	grid := plots.Grid{
		Title:    "Where the model is most wrong",
		Subtitle: "the class it said, then the true one, with their probabilities; the greatest loss first",
		Scale:    plots.Scale{NoBar: true},
	}
	for i, loss := range list {
		im, err := picture(loss.Index)
		if err != nil {
			return plots.Grid{}, err
		}
		if i%columns == 0 {
			grid.Panels = append(grid.Panels, nil)
		}
		row := &grid.Panels[len(grid.Panels)-1]
		*row = append(*row, plots.Panel{
			Title: fmt.Sprintf("%s (%s), not %s (%s)",
				r.name(loss.Predicted), percent(loss.Probability), r.name(loss.True), percent(loss.TrueProbability)),
			Picture: im,
		})
	}
	return grid, nil
}

// percent is a probability, short.
func percent(p float64) string {
	if p < 0.01 {
		return "<1 %"
	}
	return fmt.Sprintf("%.0f %%", 100*p)
}
