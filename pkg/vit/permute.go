package vit

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"strconv"
	"strings"

	"gaze/pkg/nn"
	"gaze/pkg/weights"
)

// Permuted is a copy of the model in which what it has learnt is destroyed from a block
// upwards, for the randomisation test of explanations (Adebayo et al., Sanity Checks for
// Saliency Maps, 2018). The values of every parameter of block from, counted from 0, of all
// later blocks, of the last norms and of the head are put in random order, each parameter
// by itself, so that its distribution stays. [Config].Depth permutes only what comes
// after the blocks, -1 also the embeddings. A parameter gets the same order whatever else
// is permuted, so that copies from the head downwards are a cascade.
//
// The copy needs the model's file where parameters aren't permuted: close it last.
func (m *Model) Permuted(from int, seed uint64) (*Model, error) {
	if from < -1 || from > m.Config.Depth {
		return nil, fmt.Errorf("vit: there is no block %d to permute from: the model has %d, counted from 0; -1 is the embeddings, %d the head", from, m.Config.Depth, m.Config.Depth)
	}
	out := *m
	out.file, out.params = nil, maps.Clone(m.params)
	for i, p := range m.Config.Parameters() {
		if m.Config.blockOf(p.Name) < from {
			continue
		}
		values, shape, err := m.Parameter(p.Name)
		if err != nil {
			return nil, fmt.Errorf("vit: %w", err)
		}
		mixed := make([]float32, len(values))
		for k, at := range rand.New(rand.NewPCG(seed, uint64(i))).Perm(len(values)) {
			mixed[k] = values[at]
		}
		out.params[p.Name] = nn.Own(weights.NewTensor(p.Name, shape, mixed))
	}
	return &out, nil
}

// blockOf is the block that a parameter belongs to: -1 before the blocks, Depth after them.
func (c Config) blockOf(name string) int {
	if rest, ok := strings.CutPrefix(name, "block_"); ok {
		number, _, _ := strings.Cut(rest, "/")
		if i, err := strconv.Atoi(number); err == nil {
			return i
		}
	}
	switch part, _, _ := strings.Cut(name, "/"); part {
	case "norm", "pool_norm", "pre_logits", "head", "head_dist":
		return c.Depth
	}
	return -1
}
