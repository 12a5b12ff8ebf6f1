package notebook

import (
	"context"
	"os"
	"path/filepath"

	"gaze/internal/report"
	"gaze/pkg/backend"
	"gaze/pkg/data"
	"gaze/pkg/evaluate/maps"
	"gaze/pkg/hub"
	"gaze/pkg/vit"
)

// RecordedScores are the scores of [class] attention on the Oxford-IIIT Pet set that come
// with Gaze: for each model on val, which is to be quoted, and on train.
func RecordedScores() ([]*maps.Report, error) { return report.RecordedMaps() }

// ScoreAttention scores a model's [class] attention on the val photographs about whose
// pixels something is known, in the data set that GAZE_PETS names or in the shared data
// beside the clone. Where there is no such set it returns nil, and says so. pipeline ""
// means the checkpoint's own. Scores that an earlier cell or run computed are read from
// the cache.
func ScoreAttention(w *Weights, pipeline string) (*maps.Report, error) {
	truth, err := report.FindTruth(os.Getenv("GAZE_ROOT"))
	if err != nil {
		return nil, err
	}
	if truth == nil {
		note("note: there are no photographs with trimaps or boxes around heads: 'gaze pull oxford-pets -o pets' fetches some, GAZE_PETS=pets names them")
		return nil, nil
	}
	var val []*data.Known
	for _, k := range truth.Pictures {
		if k.Split == "val" {
			val = append(val, k)
		}
	}
	if len(val) == 0 {
		val = truth.Pictures
	}
	p, err := pipelineFor(w, pipeline)
	if err != nil {
		return nil, err
	}
	dir, err := hub.CacheDir()
	if err != nil {
		return nil, err
	}
	weights, err := FileKey(w.Path)
	if err != nil {
		return nil, err
	}
	index, err := FileKey(filepath.Join(truth.Folder, "index.csv"))
	if err != nil {
		return nil, err
	}
	key := []any{"1", weights, w.Title, p.String(), index}
	return Cached(filepath.Join(dir, "cells"), "attention scores", key, func() (*maps.Report, error) {
		b, err := backend.Default()
		if err != nil {
			return nil, err
		}
		runner, err := vit.NewRunner(b, w.Model)
		if err != nil {
			return nil, err
		}
		defer runner.Close()
		m, err := maps.ClassAttention(runner)
		if err != nil {
			return nil, err
		}
		shown := newCount("photographs")
		defer shown.close()
		return maps.Evaluate(context.Background(), m, p, val, maps.Options{Model: w.Title, Set: filepath.Base(truth.Folder) + ", val", Seed: 1,
			Warn: func(text string) { note("note: " + text) }, Progress: shown.report})
	})
}

// ShowScores shows the table of each report and what it says about the energy by layer.
// A nil report is passed over.
func ShowScores(reports ...*maps.Report) {
	for _, r := range reports {
		if r == nil {
			continue
		}
		for _, p := range r.Parts {
			Show(r.Table(p.Truth), Must(r.Figure(p.Truth, maps.Energy)))
		}
	}
}

// DiscussScores puts scores into words. A nil report is passed over.
func DiscussScores(reports ...*maps.Report) Text {
	var there []*maps.Report
	for _, r := range reports {
		if r != nil {
			there = append(there, r)
		}
	}
	return Text(report.DiscussMaps(there...))
}
