package vit

import (
	"errors"
	"fmt"
	"slices"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
)

// Want says what a run returns. Nothing else is computed.
//
// Layers are numbered from 0. Negative numbers count from the end: -1 is the last.
type Want struct {
	Logits         bool
	PreLogits      bool  // the head's input: the picture's features
	Norm           bool  // tokens after the last norm
	Embeddings     bool  // tokens before the first block
	Tokens         []int // blocks whose output tokens to return
	Attention      []int // blocks whose attention maps to return, of every query
	ClassAttention []int // blocks whose attention of the class token over the patches to return
	StemFeatures   bool  // of a hybrid: the feature map from which the patches are cut, for [ForwardFeatures]
}

// Array is a result: its values, row-major, and their shape.
type Array struct {
	Shape  []int
	Values []float32
}

// Outputs is what a run returned. What wasn't asked for is empty.
type Outputs struct {
	Logits     Array // [batch, classes]
	PreLogits  Array // [batch, features]
	Norm       Array // [batch, tokens, dim]
	Embeddings Array // [batch, tokens, dim]

	StemFeatures Array // [batch, rows, columns, channels]

	Tokens         []Array // of the wanted layers in order, each [batch, tokens, dim]
	Attention      []Array // of the wanted layers in order, each [batch, heads, tokens, tokens]
	ClassAttention Array   // [batch, wanted layers, heads, patches]: the class token's probabilities of the patches; the softmax is over all tokens

	Grid     [2]int   // rows and columns of patches
	Warnings []string // such as resized position embeddings; the first time they apply
}

// AllLayers lists every layer of the model, for the lists of [Want].
func (c Config) AllLayers() []int {
	layers := make([]int, c.Depth)
	for i := range layers {
		layers[i] = i
	}
	return layers
}

// resolve makes negative numbers of layers positive and checks that the model has what is
// wanted.
func (w Want) resolve(c Config) (Want, error) {
	for _, list := range []*[]int{&w.Tokens, &w.Attention, &w.ClassAttention} {
		*list = slices.Clone(*list)
		for i, layer := range *list {
			if layer < 0 {
				(*list)[i] += c.Depth
			}
			if layer < -c.Depth || layer >= c.Depth {
				return w, fmt.Errorf("vit: there is no layer %d: the model has layers 0 to %d (or -%d to -1)", layer, c.Depth-1, c.Depth)
			}
		}
	}
	switch {
	case w.Logits && c.Classes == 0:
		return w, errors.New("vit: the model has no head, so it can't classify")
	case len(w.ClassAttention) > 0 && !c.ClassToken:
		return w, errors.New("vit: the model has no class token, so its attention can't be shown")
	case w.StemFeatures && c.Stem == nil:
		return w, errors.New("vit: the model has no stem whose features could be wanted: its patches are cut from the picture")
	case !w.Logits && !w.PreLogits && !w.Norm && !w.Embeddings && !w.StemFeatures && len(w.Tokens)+len(w.Attention)+len(w.ClassAttention) == 0:
		return w, errors.New("vit: nothing is wanted of this run: set a field of Want")
	}
	return w, nil
}

// pick lists the nodes that are wanted, in the order in which unpack takes them. They are
// made after all weights have been read: the Go backend fails on a graph with parameters
// after its last output.
func (w Want) pick(c Config, all *Intermediates) []*Node {
	var nodes []*Node
	single := []struct {
		wanted bool
		node   *Node
	}{{w.Logits, all.Logits}, {w.PreLogits, all.PreLogits}, {w.Norm, all.Norm}, {w.Embeddings, all.Embeddings}, {w.StemFeatures, all.StemFeatures}}
	for _, s := range single {
		if s.wanted {
			nodes = append(nodes, Identity(s.node))
		}
	}
	for _, i := range w.Tokens {
		nodes = append(nodes, Identity(all.Blocks[i].Tokens))
	}
	for _, i := range w.Attention {
		nodes = append(nodes, Identity(all.Blocks[i].Attention.Probabilities()))
	}
	var rows []*Node
	for _, i := range w.ClassAttention {
		row := all.Blocks[i].Attention.QueryProbabilities(0, 1)
		rows = append(rows, Squeeze(SliceAxis(row, 3, AxisRangeToEnd(c.Prefix())), 2))
	}
	if len(rows) > 0 {
		nodes = append(nodes, Stack(rows, 1))
	}
	return nodes
}

// unpack copies the results out of the backend and frees them there.
func (w Want) unpack(results []*tensors.Tensor) (*Outputs, error) {
	defer func() {
		for _, t := range results {
			t.FinalizeAll() // one that can't be freed is no reason to lose the others
		}
	}()
	out := &Outputs{}
	next := 0
	var errs []error
	take := func() Array {
		t := results[next]
		next++
		values, err := tensors.CopyFlatData[float32](t)
		errs = append(errs, err)
		return Array{Shape: slices.Clone(t.Shape().Dimensions), Values: values}
	}
	single := []struct {
		wanted bool
		to     *Array
	}{{w.Logits, &out.Logits}, {w.PreLogits, &out.PreLogits}, {w.Norm, &out.Norm}, {w.Embeddings, &out.Embeddings}, {w.StemFeatures, &out.StemFeatures}}
	for _, s := range single {
		if s.wanted {
			*s.to = take()
		}
	}
	for range w.Tokens {
		out.Tokens = append(out.Tokens, take())
	}
	for range w.Attention {
		out.Attention = append(out.Attention, take())
	}
	if len(w.ClassAttention) > 0 {
		out.ClassAttention = take()
	}
	return out, errors.Join(errs...)
}
