package notebook

import (
	"path/filepath"

	"gaze/internal/report"
	"gaze/pkg/backend"
	"gaze/pkg/data"
	"gaze/pkg/evaluate/captions"
	"gaze/pkg/evaluate/maps/league"
	"gaze/pkg/explain"
	"gaze/pkg/hub"
)

// League is the league of ways of making maps that comes with Gaze ('make league').
func League() *league.Record { return Must(report.League()) }

// LeagueHeadline says which map to use for what, or that raw attention can't be beaten, from
// the league's numbers.
func LeagueHeadline() Text { return Text(report.LeagueHeadline()) }

// LeagueOfWords compares ways of making maps of words, for each captioner and kind of pictures.
func LeagueOfWords() []*captions.Relevance { return Must(report.LeagueOfWords()) }

// Forget shows what becomes of maps of a picture while what the model has learnt is
// destroyed, in a few stages from the head downwards ([explain.CascadeOf]). Results that an
// earlier cell or run computed are read from the cache. Trouble ends the cell with the
// reason, as [Check] does.
func Forget(w *Weights, picture string, methods ...string) *explain.Cascade {
	return Must(forget(w, picture, methods))
}

// forgetStages is how many models [Forget] looks at, beside the trained one.
const forgetStages = 4

func forget(w *Weights, picture string, methods []string) (*explain.Cascade, error) {
	p, err := pipelineFor(w, "")
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
	file, err := FileKey(picture)
	if err != nil {
		return nil, err
	}
	key := []any{"1", weights, p.String(), methods, file}
	c, err := Cached(filepath.Join(dir, "cells"), "forgets", key, func() (*explain.Cascade, error) {
		im, _, err := data.DecodeFor(picture, p)
		if err != nil {
			return nil, err
		}
		b, err := backend.Default()
		if err != nil {
			return nil, err
		}
		e, err := explain.NewExplainer(b, w.Model)
		if err != nil {
			return nil, err
		}
		defer e.Close()
		return explain.CascadeOf(e, w.Model, p, filepath.Base(picture), im, methods, forgetStages, 1)
	})
	if err != nil {
		return nil, err
	}
	c.Model = w.Title
	return c, nil
}
