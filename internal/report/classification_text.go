package report

import (
	"fmt"
	"strings"

	"gaze/pkg/evaluate"
	"gaze/pkg/plots"
	"gaze/pkg/study"
	"gaze/pkg/train"
)

// DiscussClassification is the text under the table and the curves, in Markdown: the
// effect of each change. Every number and comparison in it is computed from the results.
func DiscussClassification(r *study.Result) string {
	parts := []string{rates(r)}
	for _, p := range []struct{ from, to, what string }{
		{Learns, Augmented, "The report's augmentation"},
		{Augmented, Larger, "Larger pictures, in addition,"},
		{Larger, Accumulate, fmt.Sprintf("Gradients accumulated over %d batches, in addition to both,", accumulated(r, Accumulate))},
		{Larger, Scaled, "The same with four times the rate"},
		{Larger, Gentle, "A gentler augmentation instead of the strong one, with a warm-up, a decaying rate and two more epochs,"},
	} {
		e, err := r.Effect(p.from, p.to)
		if err != nil {
			continue // a study without these rows
		}
		parts = append(parts, fmt.Sprintf("**%s** %s%s.", p.what, e, because(r, p.to)))
	}
	parts = append(parts, beginnings(r)...)
	best := r.Best()
	text := fmt.Sprintf("**The best row** by validation is *%s*", best.Name)
	if i, err := evaluate.MeanInterval(best.TestAccuracy()); err == nil {
		text += fmt.Sprintf(": %.1f ± %.1f %% on the test set", 100*i.Value, 100*i.Half())
	} else if i, err := evaluate.MeanInterval(best.BestAccuracy()); err == nil && !r.Tested {
		text += fmt.Sprintf(": %.1f ± %.1f %%, on the %s pictures by which it was chosen, so expect slightly less on others", 100*i.Value, 100*i.Half(), r.TestedOn())
	}
	return strings.Join(append(parts, text+"."), "\n\n")
}

// rates is the paragraph on learning rates.
func rates(r *study.Result) string {
	var list []string
	for _, name := range []string{Crawls, Learns, Collapses} {
		o, err := r.Outcome(name)
		if err != nil {
			continue
		}
		s, err := train.ParseSettings(o.Settings)
		if err != nil {
			continue
		}
		list = append(list, fmt.Sprintf("%g %s", s.Rate, course(o, 100/float64(len(r.Classes)))))
	}
	return "**Learning rate.** On the validation set, " + strings.Join(list, "; ") + "."
}

// accumulated returns the number of batches over which a row accumulates gradients.
func accumulated(r *study.Result, name string) int {
	o, err := r.Outcome(name)
	if err != nil {
		return 1
	}
	s, err := train.ParseSettings(o.Settings)
	if err != nil {
		return 1
	}
	return s.Accumulate
}

// learnt is the fraction of the way from chance to 100 % below which a row has learnt
// almost nothing, for any number of classes.
const learnt = 0.14

// course describes how a row's accuracy develops; chance is in percent.
func course(o study.Outcome, chance float64) string {
	highest := mean(o.Each(func(run study.Run) float64 {
		top := 0.0
		for _, e := range run.Epochs {
			top = max(top, e.Validation.Accuracy)
		}
		return 100 * top
	}))
	start := 100 * mean(o.Each(func(run study.Run) float64 { return run.Epochs[0].Validation.Accuracy }))
	last := 100 * mean(o.LastAccuracy())
	text := fmt.Sprintf("ends at %.1f %%", last)
	switch {
	case highest < chance+learnt*(100-chance):
		return text + fmt.Sprintf(" (chance is %.1f): it learns almost nothing", chance)
	case last < highest/2:
		return text + fmt.Sprintf(", after reaching %.1f %%: it rises and then collapses", highest)
	case highest-last > 5:
		return text + fmt.Sprintf(", after reaching %.1f %%: it rises and falls back", highest)
	case last > 2*start:
		return text + fmt.Sprintf(", from %.1f %% after the first epoch: it is still climbing", start)
	}
	return text
}

// because adds the training accuracy. If it is below the validation accuracy, training
// was too short to show the value of augmentation.
func because(r *study.Result, name string) string {
	o, err := r.Outcome(name)
	if err != nil {
		return ""
	}
	trained := o.Each(func(run study.Run) float64 { return run.Epochs[len(run.Epochs)-1].Train.Accuracy })
	validated := mean(o.LastAccuracy())
	switch t := mean(trained); {
	case t < validated:
		return fmt.Sprintf(" (in its last epoch, %.0f %% of the training pictures were right and %.0f %% of the validation pictures: it was still learning)", 100*t, 100*validated)
	default:
		return fmt.Sprintf(" (in its last epoch, %.0f %% of the training pictures were right and %.0f %% of the validation pictures)", 100*t, 100*validated)
	}
}

// beginnings is the paragraph on the starting models.
func beginnings(r *study.Result) []string {
	var list []string
	for _, name := range []string{Scratch, OwnProbe, RealProbe} {
		if o, err := r.Outcome(name); err == nil {
			list = append(list, fmt.Sprintf("%s reaches %s %%", name, study.Percent(r.Judged(o))))
		}
	}
	if len(list) == 0 {
		return nil
	}
	text := "**Starting point.** On the " + r.TestedOn() + " set, " + strings.Join(list, "; ")
	if o, err := r.Outcome(Learns); err == nil {
		text += fmt.Sprintf("; fine-tuned at the same rate as from scratch, %s %%", study.Percent(r.Judged(o)))
	}
	return []string{text + ". The pretraining used breeds composed of the same parts, so it is closer to this task than ImageNet is to photographs of pets."}
}

func mean(values []float64) float64 {
	sum := 0.0
	for _, v := range values {
		sum += v
	}
	return sum / float64(len(values))
}

// changes lists the pairs of rows between which the report makes a change.
var changes = [][2]string{{Learns, Augmented}, {Augmented, Larger}, {Larger, Accumulate}, {Larger, Scaled}, {Larger, Gentle}}

// Effects returns the effect of each of the report's changes. Changes between rows that
// the study doesn't have are left out; with a single seed there are no effects.
func Effects(r *study.Result) []study.Effect {
	var list []study.Effect
	for _, c := range changes {
		if e, err := r.Effect(c[0], c[1]); err == nil {
			list = append(list, e)
		}
	}
	return list
}

// RateCurves is the chart of the rows that differ in the learning rate.
func RateCurves(r *study.Result) (plots.LineChart, error) {
	return curvesOf(r, Crawls, Learns, Collapses)
}

// ChangeCurves is the chart of the rows that change something else.
func ChangeCurves(r *study.Result) (plots.LineChart, error) {
	return curvesOf(r, Learns, Augmented, Larger, Accumulate, Scaled, Gentle)
}

func curvesOf(r *study.Result, names ...string) (plots.LineChart, error) {
	var there []string
	for _, name := range names {
		if _, err := r.Outcome(name); err == nil {
			there = append(there, name)
		}
	}
	return r.Curves(there...)
}
