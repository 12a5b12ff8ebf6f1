package notebook

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"gaze/internal/environ"
	"gaze/internal/report"
	"gaze/pkg/backend"
	"gaze/pkg/data"
	"gaze/pkg/explain"
	"gaze/pkg/hub"
	"gaze/pkg/train"
	"gaze/pkg/transform"
)

// Classifier opens a checkpoint whose answers can be explained: the one that GAZE_VIT names
// if it has a head, as [Model] opens it, otherwise [hub.Pets37ViT], which ships. Trouble ends
// the cell with the reason, as [Check] does.
func Classifier() *Weights { return Must(classifier()) }

func classifier() (*Weights, error) {
	if environ.Get(report.EnvVIT) != "" {
		w, err := open()
		if err != nil {
			return nil, err
		}
		if w.Config.Classes > 1 {
			return w, nil
		}
		note(fmt.Sprintf("note: %s has no head, so there is no answer of it to explain: %s is explained instead", w.Title, hub.Pets37ViT))
		w.Close()
	}
	return openKnown(hub.Pets37ViT)
}

// Explain answers a question about pictures by a model: maps by one or several methods, for
// one or several classes. Results that an earlier cell or run computed for the same
// weights, question and file are read from the cache. A picture that can't be read is
// skipped with a note; trouble otherwise ends the cell with the reason, as [Check] does.
//
//	notebook.Explain(w, explain.Question{Methods: "chefer, legrad", Top: 3}, pictures...)
func Explain(w *Weights, q explain.Question, pictures ...string) []*explain.Comparison {
	return Must(explainAll(w, q, pictures))
}

func explainAll(w *Weights, q explain.Question, pictures []string) ([]*explain.Comparison, error) {
	a, err := q.For(w.Config, w.Labels)
	if err != nil {
		return nil, err
	}
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
	x := &explaining{weights: w, pipeline: p, question: a}
	defer x.close()
	return eachReadable(pictures, func(picture string) (*explain.Comparison, error) {
		file, err := FileKey(picture)
		if err != nil {
			return nil, err
		}
		key := []any{"1", weights, w.Title, p.String(), questionKey(q), file}
		c, err := Cached(filepath.Join(dir, "cells"), "explained", key, func() (*explain.Comparison, error) { return x.explain(picture) })
		if err == nil && len(a.Methods) > 1 {
			c.Notes = report.LeagueRanks()
		}
		return c, err
	})
}

// questionKey is everything in a question that maps depend on.
func questionKey(q explain.Question) string {
	key := fmt.Sprintf("%s|%s|%d|%s|%d", q.Methods, q.Classes, q.Top, q.Against, q.Seed)
	if q.Query != nil {
		key += fmt.Sprintf("|query %v", *q.Query)
	}
	s := q.Settings
	if s.Layer != nil {
		key += fmt.Sprintf("|layer %d", *s.Layer)
	}
	s.Layer = nil
	return key + fmt.Sprintf("|%+v", s)
}

// explaining runs a model. It is opened at the first picture.
type explaining struct {
	weights   *Weights
	pipeline  transform.Pipeline
	question  *explain.Answerable
	explainer *explain.Explainer
}

func (x *explaining) explain(picture string) (*explain.Comparison, error) {
	im, damage, err := data.DecodeFor(picture, x.pipeline)
	if err != nil {
		return nil, err
	}
	if damage != "" {
		fmt.Fprintf(os.Stderr, "note: %s: damaged: %s\n", picture, damage)
	}
	if x.explainer == nil {
		b, err := backend.Default()
		if err != nil {
			return nil, err
		}
		if x.explainer, err = explain.NewExplainer(b, x.weights.Model); err != nil {
			return nil, err
		}
	}
	c, err := explain.Compare(x.explainer, x.pipeline, filepath.Base(picture), im, x.question)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", picture, err)
	}
	c.Model = x.weights.Title
	for _, text := range c.Warnings {
		note("note: " + text)
	}
	return c, nil
}

func (x *explaining) close() {
	if x.explainer != nil {
		x.explainer.Close()
	}
}

// openKnown opens a checkpoint of the catalogue, which is fetched if need be.
func openKnown(name string) (*Weights, error) {
	environ.WarnOnce(os.Stderr)
	known, ok := hub.Find(name)
	if !ok {
		return nil, fmt.Errorf("there is no checkpoint %q in the catalogue", name)
	}
	r, err := hub.Pull(context.Background(), name, hub.Options{Log: note})
	if err != nil {
		return nil, err
	}
	w := &Weights{What: known.Title, Source: r.Source, License: r.License}
	if w.Model, err = train.LoadModel(r.Path); err != nil {
		return nil, err
	}
	w.Title = fmt.Sprintf("%s (%s)", w.Name, name)
	return w, nil
}
