package notebook

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"

	"gaze/internal/report"
	"gaze/pkg/backend"
	"gaze/pkg/explain"
	"gaze/pkg/hub"
)

// ExplainWords makes the map of every word piece of a caption by one of
// [explain.WordMethods], for [explain.CaptionStyle]: rather than where the decoder looked,
// what in the picture speaks for the word. c is one of [Captions] or of [DrawnCaptions].
// Results that an earlier cell computed are read from the cache. Trouble ends the cell with
// the reason, as [Check] does.
func ExplainWords(c *explain.Captioned, method string) *explain.WordMaps {
	return Must(explainWords(c, method))
}

func explainWords(c *explain.Captioned, method string) (*explain.WordMaps, error) {
	m, err := explain.FindWordMethod(method)
	if err != nil {
		return nil, err
	}
	named := func(p report.Picture) bool { return p.Name == c.Picture }
	set, open := captionPictures().Pictures, openCaptioner
	if slices.ContainsFunc(report.DrawnPictures(), named) {
		set, open = report.DrawnPictures(), testedCaptioner
	}
	i := slices.IndexFunc(set, named)
	if i < 0 {
		return nil, fmt.Errorf("%s is none of the pictures that are captioned", c.Picture)
	}
	by, err := open()
	if err != nil {
		return nil, err
	}
	defer by.Close()
	weights, err := by.key()
	if err != nil {
		return nil, err
	}
	dir, err := hub.CacheDir()
	if err != nil {
		return nil, err
	}
	var file any = report.SceneSize
	if path := set[i].Path; path != "" {
		if file, err = FileKey(path); err != nil {
			return nil, err
		}
	}
	key := []any{"1", weights, method, c.IDs(), set[i].Name, file}
	k, err := Cached(filepath.Join(dir, "cells"), "words", key, func() (keptWords, error) {
		w, err := wordMaps(by, set[i], c, method)
		if err != nil {
			return keptWords{}, err
		}
		return keptWords{w.Tokens, w.Maps, w.LogProbs}, nil
	})
	return &explain.WordMaps{Method: m, Tokens: k.Tokens, Maps: k.Maps, LogProbs: k.LogProbs}, err
}

// keptWords is what is kept of maps of words.
type keptWords struct {
	Tokens   []int
	Maps     []explain.Map
	LogProbs []float64
}

// wordMaps runs the captioner on the picture once more, with its caption given.
func wordMaps(by *Captioner, p report.Picture, c *explain.Captioned, method string) (*explain.WordMaps, error) {
	im, _, _, err := p.Open()
	if err != nil {
		return nil, err
	}
	m, err := report.CompleteCaptioner(context.Background(), by.Model, hub.Options{Log: note})
	if err != nil {
		return nil, err
	}
	b, err := backend.Default()
	if err != nil {
		return nil, err
	}
	e, err := explain.NewWordExplainer(b, m)
	if err != nil {
		return nil, err
	}
	defer e.Close()
	cfg := e.Config()
	input, err := cfg.Preprocess(im)
	if err != nil {
		return nil, err
	}
	return e.Explain(method, input, c.IDs(), explain.WordOptions{})
}
