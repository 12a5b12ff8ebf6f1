package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"gaze/internal/meter"
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
	damaged              *damagedPictures // found during classification
}

// evaluation is the JSON output of gaze evaluate. The report's keys are merged into it.
type evaluation struct {
	evaluated
	report  *evaluate.Report
	Against *against
}

// evaluated describes the evaluated pictures.
type evaluated struct {
	Run   string `json:"run"`
	Data  string `json:"data"`
	Split string `json:"split"`
	// HeldOut is set if the pictures are those that the run held out of its train split.
	HeldOut *train.HeldOut `json:"held_out,omitempty"`
	// TrainedOn is the number of these pictures that the run was trained on; nil if
	// unknown.
	TrainedOn *int `json:"trained_on,omitempty"`
}

// against is a comparison with another run on the same pictures.
type against struct {
	Run              string              `json:"run"`
	Accuracy         *evaluate.Interval  `json:"accuracy,omitempty"`
	TrainingAccuracy *evaluate.Interval  `json:"training_accuracy,omitempty"` // instead of Accuracy, if it was trained on them
	TrainedOn        *int                `json:"trained_on,omitempty"`
	McNemar          evaluate.Comparison `json:"mcnemar"`
}

func newEvaluate() *cobra.Command {
	var flags evaluateFlags
	cmd := &cobra.Command{
		Use:   "evaluate --run RUN [--data DIR] [-o DIR]",
		Short: "Measure a trained model's accuracy, with its uncertainty",
		Long: "Classify the pictures of a data set with known classes, and report: the accuracy with its\n" +
			"95 % interval (Wilson), overall and for each class; which classes are confused; how well the\n" +
			"probabilities are calibrated; with --against, whether another run is better (McNemar's test\n" +
			"on the same pictures).\n\n" +
			"The pictures are the val split of the run's data set or, without one, those that the run\n" +
			"held out of its training pictures. The accuracy on pictures that the run was trained on\n" +
			"(--split train) is called training accuracy: it doesn't show how good the model is.\n\n" +
			"-o DIR also writes report.json, predictions.csv, and the figures confusion.png (classes\n" +
			"ordered by similarity), classes.png, reliability.png and losses.png.",
		Example: "  gaze evaluate --run run --data pets -o run/evaluation\n  gaze evaluate --run run --against other --split test --json",
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return flags.evaluate(cmd) },
	}
	f := cmd.Flags()
	f.StringVar(&flags.run, "run", "", "a run of 'gaze train', or any checkpoint with a classification head")
	f.StringVar(&flags.data, "data", "", "data set: a folder or a CSV (default: the run's)")
	f.StringVar(&flags.split, "split", "", "val, test or train (default: val, or the pictures the run held out; a data set without splits is used whole); official-test is val and test together, as the Oxford-IIIT Pet set has it")
	f.StringVar(&flags.pipeline, "pipeline", "", "how pictures are prepared (default: each run's own pipeline)")
	f.StringVar(&flags.against, "against", "", "another run to compare with")
	f.StringVarP(&flags.out, "output", "o", "", "folder for report, predictions and figures")
	f.BoolVar(&flags.asJSON, "json", false, "write the report as JSON to standard output")
	f.IntVar(&flags.batch, "batch", 32, "pictures classified at a time")
	f.IntVar(&flags.workers, "workers", 0, "pictures decoded at a time (default: one per processor)")
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
	record, err := readRecord(f.run)
	if err != nil {
		return err
	}
	c, err := f.choose(cmd, record)
	if err != nil {
		return err
	}
	set := c.set
	if f.out != "" {
		if err := cmp.Or(outsideData(f.out, f.data), outsidePictures(f.out, f.data, set)); err != nil {
			return err
		}
		if err := f.planFiles(cmd, set); err != nil {
			return err
		}
	}
	f.damaged = &damagedPictures{say: func(text string) { fmt.Fprintf(cmd.ErrOrStderr(), "gaze: %s\n", text) }}
	defer f.damaged.sum()
	bad := map[string]bool{}
	p, seen, err := f.predict(cmd, f.run, set, pipeline, bad)
	if err != nil {
		return err
	}
	result := &evaluation{evaluated: evaluated{Run: f.run, Data: f.data, Split: c.split, HeldOut: c.heldOut, TrainedOn: record.trainedOn(c, p.Names)}}
	if result.report, err = evaluate.New(p); err != nil {
		return err
	}
	result.report.Training = c.isTraining(result.TrainedOn, p, true)
	c.warnTrained(cmd, f.run, result.TrainedOn, p, true)
	if f.against != "" {
		if result.Against, err = f.compare(cmd, p, c, pipeline, bad); err != nil {
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

// isTraining reports whether the result is training accuracy: the run was trained on
// all the evaluated pictures. A val or test split that contains the same files as the
// train split is still reported as accuracy, because scripts ask for it by that name;
// it only gets a warning. Pictures that one run held out may be training pictures of
// another; own is true for the run that held them out.
func (c *evaluatedSet) isTraining(trainedOn *int, p *evaluate.Predictions, own bool) bool {
	return (c.split == "train" || c.heldOut != nil && !own) && trainedOn != nil && *trainedOn == p.Len()
}

// warnTrained warns that training pictures among the evaluated ones distort the result.
func (c *evaluatedSet) warnTrained(cmd *cobra.Command, run string, trainedOn *int, p *evaluate.Predictions, own bool) {
	switch {
	case c.isTraining(trainedOn, p, own):
		fmt.Fprintf(cmd.ErrOrStderr(), "gaze: %s was trained on these %d pictures: this is its training accuracy, which shows how well it learnt them, not how good it is on others\n", run, p.Len())
	case trainedOn != nil && *trainedOn > 0:
		fmt.Fprintf(cmd.ErrOrStderr(), "gaze: %s was trained on %d of these %d pictures (the same files): the accuracy overrates the model\n", run, *trainedOn, p.Len())
	}
}

// predict classifies the set with a run's model. Pictures are prepared by the given
// pipeline or, if it is nil, by the run's own, which is returned. Pictures that can't
// be read are named once and collected in bad.
func (f *evaluateFlags) predict(cmd *cobra.Command, run string, set *data.Dataset, pipeline transform.Pipeline, bad map[string]bool) (*evaluate.Predictions, transform.Pipeline, error) {
	m, err := loadModel(cmd, run)
	if err != nil {
		return nil, nil, err
	}
	defer m.Close()
	if pipeline, err = pipelineFor(cmd, m, pipeline); err != nil {
		return nil, nil, err
	}
	b, err := backend.Default()
	if err != nil {
		return nil, nil, err
	}
	line := newLiveLine(cmd.ErrOrStderr(), !f.quiet)
	defer line.clear()
	pace := meter.New(float64(set.Len()))
	p, err := evaluate.Predict(cmd.Context(), b, m, set, set.Classes, evaluate.Options{
		Pipeline: pipeline, Batch: f.batch, Workers: f.workers,
		Progress: func(done int) {
			pace.At(float64(done))
			if !f.quiet {
				announce(line.above(cmd.ErrOrStderr()), pace, set.Len())
			}
			line.show(progress(done, 0, set.Len(), pace))
		},
		Bad: func(picture data.BadPicture) {
			line.clear()
			if !bad[picture.Name] {
				fmt.Fprintf(cmd.ErrOrStderr(), "gaze: %s; left out\n", about(picture.Name, picture.Err))
			}
			bad[picture.Name] = true
		},
		Damaged: func(picture data.BadPicture) {
			line.clear()
			f.damaged.add(picture)
		},
	})
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", run, err)
	}
	return p, pipeline, nil
}

// compare evaluates another run on the same pictures.
func (f *evaluateFlags) compare(cmd *cobra.Command, p *evaluate.Predictions, c *evaluatedSet, pipeline transform.Pipeline, bad map[string]bool) (*against, error) {
	record, err := readRecord(f.against)
	if err != nil {
		return nil, err
	}
	other, _, err := f.predict(cmd, f.against, c.set, pipeline, bad)
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
	a := &against{Run: f.against, TrainedOn: record.trainedOn(c, other.Names)}
	c.warnTrained(cmd, f.against, a.TrainedOn, other, false)
	right := 0
	for _, ok := range second {
		if ok {
			right++
		}
	}
	share := evaluate.Wilson(right, len(second))
	if c.isTraining(a.TrainedOn, other, false) {
		a.TrainingAccuracy = &share
	} else {
		a.Accuracy = &share
	}
	a.McNemar, err = evaluate.McNemar(first, second)
	return a, err
}

// tell writes the result as tables or as JSON.
func (f *evaluateFlags) tell(cmd *cobra.Command, result *evaluation) error {
	if f.asJSON {
		return writeJSON(cmd, result)
	}
	out := cmd.OutOrStdout()
	r, pictures := result.report, result.Split
	if result.HeldOut != nil {
		pictures = "held-out pictures"
	}
	fmt.Fprintf(out, "%s, %s of %s\n%s\n%s", filepath.Clean(f.run), pictures, f.data, r.Table(), r.ClassTable())
	if len(r.Pairs) > 0 {
		fmt.Fprintf(out, "\n%s", r.PairTable())
	}
	if a := result.Against; a != nil {
		share, kind := a.Accuracy, "right"
		if share == nil {
			share, kind = a.TrainingAccuracy, "right in training"
		}
		fmt.Fprintf(out, "\nagainst %s, with %s %s: %s\n", a.Run, share.Percent(), kind, a.McNemar.Sentence(f.run, a.Run))
	}
	return nil
}

// MarshalJSON writes the evaluated pictures, the report and the comparison as one
// object.
func (e evaluation) MarshalJSON() ([]byte, error) {
	var object bytes.Buffer
	for _, part := range []any{e.evaluated, e.report, struct {
		Against *against `json:"against,omitempty"`
	}{e.Against}} {
		var text bytes.Buffer
		encoder := json.NewEncoder(&text)
		encoder.SetEscapeHTML(false)
		if err := encoder.Encode(part); err != nil {
			return nil, err
		}
		inner := bytes.TrimSpace(text.Bytes())
		inner = inner[1 : len(inner)-1]
		if object.Len() > 0 && len(inner) > 0 {
			object.WriteByte(',')
		}
		object.Write(inner)
	}
	return slices.Concat([]byte("{"), object.Bytes(), []byte("}")), nil
}
