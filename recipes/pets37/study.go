package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"gaze/internal/report"
	"gaze/pkg/data"
	"gaze/pkg/evaluate"
	"gaze/pkg/study"
	"gaze/pkg/train"
	"gaze/pkg/vit"
	"gaze/pkg/weights"
)

// This file repeats the report's study with the hybrid, on the feature maps that its recipe
// keeps anyway: the network under it stays as it is, so that a row over all training pictures
// takes minutes instead of hours.

const (
	studyModel   = "hybrid on efficientnet-lite0"
	studyHeldOut = 0.1
	studyBase    = 1e-4 // rate of the rows that change something else
	reportEpochs = 5
)

// studyRow is a row, and the views of the training pictures that it shows in turn.
type studyRow struct {
	name, asks, settings string
	cropped              bool // the random crops, not the pictures as they are
}

func studyRows() []studyRow {
	usual := func(rate float64) string { return fmt.Sprintf("lr=%g; epochs=%d; batch=16", rate, reportEpochs) }
	var rows []studyRow
	for _, rate := range []float64{1e-6, 1e-5, 1e-4, 1e-3, 1e-2} {
		rows = append(rows, studyRow{report.RateName(rate), "What does the learning rate do?", usual(rate), false})
	}
	return append(rows,
		studyRow{report.Augmented, "Do random crops, mirror images and colours help?", usual(studyBase), true},
		studyRow{report.Accumulate, "Do gradients accumulated over 15 batches help, in addition?", usual(studyBase) + "; accumulate=15", true},
		studyRow{report.LastBlocks, "Is it enough to train the last block?", usual(studyBase) + "; freeze=blocks:1", false},
		studyRow{report.LayerwiseDecay, "Does a lower rate in the lower layers help?", usual(studyBase) + "; layerdecay=0.75", false},
		studyRow{report.BestSetting, "How good is the recipe's setting, in half its epochs?", settings + "; epochs=8", true},
	)
}

// parts are the features that the rows are trained, chosen and judged on.
type parts struct {
	plain, chosen, judged *train.FeatureSet
	cropped               []*train.FeatureSet
}

// studyReport trains the rows that aren't there yet and writes the record after each.
func (r *recipe) studyReport(ctx context.Context) error {
	models, err := r.beginnings(ctx)
	if err != nil {
		return err
	}
	views, judged, err := r.hybridFeatures(ctx, models[0])
	if err != nil {
		return err
	}
	rest, part, err := data.HoldOut(r.set.Train, len(r.set.Classes), r.seed, studyHeldOut)
	if err != nil {
		return err
	}
	p := parts{plain: some(views[0], rest), chosen: some(views[0], part), judged: judged}
	for _, v := range views[1:] {
		p.cropped = append(p.cropped, some(v, rest))
	}
	splits := *r.set
	splits.Validation, splits.Test = r.set.Train.Pick(part), r.set.Validation
	result := &study.Result{
		Data: &splits, Folder: r.data, Classes: r.record.Classes, Judge: "val", Tested: true, Device: r.record.Device,
		HeldOut: &train.HeldOut{Fraction: studyHeldOut, Seed: r.seed, Pictures: len(part), Of: r.set.Train.Len()},
		Parts:   study.Parts{Train: len(rest), Validation: len(part), Test: len(judged.Labels)},
		Notes: []string{
			fmt.Sprintf("val (%d pictures) judges; %d of %d training pictures are held out, and epochs and rows are chosen on those alone", len(judged.Labels), len(part), r.set.Train.Len()),
			"shortened: EfficientNet-Lite0 under the blocks keeps ImageNet's weights; the blocks, the [class] token and the positions over it begin at random, so what is pretrained is the network under them",
			fmt.Sprintf("shortened: %d random crops of each picture, made once, in place of the report's rotation, jitter and perspective in every epoch; no row of larger pictures", r.views),
		},
	}
	for _, row := range studyRows() {
		shown := study.Row{Name: row.name, Asks: row.asks, Model: studyModel, Kind: study.Trains, Start: studyModel, Pipeline: centred, Settings: row.settings}
		if row.cropped {
			shown.Pipeline = random
		}
		outcome := study.Outcome{Row: shown}
		for i, m := range models {
			seed := r.seed + uint64(i)
			outcome.Seeds = append(outcome.Seeds, seed)
			run, err := r.studyRun(ctx, m, row, seed, p)
			switch {
			case errors.Is(err, train.ErrNotFinite):
				result.Missing = append(result.Missing, study.Missing{Row: row.name, Model: studyModel, Seed: seed, Why: err.Error()})
			case err != nil:
				return err
			default:
				outcome.Runs = append(outcome.Runs, *run)
				say(fmt.Sprintf("%s, seed %d: %s", row.name, seed, run.Report.Accuracy.Percent()))
			}
		}
		if len(outcome.Runs) == 0 {
			continue
		}
		result.Outcomes = append(result.Outcomes, outcome)
		if err := result.Record().Write(filepath.Join(r.out, "pets37", report.PetsRecordName)); err != nil {
			return err
		}
	}
	return nil
}

// beginnings are the models before training, one for each seed: they differ in what is drawn.
func (r *recipe) beginnings(ctx context.Context) ([]*vit.Model, error) {
	var list []*vit.Model
	for i := range max(r.seeds, 1) {
		one := *r
		one.seed += uint64(i)
		m, err := one.fresh(ctx)
		if err != nil {
			return nil, err
		}
		list = append(list, m)
	}
	return list, nil
}

// some is the features of some pictures.
func some(f *train.FeatureSet, places []int) *train.FeatureSet {
	out := &train.FeatureSet{Dim: f.Dim}
	for _, i := range places {
		out.Values = append(out.Values, f.Values[i*f.Dim:(i+1)*f.Dim]...)
		out.Labels = append(out.Labels, f.Labels[i])
	}
	return out
}

// studyRun trains a row, unless that was done before, and judges its best weights.
func (r *recipe) studyRun(ctx context.Context, m *vit.Model, row studyRow, seed uint64, p parts) (*study.Run, error) {
	s, err := train.ParseSettings(fmt.Sprintf("%s; seed=%d", row.settings, seed))
	if err != nil {
		return nil, err
	}
	views := []*train.FeatureSet{p.plain}
	if row.cropped {
		views = p.cropped
	}
	source := &viewSource{views: views, batch: s.Batch, seed: s.Seed}
	sum := sha256.Sum256([]byte(row.settings + r.hash))
	dir := filepath.Join(r.work, "study", strings.ReplaceAll(row.name, " ", "-")+"-"+hex.EncodeToString(sum[:4]))
	if seed != 1 {
		dir += fmt.Sprintf("-seed%d", seed)
	}
	manifest, err := train.ReadManifest(dir)
	if err != nil || manifest.Status != train.Done {
		if manifest, err = r.trainRow(ctx, m, dir, s, source, p.chosen, err == nil); err != nil {
			return nil, err
		}
	}
	run := &study.Run{Seed: seed, Dir: dir, BestAt: manifest.BestAt, Best: *manifest.Best, Seconds: manifest.Seconds}
	if run.Epochs, err = train.History(dir); err != nil {
		return nil, err
	}
	run.Last = *run.Epochs[len(run.Epochs)-1].Validation
	for _, e := range run.Epochs {
		run.Pictures += e.Train.Total
	}
	predictions, err := r.judgeRow(dir, p.judged)
	if err != nil {
		return nil, err
	}
	if run.Report, err = evaluate.New(predictions); err != nil {
		return nil, err
	}
	run.Test = run.Report
	run.Right, err = predictions.Right()
	return run, err
}

// trainRow trains the blocks and the head on the stem's features in a run of its own, or goes on
// with it.
func (r *recipe) trainRow(ctx context.Context, m *vit.Model, dir string, s train.Settings, source *viewSource, chosen *train.FeatureSet, resume bool) (*train.Manifest, error) {
	net, err := train.OnStemFeatures(m, s.DropPath, s.Smoothing)
	if err != nil {
		return nil, err
	}
	t, err := train.NewTrainer(r.device, net, s.Options(source.Len(), m.Config.Depth))
	if err != nil {
		return nil, err
	}
	defer t.Close()
	fit := train.Fit{
		Dir: dir, Train: source, Validation: chosen.Source(s.Batch, false, 0), Epochs: s.Epochs, Settings: s.Map(), Data: r.hash,
		Resume: resume, Progress: tell,
		Save: func(path string, list []*weights.Tensor) error {
			now, err := m.WithSome(list)
			if err != nil {
				return err
			}
			return now.Save(path)
		},
	}
	return fit.Run(ctx, t)
}

// judgeRow answers for the pictures of val with the best weights of a run.
func (r *recipe) judgeRow(dir string, judged *train.FeatureSet) (*evaluate.Predictions, error) {
	m, err := vit.Load(filepath.Join(dir, "best", "model.safetensors"))
	if err != nil {
		return nil, err
	}
	defer m.Close()
	net, err := train.OnStemFeatures(m, 0, 0)
	if err != nil {
		return nil, err
	}
	t, err := train.NewTrainer(r.device, net, train.Options{Optimizer: train.NewAdam(), Schedule: train.Constant(0)})
	if err != nil {
		return nil, err
	}
	defer t.Close()
	p := &evaluate.Predictions{Classes: r.record.Classes, Labels: judged.Labels}
	for b, err := range judged.Source(50, false, 0).Batches(0, 0) {
		if err != nil {
			return nil, err
		}
		logits, err := t.Outputs(b, false)
		if err != nil {
			return nil, err
		}
		p.Logits = append(p.Logits, logits...)
	}
	for i := range judged.Labels {
		p.Names = append(p.Names, filepath.Base(r.set.Validation.Name(i)))
	}
	return p, os.MkdirAll(filepath.Join(r.out, "pets37"), 0o755)
}
