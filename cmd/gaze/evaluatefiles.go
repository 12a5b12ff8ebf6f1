package main

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"image"
	"path/filepath"
	"strconv"

	"github.com/spf13/cobra"

	"gaze/internal/outputs"
	"gaze/pkg/data"
	"gaze/pkg/evaluate"
	"gaze/pkg/explain"
	"gaze/pkg/plots"
	"gaze/pkg/transform"
)

// shownLosses is the number of pictures in losses.png.
const shownLosses = 16

// evaluationFiles are the files that gaze evaluate writes into its folder.
var evaluationFiles = []string{"report.json", "predictions.csv", "confusion.png", "reliability.png", "classes.png", "losses.png"}

// planFiles registers these files, and the files that the evaluation reads.
func (f *evaluateFlags) planFiles(cmd *cobra.Command, set *data.Dataset) error {
	f.plan = newPlan(cmd, f.force)
	f.plan.Reads(checkpointFiles(f.run)...)
	if f.against != "" {
		f.plan.Reads(checkpointFiles(f.against)...)
	}
	f.plan.Reads(datasetFiles(f.data, set)...)
	for _, name := range evaluationFiles {
		f.plan.Writes(filepath.Join(f.out, name), "-o")
	}
	return checkPlan(cmd, f.plan, anotherFile)
}

// write writes the report, the predictions and the figures into the folder.
func (f *evaluateFlags) write(result *evaluation, p *evaluate.Predictions, set *data.Dataset, pipeline transform.Pipeline) error {
	var text bytes.Buffer
	e := json.NewEncoder(&text)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	if err := e.Encode(result); err != nil {
		return err
	}
	if err := f.plan.WriteBytes(filepath.Join(f.out, "report.json"), text.Bytes()); err != nil {
		return err
	}
	if err := writePredictions(f.plan, filepath.Join(f.out, "predictions.csv"), set, p); err != nil {
		return err
	}
	figures := map[string]plots.Figure{
		"confusion.png": result.report.ConfusionFigure(), "reliability.png": result.report.ReliabilityFigure(), "classes.png": result.report.ClassFigure(),
	}
	if len(result.report.TopLosses) > 0 {
		losses, err := result.report.LossesFigure(shownLosses, func(i int) (image.Image, error) {
			im, _, err := data.DecodeFor(p.Names[i], pipeline)
			if err != nil {
				return nil, err
			}
			return explain.Seen(pipeline, im)
		})
		if err != nil {
			return err
		}
		figures["losses.png"] = losses
	} else if err := f.plan.Remove(filepath.Join(f.out, "losses.png")); err != nil {
		return err // a file left by an earlier evaluation would look like part of this one
	}
	for name, figure := range figures {
		if err := writeFigure(f.plan, filepath.Join(f.out, name), figure); err != nil {
			return err
		}
	}
	return nil
}

// writePredictions writes a row per picture: its path relative to the set's folder,
// the numbers of the true and the predicted class, and the model's probability for
// each.
func writePredictions(plan *outputs.Plan, path string, set *data.Dataset, p *evaluate.Predictions) error {
	answers, err := p.Answers()
	if err != nil {
		return err
	}
	var buf bytes.Buffer
	w := csv.NewWriter(&buf)
	if err := w.Write([]string{"filename", "true", "label", "probability", "true_probability", "loss"}); err != nil {
		return err
	}
	number := func(v float64) string { return strconv.FormatFloat(v, 'g', 6, 64) }
	for i, a := range answers {
		name := p.Names[i]
		if rel, err := filepath.Rel(set.Root, name); err == nil {
			name = filepath.ToSlash(rel)
		}
		err := w.Write([]string{name, strconv.Itoa(p.Labels[i]), strconv.Itoa(a.Predicted), number(a.Probability), number(a.TrueProbability), number(a.Loss)})
		if err != nil {
			return err
		}
	}
	w.Flush()
	if err := w.Error(); err != nil {
		return err
	}
	return plan.WriteBytes(path, buf.Bytes())
}
