package notebook

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"gaze/internal/environ"
	"gaze/internal/report"
	"gaze/pkg/data"
	"gaze/pkg/explain"
	"gaze/pkg/hub"
	"gaze/pkg/plots"
	"gaze/pkg/transform"
	"gaze/pkg/vit"
)

// Positions compares the position embeddings of a checkpoint.
func Positions(w *Weights) *explain.Positions {
	p := Must(explain.PositionsOf(w.Model))
	p.Model = w.Title
	return p
}

// Attend returns the attention of the [class] token over each picture, in order. Results
// that an earlier cell or run computed for the same weights, pipeline and file are read
// from the cache; the model is run only for the others. pipeline "" means the checkpoint's
// own. A picture that can't be read is skipped with a note on standard error; it is an
// error if all are.
func Attend(w *Weights, pipeline string, pictures ...string) ([]*explain.Attention, error) {
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
	l := &attender{weights: w, pipeline: p}
	defer l.close()
	return eachReadable(pictures, func(picture string) (*explain.Attention, error) {
		return l.attendOnce(picture, filepath.Join(dir, "cells"), weights)
	})
}

// pipelineFor parses a pipeline and checks that it fits the model; "" means the
// checkpoint's own.
func pipelineFor(w *Weights, text string) (transform.Pipeline, error) {
	p, err := w.Preprocessing()
	if text != "" {
		p, err = transform.Parse(text)
	}
	if err != nil {
		return nil, err
	}
	return p, w.Config.CheckPipeline(p)
}

// attender runs a model. The model is opened at the first picture.
type attender struct {
	weights  *Weights
	pipeline transform.Pipeline
	runner   *vit.Runner
	mine     bool // the runner is closed in the end
	silent   bool // notes about the model's work aren't printed
}

// attendOnce is attend with a cache.
func (l *attender) attendOnce(picture, cache, weights string) (*explain.Attention, error) {
	file, err := FileKey(picture)
	if err != nil {
		return nil, err
	}
	key := []any{"1", weights, l.weights.Title, l.pipeline.String(), file}
	return Cached(cache, "attention", key, func() (*explain.Attention, error) { return l.attend(picture) })
}

func (l *attender) attend(picture string) (*explain.Attention, error) {
	im, damage, err := data.DecodeFor(picture, l.pipeline)
	if err != nil {
		return nil, err
	}
	if damage != "" {
		fmt.Fprintf(os.Stderr, "note: %s: damaged: %s\n", picture, damage)
	}
	a, err := l.attendImage(picture, im)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", picture, err)
	}
	return a, nil
}

func (l *attender) attendImage(picture string, im *transform.Image) (a *explain.Attention, err error) {
	if err := l.open(); err != nil {
		return nil, err
	}
	a, warnings, err := explain.Attend(l.runner, l.pipeline, filepath.Base(picture), im)
	if err != nil {
		return nil, err
	}
	a.Model = l.weights.Title
	for _, text := range warnings {
		if !l.silent {
			note("note: " + text)
		}
	}
	return a, nil
}

// open makes the runner, once.
func (l *attender) open() (err error) {
	if l.runner == nil {
		l.runner, l.mine, err = runnerFor(l.weights.Model)
	}
	return err
}

func (l *attender) close() {
	if l.mine && l.runner != nil {
		l.runner.Close()
	}
}

// Photographs returns the photographs to look at: those of the folder or data set that
// GAZE_PETS names, the report's three if all are there, otherwise the first six by name.
// If it isn't set, the report's three if they lie beside the clone, or else the free
// ones that come with scikit-image, which are fetched on first use. Trouble ends the
// cell with the reason, as [Check] does.
func Photographs() []string { return photographs().Paths }

func photographs() report.Photographs {
	environ.WarnOnce(os.Stderr)
	found := Must(report.FindPhotographs(context.Background(), os.Getenv("GAZE_ROOT"), hub.Options{}))
	for _, p := range found.Paths {
		credits.Store(p, found.From)
	}
	return found
}

// credits are where the photographs that were found come from, by their paths.
var credits sync.Map

// AboutPhotographs says which photographs [Photographs] returns, and where they
// come from.
func AboutPhotographs() plots.Table {
	photos := photographs()
	from, license := photos.From, photos.License
	if n := len(photos.Paths); n < photos.Of {
		from += fmt.Sprintf(" (%d of %d)", n, photos.Of)
	}
	if license == "" {
		license = "not known"
	}
	t := plots.Table{Columns: []plots.Column{{Name: "photograph"}, {Name: "from"}, {Name: "licence"}}}
	for _, p := range photos.Paths {
		t.Rows = append(t.Rows, []any{filepath.Base(p), from, license})
	}
	return t
}

// DiscussPositions puts into words what the numbers of position embeddings say: of
// the checkpoint's own, and of those resized to another grid.
func DiscussPositions(own, resized *explain.Positions) Text {
	return Text(report.DiscussPositions(own, resized))
}

// DiscussAttention puts into words what the numbers of the [class] token's attention
// say.
func DiscussAttention(all ...*explain.Attention) Text { return Text(report.DiscussAttention(all...)) }
