package vit

import (
	"errors"
	"fmt"
	"slices"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"gaze/pkg/nn"
)

// WithGradients makes a runner whose weights aren't packed, so that the graphs of
// [Runner.Program] can be differentiated.
func WithGradients(r *Runner) { r.gradients = true }

// A Program is a graph of the caller's own over a model's weights. scope and cfg are what
// [Forward] and [ForwardExplaining] take; images are the pictures, [batch, channels,
// height, width], more the further inputs. Its results must be float32.
type Program func(scope *model.Scope, cfg Config, images *graph.Node, more []*graph.Node) []*graph.Node

// Results are what a [Program] returned.
type Results struct {
	Arrays   []Array  // in the program's order
	Config   Config   // for the size of these pictures
	Warnings []string // such as resized position embeddings; the first time they apply
}

// Program runs a graph of the caller's own. It is compiled on first use for each key, batch
// size and picture size; a key must stand for one graph. Pictures are as in [Runner.Run].
// more are further inputs, which the caller frees.
func (r *Runner) Program(key string, images []float32, shape [4]int, build Program, more ...*tensors.Tensor) (*Results, error) {
	if r.how.BFloat16 {
		return nil, errors.New("vit: this runner rounds to bfloat16, but explanations and their gradients need float32: make one without InBFloat16")
	}
	results, cfg, warnings, err := r.execute("program "+key, images, shape, build, more...)
	if err != nil {
		return nil, err
	}
	defer nn.Free(results...)
	out := &Results{Config: cfg, Warnings: warnings}
	for _, t := range results {
		values, err := tensors.CopyFlatData[float32](t)
		if err != nil {
			return nil, fmt.Errorf("vit: %w", err)
		}
		out.Arrays = append(out.Arrays, Array{Shape: slices.Clone(t.Shape().Dimensions), Values: values})
	}
	return out, nil
}

// execute runs the program of a key on pictures. It returns its results, the configuration
// for pictures of this size and the warnings that weren't returned yet.
func (r *Runner) execute(key string, images []float32, shape [4]int, build Program, more ...*tensors.Tensor) ([]*tensors.Tensor, Config, []string, error) {
	if n := shape[0] * shape[1] * shape[2] * shape[3]; n != len(images) || n == 0 {
		return nil, Config{}, nil, fmt.Errorf("vit: %d values for pictures of shape %v", len(images), shape)
	}
	if err := r.checkSize(shape); err != nil {
		return nil, Config{}, nil, err
	}
	input, err := nn.Input(r.backend, images, shape[:]...)
	if err != nil {
		return nil, Config{}, nil, fmt.Errorf("vit: %w", err)
	}
	defer nn.Free(input)

	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return nil, Config{}, nil, errors.New("vit: the runner is closed")
	}
	n, err := r.net(shape)
	if err != nil {
		return nil, Config{}, nil, err
	}
	inputs := []any{input}
	for _, t := range more {
		inputs = append(inputs, t)
		key += fmt.Sprint(" ", t.Shape())
	}
	results, err := nn.Run(r.programs, n.store, fmt.Sprintf("%v %s", shape, key), func(scope *model.Scope, nodes []*graph.Node) []*graph.Node {
		return build(scope, n.config, nodes[0], nodes[1:])
	}, inputs...)
	if err = errors.Join(err, r.freeUnused()); err != nil {
		return nil, Config{}, nil, fmt.Errorf("vit: running %s on pictures of shape %v: %w", r.config.Architecture(), shape, err)
	}
	var warnings []string
	if size := n.config.ImageSize; n.warning != "" && !r.warned[size] {
		warnings, r.warned[size] = []string{n.warning}, true
	}
	return results, n.config, warnings, nil
}
