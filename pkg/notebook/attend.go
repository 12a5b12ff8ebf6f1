package notebook

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"gaze/pkg/backend"
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

// Attend returns the [class] attention over each picture, in order. What an
// earlier cell or run computed for the same weights, pipeline and file is read
// from the cache; the model is only run for the rest. pipeline "" means the
// checkpoint's own.
func Attend(w *Weights, pipeline string, pictures ...string) ([]*explain.Attention, error) {
	if pipeline == "" {
		pipeline = w.Pipeline()
	}
	p, err := transform.Parse(pipeline)
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
	l := &looker{weights: w, pipeline: p}
	defer l.close()
	var out []*explain.Attention
	for _, picture := range pictures {
		file, err := FileKey(picture)
		if err != nil {
			return nil, err
		}
		key := []any{"1", weights, w.Title, p.String(), file}
		a, err := Cached(filepath.Join(dir, "cells"), "attention", key, func() (*explain.Attention, error) { return l.look(picture) })
		if err != nil {
			return nil, err
		}
		out = append(out, a)
	}
	return out, nil
}

// looker runs a model, which it opens for the first picture.
type looker struct {
	weights  *Weights
	pipeline transform.Pipeline
	runner   *vit.Runner
}

func (l *looker) look(picture string) (*explain.Attention, error) {
	if l.runner == nil {
		b, err := backend.Default()
		if err != nil {
			return nil, err
		}
		if l.runner, err = vit.NewRunner(b, l.weights.Model); err != nil {
			return nil, err
		}
	}
	im, err := data.Decode(picture)
	if err != nil {
		return nil, err
	}
	a, warnings, err := explain.Attend(l.runner, l.pipeline, filepath.Base(picture), im)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", picture, err)
	}
	a.Model = l.weights.Title
	for _, text := range warnings {
		fmt.Fprintln(os.Stderr, "note:", text)
	}
	return a, nil
}

func (l *looker) close() {
	if l.runner != nil {
		l.runner.Close()
	}
}

// reportPhotos are the photographs that the report shows, of the validation set
// of its homework (Oxford-IIIT Pet).
var reportPhotos = []string{"26_5064", "29_4718", "31_4838"}

// Photographs returns the report's three photographs where GAZE_PETS (a folder)
// has them, or ../shared/data beside the clone; else the free ones that come
// with scikit-image, which are fetched on first use.
func Photographs() []string {
	photos, _ := findPhotographs(os.Getenv("GAZE_ROOT"))
	if photos == nil {
		var err error
		photos, err = hub.SamplePhotos(context.Background(), hub.Options{})
		if errors.Is(err, hub.ErrUnreachable) {
			err = fmt.Errorf("%w; or set GAZE_PETS to a folder with %s.jpg and the others", err, reportPhotos[0])
		}
		Check(err)
	}
	return photos
}

// AboutPhotographs says which photographs [Photographs] returns, and where they
// come from.
func AboutPhotographs() plots.Table {
	photos, where := findPhotographs(os.Getenv("GAZE_ROOT"))
	license := "Oxford-IIIT Pet, CC BY-SA 4.0"
	if photos == nil {
		photos, where, license = Photographs(), "the scikit-image package", "CC0 or public domain, as scikit-image states"
	}
	t := plots.Table{Columns: []plots.Column{{Name: "photograph"}, {Name: "from"}, {Name: "licence"}}}
	for _, p := range photos {
		t.Rows = append(t.Rows, []any{filepath.Base(p), where, license})
	}
	return t
}

// findPhotographs looks for the report's photographs, also beside the clone at
// root; nil if not all are there.
func findPhotographs(root string) (photos []string, where string) {
	type place struct{ dir, name string }
	var places []place
	if dir := os.Getenv("GAZE_PETS"); dir != "" {
		places = append(places, place{dir, "GAZE_PETS"})
	}
	if root != "" {
		places = append(places, place{filepath.Join(root, "..", "shared", "data", "images", "oxford_pets_ccbysa"), "the shared data beside the clone"})
	}
	for _, p := range places {
		var found []string
		for _, stem := range reportPhotos {
			// The plain name, or one with the size behind it.
			for _, pattern := range []string{stem + ".jpg", stem + "_*.jpg"} {
				if m, _ := filepath.Glob(filepath.Join(p.dir, pattern)); len(m) > 0 {
					found = append(found, m[0])
					break
				}
			}
		}
		if len(found) == len(reportPhotos) {
			return found, p.name
		}
	}
	return nil, ""
}
