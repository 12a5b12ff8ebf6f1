package notebook

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"gaze/pkg/data"
	"gaze/pkg/explain"
	"gaze/pkg/hub"
	"gaze/pkg/transform"
	"gaze/pkg/vit"
)

// Features returns the patch tokens of each picture after the model's last norm, in order.
// pipeline "" means the checkpoint's own. Results are kept between cells, and pictures that
// can't be read are skipped, as in [Attend].
func Features(w *Weights, pipeline string, pictures ...string) ([]*explain.Features, error) {
	return measure(w, pipeline, "features", pictures, func(r *vit.Runner, p transform.Pipeline, name string, im *transform.Image) (*explain.Features, []string, error) {
		f, warnings, err := explain.FeaturesOf(r, p, name, im)
		if err == nil {
			f.Model = w.Title
		}
		return f, warnings, err
	})
}

// PCA shows the patches of pictures as colours: notebook.Show(notebook.Must(notebook.PCA(w,
// "", photographs...)).Figure()). The pictures' [Features] are kept between cells.
func PCA(w *Weights, pipeline string, pictures ...string) (*explain.PCA, error) {
	f, err := Features(w, pipeline, pictures...)
	if err != nil {
		return nil, err
	}
	return explain.PCAOf(explain.PCAOptions{}, f...)
}

// Nearest compares the patches of two pictures. The pictures' [Features] are kept between
// cells.
func Nearest(w *Weights, pipeline, a, b string) (*explain.Nearest, error) {
	f, err := Features(w, pipeline, a, b)
	if err != nil {
		return nil, err
	}
	if len(f) < 2 {
		return nil, fmt.Errorf("only %s can be read of %s and %s: two pictures are needed to compare their patches", f[0].Picture, a, b)
	}
	return explain.NearestPatches(f[0], f[1])
}

// TokenNorms measures the lengths of each picture's tokens after every layer. pipeline,
// caching and pictures that can't be read are as in [Attend].
func TokenNorms(w *Weights, pipeline string, pictures ...string) ([]*explain.Norms, error) {
	return measure(w, pipeline, "norms", pictures, func(r *vit.Runner, p transform.Pipeline, name string, im *transform.Image) (*explain.Norms, []string, error) {
		n, warnings, err := explain.NormsOf(r, p, name, im)
		if err == nil {
			n.Model = w.Title
		}
		return n, warnings, err
	})
}

// AttentionDistance measures how far and how widely patches look in every head, averaged
// over pictures. pipeline, caching and pictures that can't be read are as in [Attend]; the
// pipeline must end in one size.
func AttentionDistance(w *Weights, pipeline string, pictures ...string) (*explain.Geometry, error) {
	all, err := measure(w, pipeline, "geometry", pictures, func(r *vit.Runner, p transform.Pipeline, name string, im *transform.Image) (*explain.Geometry, []string, error) {
		g, warnings, err := explain.GeometryOf(r, p, name, im)
		if err == nil {
			g.Model = w.Title
		}
		return g, warnings, err
	})
	if err != nil {
		return nil, err
	}
	return explain.MeanGeometry(all...)
}

// measure calls of for each picture and keeps the results under a name between cells. The
// model is opened at the first picture whose result isn't there yet.
func measure[T any](w *Weights, pipeline, name string, pictures []string,
	of func(r *vit.Runner, p transform.Pipeline, name string, im *transform.Image) (T, []string, error)) ([]T, error) {
	if len(pictures) == 0 {
		return nil, errors.New("there are no pictures: give the paths of some, such as those of notebook.Photographs()")
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
	l := &attender{weights: w, pipeline: p}
	defer l.close()
	return eachReadable(pictures, func(picture string) (result T, err error) {
		file, err := FileKey(picture)
		if err != nil {
			return result, err
		}
		key := []any{"1", weights, w.Title, p.String(), file}
		return Cached(filepath.Join(dir, "cells"), name, key, func() (T, error) { return measureOne(l, picture, of) })
	})
}

// eachReadable calls of for each picture. One that fails is skipped with a note on standard
// error; it is an error if all do.
func eachReadable[T any](pictures []string, of func(picture string) (T, error)) ([]T, error) {
	var out []T
	var bad []error
	for _, picture := range pictures {
		result, err := of(picture)
		if err != nil {
			bad = append(bad, err)
			fmt.Fprintln(os.Stderr, "note: skipped:", err)
			continue
		}
		out = append(out, result)
	}
	if len(out) == 0 {
		return nil, errors.Join(bad...)
	}
	return out, nil
}

// measureOne decodes a picture and calls of, with notes about both.
func measureOne[T any](l *attender, picture string,
	of func(r *vit.Runner, p transform.Pipeline, name string, im *transform.Image) (T, []string, error)) (result T, err error) {
	im, damage, err := data.DecodeFor(picture, l.pipeline)
	if err != nil {
		return result, err
	}
	if damage != "" {
		fmt.Fprintf(os.Stderr, "note: %s: damaged: %s\n", picture, damage)
	}
	if err := l.open(); err != nil {
		return result, err
	}
	result, warnings, err := of(l.runner, l.pipeline, filepath.Base(picture), im)
	if err != nil {
		return result, fmt.Errorf("%s: %w", picture, err)
	}
	for _, text := range warnings {
		note("note: " + text)
	}
	return result, nil
}
