package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"

	"gaze/pkg/data"
	"gaze/pkg/train"
	"gaze/pkg/transform"
	"gaze/pkg/weights"
)

// pixels is how EfficientNet-Lite takes them: (x-127)/128.
const pixels = "totensor | normalize(0.4980392157,0.5019607843)"

// view is one way of looking at every picture of a set.
type view struct {
	name     string
	pipeline string
	draw     int // number of the random draw; 0 for pipelines without random steps
}

// featuresOf computes a network's features of a view, or reads them from the work folder.
// run makes the features of a batch of pictures, each [3, side, side], one after another.
func (r *recipe) featuresOf(ctx context.Context, network string, set *data.Dataset, v view, run func(images []float32, n int) ([]float32, error)) (*train.FeatureSet, error) {
	hash, err := set.Hash(ctx)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256([]byte(fmt.Sprint(network, hash, v, r.seed)))
	path := filepath.Join(r.work, "features", fmt.Sprintf("%s-%s.safetensors", v.name, hex.EncodeToString(sum[:6])))
	if f, err := readFeatures(path, set); err == nil {
		return f, nil
	}
	pipeline, err := transform.Parse(v.pipeline)
	if err != nil {
		return nil, err
	}
	loader, err := data.NewLoader(set, data.LoaderOptions{Pipeline: pipeline, Batch: 16, Seed: r.seed})
	if err != nil {
		return nil, err
	}
	f := &train.FeatureSet{}
	m := newMeter(network+", "+v.name, set.Len())
	for b, err := range loader.Batches(ctx, v.draw, 0) {
		if err != nil {
			return nil, err
		}
		values, err := run(b.Images, len(b.Labels))
		if err != nil {
			return nil, err
		}
		f.Dim = len(values) / len(b.Labels)
		f.Values, f.Labels = append(f.Values, values...), append(f.Labels, b.Labels...)
		m.add(len(b.Labels))
	}
	return f, writeFeatures(path, f)
}

// large is the number of values of a picture from which on they are kept as float16.
const large = 1 << 13

// writeFeatures keeps features. Large ones are rounded to float16 before they are used for
// the first time, so that a run that goes on uses the same.
func writeFeatures(path string, f *train.FeatureSet) error {
	t := weights.NewTensor("features", []int{len(f.Labels), f.Dim}, f.Values)
	if f.Dim >= large {
		var err error
		if t, err = t.Half(); err != nil {
			return err
		}
		if f.Values, err = t.Float32s(); err != nil {
			return err
		}
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return weights.WriteSafetensors(path, []*weights.Tensor{t}, nil)
}

func readFeatures(path string, set *data.Dataset) (*train.FeatureSet, error) {
	file, err := weights.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	t, ok := file.Tensor("features")
	if !ok || len(t.Shape) != 2 || t.Shape[0] != set.Len() {
		return nil, fmt.Errorf("%s doesn't hold the set's features", path)
	}
	values, err := t.Float32s()
	if err != nil {
		return nil, err
	}
	f := &train.FeatureSet{Values: append([]float32(nil), values...), Dim: t.Shape[1]}
	for i := range set.Len() {
		f.Labels = append(f.Labels, set.Label(i))
	}
	return f, nil
}
