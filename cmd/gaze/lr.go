package main

import (
	"cmp"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"gaze/internal/outputs"
	"gaze/pkg/backend"
	"gaze/pkg/data"
	"gaze/pkg/plots"
	"gaze/pkg/study"
	"gaze/pkg/train"
)

// lrFlags are the flags of `gaze lr`.
type lrFlags struct {
	trainFlags
	how   train.FinderOptions
	force bool
	plan  *outputs.Plan
}

// rangeTest is the JSON output of gaze lr.
type rangeTest struct {
	Data        string             `json:"data"`
	Model       string             `json:"model"`
	Settings    string             `json:"settings"`
	Rates       []float64          `json:"rates"`
	Losses      []float64          `json:"losses"`
	Smoothed    []float64          `json:"smoothed"`
	Diverged    bool               `json:"diverged"`
	DivergedAt  float64            `json:"diverged_at,omitempty"`
	Suggestions map[string]float64 `json:"suggestions"`
}

func newLR() *cobra.Command {
	var flags lrFlags
	cmd := &cobra.Command{
		Use:   "lr --data DIR --model FILE [--pipeline SPEC] [--set SETTINGS] [-o chart.png]",
		Short: "Find a learning rate to train with",
		Long: "Run a learning-rate range test (Smith 2017, as in fastai): train a copy of the model with a\n" +
			"learning rate that rises from --from to --to, and record the loss. The model, head, pictures,\n" +
			"pipeline and settings are those that 'gaze train' uses with the same flags. The test ends\n" +
			"early if the loss diverges, at four times its best. The trained copy is discarded.\n\n" +
			"The table shows the loss at some rates and three suggestions: the rate where the loss falls\n" +
			"fastest (use this one, or a little less), a tenth of the rate where it is lowest, and, as an\n" +
			"upper bound, a tenth of the rate where it diverges, that is, from which on it stays above\n" +
			"its initial value. -o draws the loss against the rate.\n\n" +
			"To find the head's own rate (head_lr), add freeze=backbone to the settings.",
		Example: "  gaze lr --data pets --model vit-base-patch16-224 -o lr.png\n" +
			"  gaze lr --data pets --model B_16_imagenet1k.pth --set 'optimizer=sgd; momentum=0.9; batch=16; accumulate=4' --json",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return flags.run(cmd) },
	}
	flags.trained(cmd)
	f := cmd.Flags()
	f.StringVarP(&flags.out, "output", "o", "", "the chart, a .png or .svg")
	f.Float64Var(&flags.how.From, "from", 1e-7, "first learning rate")
	f.Float64Var(&flags.how.To, "to", 10, "last learning rate")
	f.IntVar(&flags.how.Updates, "updates", 100, "updates from the first rate to the last")
	f.BoolVar(&flags.asJSON, "json", false, "write the test as JSON to standard output")
	forceFlag(cmd, &flags.force)
	require(cmd, "data", "model")
	return cmd
}

// unusedByRangeTest are settings without effect in a range test.
var unusedByRangeTest = []string{"lr", "epochs", "schedule", "floor", "warmup", "ema"}

func (f *lrFlags) run(cmd *cobra.Command) error {
	if f.workers < 0 || f.cache < 0 {
		return misuse(cmd, errors.New("--workers and --cache can't be negative"))
	}
	if !(f.how.From > 0) || f.how.Updates < 2 { // FinderOptions takes 0 as the default
		return misuse(cmd, errors.New("--from must be more than 0, --updates at least 2"))
	}
	if !(f.how.From < f.how.To) {
		return misuse(cmd, fmt.Errorf("--from %g, --to %g: the learning rate must rise", f.how.From, f.how.To))
	}
	if f.out != "" {
		if err := checkFigureName(f.out, ".png", ".svg"); err != nil {
			return misuse(cmd, err)
		}
	}
	if err := checkFolders(f.out); err != nil {
		return err
	}
	f.base = train.DefaultSettings()
	job, err := f.parse()
	if err != nil {
		return misuse(cmd, err)
	}
	log := newTrainLog(cmd.ErrOrStderr())
	job.Warn = log.say
	if named := slices.DeleteFunc(slices.Clone(f.named), func(name string) bool { return !slices.Contains(unusedByRangeTest, name) }); len(named) > 0 {
		log.say("these settings have no effect in a range test: " + strings.Join(named, ", "))
	}
	if f.skipBad {
		job.Bad = func(bad data.BadPicture) { log.say(about(bad.Name, bad.Err) + "; left out") }
	}
	damaged := &damagedPictures{say: log.say}
	job.Damaged = damaged.add
	sweep, err := f.sweep(cmd, job)
	damaged.sum()
	if err != nil {
		return err
	}
	if f.out != "" {
		if err := writeFigure(f.plan, f.out, study.SweepChart(sweep)); err != nil {
			return err
		}
	}
	if f.asJSON {
		return writeJSON(cmd, f.result(job, sweep))
	}
	fmt.Fprint(cmd.OutOrStdout(), sweepText(sweep))
	return nil
}

// sweep opens the data set and the model, and runs the test.
func (f *lrFlags) sweep(cmd *cobra.Command, job *train.FineTune) (*train.Sweep, error) {
	splits, err := openDataset(cmd, f.data)
	if err != nil {
		return nil, err
	}
	if err := f.planChart(cmd, splits); err != nil {
		return nil, err
	}
	if err := f.check(splits); err != nil {
		return nil, err
	}
	if err := f.takeSets(cmd, job, splits); err != nil {
		return nil, err
	}
	start, err := f.openStart(cmd, job, splits)
	if err != nil {
		return nil, err
	}
	defer start.Close()
	b, err := backend.Default()
	if err != nil {
		return nil, err
	}
	return job.Sweep(cmd.Context(), b, f.how)
}

// planChart plans the chart's file. It must not be inside the data set or replace a
// file that is read.
func (f *lrFlags) planChart(cmd *cobra.Command, splits *data.Splits) error {
	if f.out == "" {
		return nil
	}
	folder, sets := filepath.Dir(f.out), []*data.Dataset{splits.Train, splits.Validation, splits.Test}
	if err := cmp.Or(outsideData(folder, f.data), outsidePictures(folder, f.data, sets...)); err != nil {
		return err
	}
	f.plan = newPlan(cmd, f.force)
	f.plan.Reads(checkpointFiles(f.model)...)
	for _, set := range sets {
		if set != nil {
			f.plan.Reads(datasetFiles(f.data, set)...)
		}
	}
	planFile(f.plan, f.out, "-o")
	return checkPlan(cmd, f.plan, anotherFile)
}

// result is the test's JSON output.
func (f *lrFlags) result(job *train.FineTune, s *train.Sweep) rangeTest {
	r := rangeTest{
		Data: f.data, Model: f.model, Settings: job.Settings.String(), Rates: s.Rates, Losses: s.Losses, Smoothed: s.Smoothed,
		Diverged: s.Diverged, DivergedAt: s.DivergedAt,
		Suggestions: map[string]float64{"steepest": s.Steepest(), "minimum_tenth": s.MinimumTenth()},
	}
	if s.Diverged {
		r.Suggestions["diverged_tenth"] = s.DivergedTenth()
	}
	return r
}

// shownRates is the largest number of rates in a range test's table.
const shownRates = 20

// sweepText formats the test as tables for people to read.
func sweepText(s *train.Sweep) string {
	right := func(name string) plots.Column { return plots.Column{Name: name, Align: plots.AlignRight} }
	losses := plots.Table{Columns: []plots.Column{right("learning rate"), right("loss"), right("smoothed")}}
	n := len(s.Rates)
	shown := min(n, shownRates)
	for k := range shown {
		i := k * (n - 1) / max(shown-1, 1)
		losses.Rows = append(losses.Rows, []any{fmt.Sprintf("%.1e", s.Rates[i]), fmt.Sprintf("%.4f", s.Losses[i]), fmt.Sprintf("%.4f", s.Smoothed[i])})
	}
	suggestions := plots.Table{Columns: []plots.Column{{Name: "suggestion"}, right("lr")}}
	add := func(name string, rate float64) {
		suggestions.Rows = append(suggestions.Rows, []any{name, fmt.Sprintf("%.1e", rate)})
	}
	add("where the loss falls fastest", s.Steepest())
	add("a tenth of where it is lowest", s.MinimumTenth())
	end := plots.Signs(fmt.Sprintf("The loss didn't diverge up to %.1e; --to sets a higher limit.", s.Rates[n-1]))
	if s.Diverged {
		add("a tenth of where it diverges", s.DivergedTenth())
		end = plots.Signs(fmt.Sprintf("The loss diverges at %.1e.", s.DivergedAt))
	}
	return fmt.Sprintf("%s\n%s\n%s\n", losses, suggestions, end)
}
