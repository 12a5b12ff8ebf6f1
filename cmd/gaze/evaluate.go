package main

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"gaze/internal/outputs"
	"gaze/pkg/backend"
	"gaze/pkg/data"
	"gaze/pkg/evaluate"
	"gaze/pkg/train"
	"gaze/pkg/transform"
)

// evaluateFlags are the flags of `gaze evaluate`.
type evaluateFlags struct {
	run, against, data, split, pipeline, out string

	asJSON, quiet, force bool
	batch, workers       int
	plan                 *outputs.Plan
}

// evaluation is what gaze evaluate writes as JSON.
type evaluation struct {
	Run   string `json:"run"`
	Data  string `json:"data"`
	Split string `json:"split"`
	*evaluate.Report
	Against *against `json:"against,omitempty"`
}

// against is the comparison with another run on the same pictures.
type against struct {
	Run      string              `json:"run"`
	Accuracy evaluate.Interval   `json:"accuracy"`
	McNemar  evaluate.Comparison `json:"mcnemar"`
}

func newEvaluate() *cobra.Command {
	var flags evaluateFlags
	cmd := &cobra.Command{
		Use:   "evaluate --run RUN [--data DIR] [-o DIR]",
		Short: "Tell how good a trained model is, and how sure that is",
		Long: "Classify the pictures of a data set whose classes are known, and tell: the accuracy with\n" +
			"its 95 % interval (Wilson), in all and for each class; which classes are taken for which;\n" +
			"how far the probabilities can be believed (calibration); with --against, whether another\n" +
			"run is better (McNemar's test on the same pictures).\n\n" +
			"With -o DIR also: report.json, predictions.csv, and the figures confusion.png (classes\n" +
			"ordered by similarity), classes.png, reliability.png and losses.png.",
		Example: "  gaze evaluate --run run --data pets -o run/evaluation\n  gaze evaluate --run run --against other --split test --json",
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return flags.evaluate(cmd) },
	}
	f := cmd.Flags()
	f.StringVar(&flags.run, "run", "", "a run of 'gaze train', or any checkpoint that classifies")
	f.StringVar(&flags.data, "data", "", "data set: a folder or a CSV (default: that of the run)")
	f.StringVar(&flags.split, "split", "", "val, test or train (default: val; of a data set without splits, all of it)")
	f.StringVar(&flags.pipeline, "pipeline", "", "how pictures are prepared (default: as each run says)")
	f.StringVar(&flags.against, "against", "", "another run, to compare with")
	f.StringVarP(&flags.out, "output", "o", "", "folder for report, predictions and figures")
	f.BoolVar(&flags.asJSON, "json", false, "write the report as JSON to standard output")
	f.IntVar(&flags.batch, "batch", 32, "pictures that are classified at a time")
	f.IntVar(&flags.workers, "workers", 0, "pictures that are decoded at a time (default: one for each processor)")
	f.BoolVarP(&flags.quiet, "quiet", "q", false, "no progress on standard error")
	forceFlag(cmd, &flags.force)
	require(cmd, "run")
	return cmd
}

func (f *evaluateFlags) evaluate(cmd *cobra.Command) error {
	var pipeline transform.Pipeline
	var err error
	if f.pipeline != "" {
		if pipeline, err = parseTensorPipeline(f.pipeline); err != nil {
			return misuse(cmd, fmt.Errorf("--pipeline: %w", err))
		}
	}
	if f.batch < 1 || f.workers < 0 {
		return misuse(cmd, errors.New("--batch must be at least 1, --workers can't be negative"))
	}
	set, err := f.set(cmd)
	if err != nil {
		return err
	}
	if f.out != "" {
		if err := outsideData(f.out, f.data); err != nil {
			return err
		}
		if err := f.planFiles(cmd, set); err != nil {
			return err
		}
	}
	bad := map[string]bool{}
	p, seen, err := f.predict(cmd, f.run, set, pipeline, bad)
	if err != nil {
		return err
	}
	result := &evaluation{Run: f.run, Data: f.data, Split: f.split}
	if result.Report, err = evaluate.New(p); err != nil {
		return err
	}
	if f.against != "" {
		if result.Against, err = f.compare(cmd, p, set, pipeline, bad); err != nil {
			return err
		}
	}
	if f.out != "" {
		if err := f.write(result, p, set, seen); err != nil {
			return err
		}
	}
	if err := f.tell(cmd, result); err != nil {
		return err
	}
	if len(bad) > 0 {
		return fmt.Errorf("%d of %d pictures can't be read; the others are evaluated", len(bad), set.Len())
	}
	return nil
}

// set is the part of the data set that is asked for.
func (f *evaluateFlags) set(cmd *cobra.Command) (*data.Dataset, error) {
	if f.data == "" {
		m, err := train.ReadManifest(f.run)
		switch {
		case err == nil:
			f.data = m.Notes["data"]
		case !errors.As(err, new(*fs.PathError)):
			return nil, err // a run, but a damaged one
		}
	}
	if f.data == "" {
		return nil, misuse(cmd, fmt.Errorf("--data: there is no run in %s that says what it was trained on: name the data set", f.run))
	}
	splits, err := data.OpenDataset(f.data)
	if err != nil {
		return nil, err
	}
	all := []struct {
		name string
		set  *data.Dataset
	}{{"val", splits.Validation}, {"test", splits.Test}, {"train", splits.Train}}
	var there []string
	for _, s := range all {
		if s.set != nil {
			there = append(there, s.name)
		}
	}
	if f.split == "" && (len(there) == 1 || splits.Validation != nil) {
		f.split = there[0] // all there is, or val
	}
	for _, s := range all {
		if s.set != nil && s.name == f.split {
			return s.set, nil
		}
	}
	if f.split == "" {
		return nil, misuse(cmd, fmt.Errorf("--split: %s has no val: choose one of %s", f.data, strings.Join(there, ", ")))
	}
	return nil, misuse(cmd, fmt.Errorf("--split: %s has no %s, it has %s", f.data, f.split, strings.Join(there, ", ")))
}

// predict classifies the set by a run's model, its pictures prepared by the
// pipeline or, if that is nil, by the run's own, which it returns. Pictures that
// can't be read are named once and kept in bad.
func (f *evaluateFlags) predict(cmd *cobra.Command, run string, set *data.Dataset, pipeline transform.Pipeline, bad map[string]bool) (*evaluate.Predictions, transform.Pipeline, error) {
	m, err := loadModel(cmd, run)
	if err != nil {
		return nil, nil, err
	}
	defer m.Close()
	if pipeline == nil {
		if pipeline, err = transform.Parse(m.Pipeline()); err != nil {
			return nil, nil, fmt.Errorf("%s: its own pipeline can't be read: %w", run, err)
		}
	}
	b, err := backend.Default()
	if err != nil {
		return nil, nil, err
	}
	line := newLiveLine(cmd.ErrOrStderr(), !f.quiet)
	defer line.clear()
	start := time.Now()
	p, err := evaluate.Predict(cmd.Context(), b, m, set, set.Classes, evaluate.Options{
		Pipeline: pipeline, Batch: f.batch, Workers: f.workers,
		Progress: func(done int) { line.show(progress(done, 0, set.Len(), time.Since(start))) },
		Bad: func(picture data.BadPicture) {
			line.clear()
			if !bad[picture.Name] {
				fmt.Fprintf(cmd.ErrOrStderr(), "gaze: %s; left out\n", about(picture.Name, picture.Err))
			}
			bad[picture.Name] = true
		},
	})
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", run, err)
	}
	return p, pipeline, nil
}

// compare tests another run on the same pictures.
func (f *evaluateFlags) compare(cmd *cobra.Command, p *evaluate.Predictions, set *data.Dataset, pipeline transform.Pipeline, bad map[string]bool) (*against, error) {
	other, _, err := f.predict(cmd, f.against, set, pipeline, bad)
	if err != nil {
		return nil, err
	}
	second, err := other.Right()
	if err != nil {
		return nil, err
	}
	first, err := p.Right()
	if err != nil {
		return nil, err
	}
	if len(first) != len(second) {
		return nil, fmt.Errorf("%s and %s can't be compared: one classifies %d of the pictures, the other %d", f.run, f.against, len(first), len(second))
	}
	a := &against{Run: f.against}
	right := 0
	for _, ok := range second {
		if ok {
			right++
		}
	}
	a.Accuracy = evaluate.Wilson(right, len(second))
	a.McNemar, err = evaluate.McNemar(first, second)
	return a, err
}

// tell writes the result for a person, or as JSON.
func (f *evaluateFlags) tell(cmd *cobra.Command, result *evaluation) error {
	if f.asJSON {
		return writeJSON(cmd, result)
	}
	out := cmd.OutOrStdout()
	fmt.Fprintf(out, "%s, %s of %s\n%s\n%s", filepath.Clean(f.run), result.Split, f.data, result.Table(), result.ClassTable())
	if len(result.Pairs) > 0 {
		fmt.Fprintf(out, "\n%s", result.PairTable())
	}
	if a := result.Against; a != nil {
		fmt.Fprintf(out, "\nagainst %s, with %s right: %s\n", a.Run, a.Accuracy.Percent(), a.McNemar.Sentence(f.run, a.Run))
	}
	return nil
}
