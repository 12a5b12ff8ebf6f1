package study

import (
	"fmt"
	"strings"

	"gaze/pkg/evaluate"
	"gaze/pkg/train"
)

// Discuss is the paragraphs under the table and the curves, in Markdown: what each
// change did. Every number and every comparison in it is read from the results, so
// what doesn't show is said not to.
func (r *Result) Discuss() (string, error) {
	parts := []string{r.rates()}
	for _, p := range []struct{ from, to, what string }{
		{Learns, Augmented, "The report's augmentation"},
		{Augmented, Larger, "Larger pictures, on top of it,"},
		{Larger, Accumulate, fmt.Sprintf("Gradients gathered over %d batches, on top of both,", r.gathered(Accumulate))},
		{Larger, Scaled, "The same with four times the rate"},
		{Larger, Gentle, "A gentler augmentation in the strong one's place, with a warm-up, a rate that falls and two epochs more,"},
	} {
		e, err := r.Effect(p.from, p.to)
		if err != nil {
			continue // a study without these rows
		}
		parts = append(parts, fmt.Sprintf("**%s** %s%s.", p.what, e, r.because(p.to)))
	}
	parts = append(parts, r.beginnings()...)
	best := r.Best()
	text := fmt.Sprintf("**The best row** by validation is *%s*", best.Name)
	if i, err := evaluate.MeanInterval(best.test()); err == nil {
		text += fmt.Sprintf(": %.1f ± %.1f %% on the test set", 100*i.Value, 100*i.Half())
	} else if i, err := evaluate.MeanInterval(best.best()); err == nil && r.Data.Test == nil {
		text += fmt.Sprintf(": %.1f ± %.1f %%, on the %s pictures by which it was chosen, so that it is a little less on others", 100*i.Value, 100*i.Half(), r.testedOn())
	}
	return strings.Join(append(parts, text+"."), "\n\n"), nil
}

// rates is the paragraph on learning rates.
func (r *Result) rates() string {
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
		list = append(list, fmt.Sprintf("%g %s", s.Rate, o.course(100/float64(len(r.Data.Classes)))))
	}
	return "**Learning rate.** On the validation set, " + strings.Join(list, "; ") + "."
}

// gathered is how many batches a row gathers gradients over.
func (r *Result) gathered(name string) int {
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

// offTheGround is the part of the way from chance to certainty below which a row has
// learnt next to nothing, with however many classes.
const offTheGround = 0.14

// course is how a row's accuracy goes, in words; chance is in percent.
func (o Outcome) course(chance float64) string {
	highest := mean(o.each(func(run Run) float64 {
		top := 0.0
		for _, e := range run.Epochs {
			top = max(top, e.Validation.Accuracy)
		}
		return 100 * top
	}))
	start := 100 * mean(o.each(func(run Run) float64 { return run.Epochs[0].Validation.Accuracy }))
	last := 100 * mean(o.last())
	text := fmt.Sprintf("ends at %.1f %%", last)
	switch {
	case highest < chance+offTheGround*(100-chance):
		return text + fmt.Sprintf(" (chance is %.1f): it hardly gets off the ground", chance)
	case last < highest/2:
		return text + fmt.Sprintf(", after it had been at %.1f %%: it rises and then collapses", highest)
	case highest-last > 5:
		return text + fmt.Sprintf(", after it had been at %.1f %%: it rises and falls back", highest)
	case last > 2*start:
		return text + fmt.Sprintf(", from %.1f %% after the first epoch: it is still climbing", start)
	}
	return text
}

// because tells whether the training pictures were learnt: augmentation that
// leaves them unlearnt is cut off too early rather than useless.
func (r *Result) because(name string) string {
	o, err := r.Outcome(name)
	if err != nil {
		return ""
	}
	trained := o.each(func(run Run) float64 { return run.Epochs[len(run.Epochs)-1].Train.Accuracy })
	validated := mean(o.last())
	switch t := mean(trained); {
	case t < validated:
		return fmt.Sprintf(" (in its last epoch, %.0f %% of the training pictures were right and %.0f %% of the validation pictures: it was still learning)", 100*t, 100*validated)
	default:
		return fmt.Sprintf(" (in its last epoch, %.0f %% of the training pictures were right and %.0f %% of the validation pictures)", 100*t, 100*validated)
	}
}

// beginnings is the paragraph on what training began with.
func (r *Result) beginnings() []string {
	var list []string
	for _, name := range []string{Scratch, OwnProbe, RealProbe} {
		if o, err := r.Outcome(name); err == nil {
			list = append(list, fmt.Sprintf("%s reaches %s %%", name, percent(r.judged(o))))
		}
	}
	if len(list) == 0 {
		return nil
	}
	text := "**What it begins with.** On the " + r.testedOn() + " set, " + strings.Join(list, "; ")
	if o, err := r.Outcome(Learns); err == nil {
		text += fmt.Sprintf("; fine-tuned at the same rate as from scratch, %s %%", percent(r.judged(o)))
	}
	return []string{text + ". The pretraining was on breeds that are put together from the same parts, so it is closer to this task than ImageNet is to photographs of pets."}
}
