package vit

import (
	"fmt"
	"slices"
	"strings"
)

// Description is what is known about a checkpoint without running it.
type Description struct {
	Path         string   `json:"path,omitempty"`
	Format       string   `json:"format"`
	Layout       Layout   `json:"layout"`
	Architecture string   `json:"architecture"`
	Parameters   int      `json:"parameters"`
	ImageSize    [2]int   `json:"image_size"` // height, width
	PatchSize    [2]int   `json:"patch_size"`
	Stem         string   `json:"stem,omitempty"` // the network from whose feature map patches are cut; empty: from the picture
	Grid         [2]int   `json:"grid"`           // rows, columns
	Dim          int      `json:"dim"`
	Depth        int      `json:"depth"`
	Heads        int      `json:"heads"`
	MLPDim       int      `json:"mlp_dim"`
	Prefix       []string `json:"prefix_tokens"` // in order, before the patches
	Activation   string   `json:"activation"`
	NormEps      float64  `json:"layer_norm_eps"`
	Pooling      string   `json:"pooling"`
	Classes      int      `json:"classes"`
	Labels       []string `json:"labels,omitempty"`
	Pipeline     string   `json:"pipeline"`                 // empty where it can't be told
	NoPipeline   string   `json:"pipeline_error,omitempty"` // why it can't be told
	Warnings     []string `json:"warnings,omitempty"`

	Weights    string   `json:"weights,omitempty"`     // the set of weights that was taken; "top" if nothing precedes its names
	Sets       []string `json:"sets,omitempty"`        // all sets of weights in the file
	PassedOver []string `json:"passed_over,omitempty"` // tensors that play no part before the head
	HeadNames  []string `json:"head_names,omitempty"`  // other layers that could be taken for the head
}

// Describe describes the checkpoint.
func (m *Model) Describe() Description {
	c := m.Config
	format := m.format
	if format == "" {
		format = "memory"
	}
	noPipeline := ""
	if _, err := m.Preprocessing(); err != nil {
		noPipeline = err.Error()
	}
	stem := ""
	if c.Stem != nil {
		stem = c.Stem.Architecture()
	}
	return Description{
		Path: m.Path, Format: format, Layout: m.Layout, Architecture: m.Name, Parameters: c.ParameterCount(),
		ImageSize: c.ImageSize, PatchSize: c.PatchSize, Stem: stem, Grid: c.Grid(),
		Dim: c.Dim, Depth: c.Depth, Heads: c.Heads, MLPDim: c.MLPDim, Prefix: c.PrefixTokens(),
		Activation: c.Activation.String(), NormEps: c.NormEps, Pooling: c.Pool.String(),
		Classes: c.Classes, Labels: m.Labels, Pipeline: m.pipeline, NoPipeline: noPipeline, Warnings: slices.Concat(m.Warnings, m.PipelineWarnings),
		Weights: m.set, Sets: m.sets, PassedOver: m.passed, HeadNames: m.headNames(),
	}
}

// PrefixTokens names the tokens before the patches, in order.
func (c Config) PrefixTokens() []string {
	names := []string{}
	if c.ClassToken {
		names = append(names, "class")
	}
	if c.DistToken {
		names = append(names, "distillation")
	}
	for i := range c.Registers {
		names = append(names, fmt.Sprintf("register %d", i+1))
	}
	return names
}

// ParameterCount is the number of learned values.
func (c Config) ParameterCount() int {
	n := 0
	for _, p := range c.Parameters() {
		n += p.Len()
	}
	return n
}

// sizes are the names that papers give to widths and depths.
var sizes = []struct {
	name       string
	dim, depth int
}{
	{"Ti", 192, 12}, {"S", 384, 12}, {"B", 768, 12}, {"L", 1024, 24}, {"SO400M", 1152, 27}, {"H", 1280, 32},
	{"g", 1408, 40}, {"g", 1536, 40}, {"G", 1664, 48},
}

// Architecture is the model's usual name: "ViT-B/16", "ViT-S/14 with 4
// registers", "ViT-Ti/16 distilled", "R50+ViT-B/16" for a hybrid. A size without a name is given by width and depth.
func (c Config) Architecture() string {
	size := fmt.Sprintf("%dx%d", c.Dim, c.Depth)
	for _, s := range sizes {
		if s.dim == c.Dim && s.depth == c.Depth {
			size = s.name
		}
	}
	patch := fmt.Sprint(c.PatchSize[0])
	if c.PatchSize[0] != c.PatchSize[1] {
		patch = fmt.Sprintf("%dx%d", c.PatchSize[0], c.PatchSize[1])
	}
	var b strings.Builder
	if c.Stem != nil {
		b.WriteString(c.Stem.Architecture() + "+")
	}
	fmt.Fprintf(&b, "ViT-%s/%s", size, patch)
	if c.DistToken {
		b.WriteString(" distilled")
	}
	if c.Registers == 1 {
		b.WriteString(" with 1 register")
	} else if c.Registers > 1 {
		fmt.Fprintf(&b, " with %d registers", c.Registers)
	}
	return b.String()
}
