package report

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"gaze/pkg/evaluate"
	"gaze/pkg/plots"
	"gaze/pkg/study"
	"gaze/pkg/train"
)

// What the report did with B_16_imagenet1k, and what it found.
const (
	reportRate     = 1e-6 // at which it reached reportGood
	reportTooHigh  = 1e-4 // at which training collapsed
	reportGood     = 89.0 // percent
	reportGainLow  = 2.0  // points by augmentation, larger pictures and accumulation
	reportGainHigh = 3.0
	reportBest     = 94.0
	reportEpochs   = 5
	reportSize     = 224
	reportLarger   = 256
	reportPictures = 3680
	reportBatch    = 16
)

// mark is a published accuracy on the Oxford-IIIT Pet set.
type mark struct {
	model, how string
	percent    float64
	above      bool
}

var marks = []mark{
	{"the report: ViT-B/16", "fine-tuned", reportBest, true},
	{"Dosovitskiy et al. 2020: Vision Transformer", "fine-tuned", 94.4, false},
	{"Oquab et al. 2023: DINOv2 ViT-S/14", "linear probe", 95.1, false},
	{"Tan and Le 2019: EfficientNet-B7", "fine-tuned", 95.4, false},
}

// MarksTable is the best row of every model beside the published accuracies.
func MarksTable(r *study.Result) plots.Table {
	t := plots.Table{
		Caption: fmt.Sprintf("Accuracy in percent on %s (%s pictures), beside published accuracies on the official test pictures", r.Judge, count(judged(r))),
		Columns: []plots.Column{{Name: "model"}, {Name: "how"}, {Name: "accuracy %", Align: plots.AlignRight}},
	}
	for _, model := range r.Models() {
		part := r.Of(model)
		best := part.Best()
		t.Highlight = append(t.Highlight, len(t.Rows))
		t.Rows = append(t.Rows, []any{"here: " + nameOf(model), best.Name, interval(part, best)})
	}
	for _, m := range marks {
		text := fmt.Sprintf("%.1f", m.percent)
		if m.above {
			text = fmt.Sprintf("> %g", m.percent)
		}
		t.Rows = append(t.Rows, []any{m.model, m.how, text})
	}
	return t
}

func judged(r *study.Result) int {
	if r.Tested {
		return r.Parts.Test
	}
	return r.Parts.Validation
}

func count(n int) string {
	if n < 1000 {
		return fmt.Sprint(n)
	}
	return fmt.Sprintf("%d,%03d", n/1000, n%1000)
}

func nameOf(model string) string {
	if model == "" {
		return "the model"
	}
	return model
}

// accuracyOf is a row's accuracy in percent with its interval: over seeds, or of a single run's
// pictures.
func accuracyOf(r *study.Result, o study.Outcome) evaluate.Interval {
	if i, err := evaluate.MeanInterval(r.Judged(o)); err == nil {
		return evaluate.Interval{Value: 100 * i.Value, Low: 100 * max(i.Low, 0), High: 100 * min(i.High, 1)}
	}
	i := o.Runs[0].Report.Accuracy
	return evaluate.Interval{Value: 100 * i.Value, Low: 100 * i.Low, High: 100 * i.High}
}

func interval(r *study.Result, o study.Outcome) string {
	i := accuracyOf(r, o)
	return fmt.Sprintf("%.1f (%.1f to %.1f)", i.Value, i.Low, i.High)
}

// IntroducePets says what the recorded study is: pictures, models, processor, and what was
// shortened, or is missing.
func IntroducePets(r *study.Result) string {
	text := fmt.Sprintf("%s pictures of %d breeds to train on, %s to choose by, %s (%s) to judge by. Models: %s. Trained on %s.",
		count(r.Parts.Train), len(r.Classes), count(r.Parts.Validation), count(judged(r)), r.Judge, strings.Join(r.Models(), ", "), deviceText(r.Device))
	for _, note := range r.Notes {
		text += "\n- " + note
	}
	if len(r.Missing) > 0 {
		var list []string
		for _, m := range r.Missing {
			list = append(list, fmt.Sprintf("%s, seed %d (%s)", study.Row{Name: m.Row, Model: m.Model}.Title(), m.Seed, m.Why))
		}
		text += "\n- missing: " + strings.Join(list, "; ")
	}
	return strings.Replace(text, "\n-", "\n\n-", 1)
}

// pjrt matches how go-xla describes a plugin: its file, its version and more.
var pjrt = regexp.MustCompile(`^xla:(\S+) - PJRT .*? (v[\d.]+)\b.*?((?:; .*)?)$`)

// deviceText is a record's backend and processor in words; go-xla's description has file
// names, whose underscores Markdown would read as emphasis.
func deviceText(device string) string {
	m := pjrt.FindStringSubmatch(device)
	if m == nil {
		return device
	}
	where := "a plugin"
	switch {
	case strings.Contains(m[1], "cpu"):
		where = "the CPU"
	case strings.Contains(m[1], "cuda"), strings.Contains(m[1], "gpu"):
		where = "the GPU"
	}
	return "XLA on " + where + " (PJRT " + m[2] + ")" + strings.Replace(m[3], "; ", ", ", 1)
}

// fineTuned are the models that have rows of learning rates.
func fineTuned(r *study.Result) []string {
	return slices.DeleteFunc(r.Models(), func(model string) bool { return len(rateRows(r.Of(model))) == 0 })
}

// rateRow is a row that only has a learning rate of its own.
type rateRow struct {
	study.Outcome
	rate float64
}

// rateRows are the rows of a model's learning rates, ascending.
func rateRows(r *study.Result) []rateRow {
	var list []rateRow
	for _, o := range r.Outcomes {
		if s, err := train.ParseSettings(o.Settings); err == nil && o.Kind == study.Trains && o.Name == RateName(s.Rate) {
			list = append(list, rateRow{o, s.Rate})
		}
	}
	slices.SortFunc(list, func(a, b rateRow) int { return cmp.Compare(a.rate, b.rate) })
	return list
}

// bestRate is the row of the rate that is best by validation.
func bestRate(rows []rateRow) rateRow {
	best := rows[0]
	for _, row := range rows[1:] {
		if mean(row.BestAccuracy()) > mean(best.BestAccuracy()) {
			best = row
		}
	}
	return best
}

// PetsCurves are, for each fine-tuned model, the validation curves of its learning rates, and
// the validation and training curves of its changes.
func PetsCurves(r *study.Result) ([]plots.LineChart, error) {
	var charts []plots.LineChart
	for _, model := range fineTuned(r) {
		part := r.Of(model)
		rows := rateRows(part)
		var rates []string
		for _, row := range rows {
			rates = append(rates, row.Name)
		}
		changed := []string{base(part, rows).Name}
		for _, name := range []string{Augmented, Larger, Accumulate, LastBlocks, LayerwiseDecay, BestSetting} {
			if _, err := part.Outcome(name); err == nil {
				changed = append(changed, name)
			}
		}
		for _, c := range []struct {
			what  string
			draw  func(names ...string) (plots.LineChart, error)
			names []string
		}{
			{"learning rates, on pictures to validate", part.Curves, rates},
			{"changes, on pictures to validate", part.Curves, changed},
			{"changes, on pictures to train", part.TrainingCurves, changed},
		} {
			chart, err := c.draw(c.names...)
			if err != nil {
				return nil, err
			}
			chart.Title = nameOf(model) + ": " + c.what
			charts = append(charts, chart)
		}
	}
	return charts, nil
}

// base is the rate's row that the changes begin from: that with the rate of Augmented, or the
// best.
func base(r *study.Result, rows []rateRow) rateRow {
	if o, err := r.Outcome(Augmented); err == nil {
		if s, err := train.ParseSettings(o.Settings); err == nil {
			for _, row := range rows {
				if row.rate == s.Rate {
					return row
				}
			}
		}
	}
	return bestRate(rows)
}

// PetsEffects are the effects of the changes of every fine-tuned model.
func PetsEffects(r *study.Result) []study.Effect {
	var list []study.Effect
	for _, model := range fineTuned(r) {
		part := r.Of(model)
		from := base(part, rateRows(part)).Name
		for _, c := range append(addedChanges(part, from), [2]string{from, LastBlocks}, [2]string{from, LayerwiseDecay}, [2]string{from, BestSetting}) {
			if e, err := part.Effect(c[0], c[1]); err == nil {
				e.From, e.To = study.Row{Name: e.From, Model: model}.Title(), study.Row{Name: e.To, Model: model}.Title()
				list = append(list, e)
			}
		}
	}
	return list
}

// addedChanges are the report's changes, each added to the one before, as far as the study has
// rows of them: pairs of a row and the next, beginning with the row from.
func addedChanges(r *study.Result, from string) [][2]string {
	var list [][2]string
	for _, name := range []string{Augmented, Larger, Accumulate} {
		if _, err := r.Outcome(name); err == nil {
			list = append(list, [2]string{from, name})
			from = name
		}
	}
	return list
}

// DiscussPets is what the study says of the report's results, in Markdown: what reproduces,
// what doesn't, and why. Every number in it is computed from the results.
func DiscussPets(r *study.Result) string {
	var parts []string
	for _, model := range fineTuned(r) {
		part := r.Of(model)
		list := []string{goodRate(part), collapse(part), gain(part), bestOf(part)}
		parts = append(parts, "**"+nameOf(model)+".**\n\n- "+strings.Join(slices.DeleteFunc(list, func(s string) bool { return s == "" }), "\n- "))
	}
	if text := frozenFeatures(r); text != "" {
		parts = append(parts, text)
	}
	return strings.Join(parts, "\n\n")
}

// reaches says how an interval stands to a number of the report.
func reaches(i evaluate.Interval, want float64) string {
	switch {
	case i.Low > want:
		return "more than that"
	case i.High >= want:
		return "which agrees with it"
	}
	return fmt.Sprintf("%.1f points less", want-i.Value)
}

// goodRate compares the rate that works with the report's.
func goodRate(r *study.Result) string {
	rows := rateRows(r)
	best := bestRate(rows)
	got := accuracyOf(r, best.Outcome)
	text := fmt.Sprintf("*A good rate.* The report reached %g %% with Adam at %s. Here the best rate is %s: %.1f %% (%.1f to %.1f), %s.",
		reportGood, rateText(reportRate), rateText(best.rate), got.Value, got.Low, got.High, reaches(got, reportGood))
	for _, row := range rows {
		if row.rate == reportRate && row.Name != best.Name {
			text += fmt.Sprintf(" The report's own rate %s: it makes %s updates of about %s each, the report's run made %s.",
				course(row.Outcome, 100/float64(len(r.Classes))), count(updates(row.Outcome)), rateText(reportRate), count(reportPictures*reportEpochs/reportBatch))
		}
	}
	if probe, err := r.Outcome(OwnProbe); err == nil {
		text += fmt.Sprintf(" Its features alone reach %s %% (linear probe)", interval(r, probe))
		if p := accuracyOf(r, probe); p.High < reportGood && got.High < reportGood {
			text += ": what the model knew before is a lower bar than the report's"
		}
		text += "."
	}
	return text
}

// updates of a row's first run.
func updates(o study.Outcome) int {
	if e := o.Runs[0].Epochs; len(e) > 0 {
		return e[len(e)-1].Update
	}
	return 0
}

// collapse says from which rate training breaks down.
func collapse(r *study.Result) string {
	const clearlyBelow = 10.0 // points, from which on a rate is called too high
	rows, best := rateRows(r), 0.0
	for _, row := range rows {
		best = max(best, mean(row.LastAccuracy()))
	}
	var at []string
	report, tried := false, false
	for _, row := range rows {
		down := row.rate > bestRate(rows).rate && mean(row.LastAccuracy()) < best/2
		if row.rate == reportTooHigh {
			report, tried = down, true
		}
		if down {
			at = append(at, fmt.Sprintf("%s (%.1f %% after the last epoch)", rateText(row.rate), 100*mean(row.LastAccuracy())))
		}
	}
	for _, m := range r.Missing {
		if strings.HasPrefix(m.Row, "Adam ") && m.Why != "not finished" {
			at = append(at, strings.TrimPrefix(m.Row, "Adam ")+" (the loss became NaN)")
		}
	}
	text := fmt.Sprintf("*The collapse.* In the report, %s was too high.", rateText(reportTooHigh))
	switch {
	case report:
		text += " It is here, too: training collapses at " + strings.Join(at, " and ") + "."
	case len(at) > 0 && tried:
		text += fmt.Sprintf(" Here it isn't: training collapses at %s. The runs here make %s updates, the report's made %s: too high a rate has less time to do damage.",
			strings.Join(at, " and "), count(updates(rows[0].Outcome)), count(reportPictures*reportEpochs/reportBatch))
	case len(at) > 0:
		text += " Here, training collapses at " + strings.Join(at, " and ") + "."
	default:
		last := rows[len(rows)-1]
		text += fmt.Sprintf(" None of the rates here (up to %s) makes training collapse.", rateText(last.rate))
		if below := 100 * (best - mean(last.LastAccuracy())); below >= clearlyBelow {
			text += fmt.Sprintf(" But %s is too high: it ends %.1f points below the best.", rateText(last.rate), below)
		}
	}
	return text
}

// gain compares augmentation, larger pictures and accumulation with the report's gain.
func gain(r *study.Result) string {
	from := base(r, rateRows(r)).Name
	e, err := r.Effect(from, Accumulate)
	if err != nil {
		return ""
	}
	verdict := "which agrees with it"
	switch {
	case e.Points.High < reportGainLow:
		verdict = "less than that"
	case e.Points.Low > reportGainHigh:
		verdict = "more than that"
	}
	did := "all three together"
	if _, err := r.Outcome(Larger); err != nil {
		did = "augmentation and accumulation, without larger pictures,"
	}
	text := fmt.Sprintf("*Augmentation, larger pictures, accumulation* added %g to %g points in the report. Here %s come to %+.1f points (%+.1f to %+.1f), %s", reportGainLow, reportGainHigh, did, e.Points.Value, e.Points.Low, e.Points.High, verdict)
	var steps []string
	for _, c := range addedChanges(r, from) {
		if step, err := r.Effect(c[0], c[1]); err == nil {
			steps = append(steps, fmt.Sprintf("%s %+.1f (%+.1f to %+.1f)", strings.TrimPrefix(c[1], "+ "), step.Points.Value, step.Points.Low, step.Points.High))
		}
	}
	if len(steps) > 0 {
		text += ": " + strings.Join(steps, ", ")
	}
	if o, err := r.Outcome(Accumulate); err == nil {
		text += fmt.Sprintf(". Accumulation leaves %s updates of %s", count(updates(o)), count(updates(base(r, rateRows(r)).Outcome)))
		text += because(r, Accumulate)
	}
	return text + "."
}

// bestOf compares the best row with the report's best.
func bestOf(r *study.Result) string {
	best := r.Best()
	got := accuracyOf(r, best)
	return fmt.Sprintf("*The best.* The report ended above %g %%. Here the best row by validation is *%s*: %.1f %% (%.1f to %.1f), %s.", reportBest, best.Name, got.Value, got.Low, got.High, reaches(got, reportBest))
}

// frozenFeatures compares the models by their features.
func frozenFeatures(r *study.Result) string {
	var list []string
	for _, model := range r.Models() {
		part := r.Of(model)
		var scores []string
		for _, name := range []string{OwnProbe, NearestRow} {
			if o, err := part.Outcome(name); err == nil {
				scores = append(scores, fmt.Sprintf("%s %s %%", name, interval(part, o)))
			}
		}
		if len(scores) > 0 {
			list = append(list, fmt.Sprintf("%s: %s", nameOf(model), strings.Join(scores, ", ")))
		}
	}
	if len(list) == 0 {
		return ""
	}
	return "**Frozen features**, which tell what a model knows before it sees a pet's label: " + strings.Join(list, "; ") + "."
}
