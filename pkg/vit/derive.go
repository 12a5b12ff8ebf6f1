package vit

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"

	"gaze/pkg/nn"
	"gaze/pkg/weights"
)

// WithHead returns the model with a new head for the given classes, to be trained. Its
// weights are drawn with the seed from a truncated normal distribution of deviation 0.02,
// its biases are zero. labels names the classes, or is nil. A pre-logits layer belongs to
// the old head and is removed with it. The rest is shared with m, which must stay open.
func (m *Model) WithHead(classes int, labels []string, seed uint64) (*Model, error) {
	if classes < 1 || labels != nil && len(labels) != classes {
		return nil, fmt.Errorf("vit: a head of %d classes with %d names: give at least one class, and a name for each or none", classes, len(labels))
	}
	out := *m
	out.file, out.Path = nil, ""
	out.Labels = slices.Clone(labels)
	out.params = maps.Clone(m.params)
	// If it acts on all tokens, the norm after it stays and must still fit.
	if p := out.Config.PreLogits; p == PreLogitsToken || p == PreLogitsAll && out.Config.Representation == out.Config.Dim {
		out.Config.PreLogits, out.Config.Representation = NoPreLogits, 0
		maps.DeleteFunc(out.params, func(name string, _ *nn.Stored) bool { return strings.HasPrefix(name, "pre_logits/") })
	}
	out.Config.Classes = classes
	for i, p := range out.Config.Parameters() {
		if !strings.HasPrefix(p.Name, "head/") && !strings.HasPrefix(p.Name, "head_dist/") {
			continue
		}
		data := make([]float32, p.Len())
		fillRandom(data, p, rand.New(rand.NewPCG(seed, uint64(i))))
		out.params[p.Name] = nn.Own(weights.NewTensor(p.Name, p.Shape, data))
	}
	return &out, nil
}

// WithoutHead returns the model without its head and pre-logits layer, as it is published
// for others to fine-tune. The rest is shared with m, which must stay open.
func (m *Model) WithoutHead() *Model {
	out := *m
	out.file, out.Path, out.Labels = nil, "", nil
	out.params = maps.Clone(m.params)
	out.Config.Classes = 0
	// If it acts on all tokens, the norm after it stays and must still fit.
	if p := out.Config.PreLogits; p == PreLogitsToken || p == PreLogitsAll && out.Config.Representation == out.Config.Dim {
		out.Config.PreLogits, out.Config.Representation = NoPreLogits, 0
	}
	maps.DeleteFunc(out.params, func(name string, _ *nn.Stored) bool {
		return strings.HasPrefix(name, "head/") || strings.HasPrefix(name, "head_dist/") || strings.HasPrefix(name, "pre_logits/") && out.Config.PreLogits == NoPreLogits
	})
	return &out
}

// WithPipeline returns the model with another preprocessing, in the notation of package
// transform. [Model.Save] keeps it. The rest is shared with m, which must stay open.
func (m *Model) WithPipeline(spec string) *Model {
	out := *m
	out.file, out.pipeline, out.pipelineErr, out.PipelineWarnings = nil, spec, nil, nil
	return &out
}

// WithSome returns the model with some of its parameters replaced, such as those that were
// trained while the others were frozen. The others' memory is shared with m, which must stay
// open. A name that the model doesn't have and another shape are errors.
func (m *Model) WithSome(values []*weights.Tensor) (*Model, error) {
	some, err := nn.Owned(values)
	if err != nil {
		return nil, fmt.Errorf("vit: %w", err)
	}
	out := *m
	out.file, out.Path = nil, ""
	out.params = maps.Clone(m.params)
	maps.Copy(out.params, some)
	if err := out.params.Check(m.Config.Parameters()); err != nil {
		return nil, fmt.Errorf("vit: %w", err)
	}
	return &out, nil
}

// WithParameters returns a model of the same configuration with other values, which must be
// all of [Config.Parameters], in any order.
func (m *Model) WithParameters(values []*weights.Tensor) (*Model, error) {
	params, err := nn.Owned(values)
	if err == nil {
		err = params.Check(m.Config.Parameters())
	}
	if err != nil {
		return nil, fmt.Errorf("vit: %w", err)
	}
	out := *m
	out.file, out.Path, out.params = nil, "", params
	return &out, nil
}
