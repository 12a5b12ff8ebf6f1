package caption

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"gaze/pkg/caption/backbone"
	"gaze/pkg/convnet"
	"gaze/pkg/nn"
	"gaze/pkg/weights"
)

// stored lists the parameters that the captioner's own file has.
func (c Config) stored() []nn.Param {
	list := c.Parameters()
	if c.BackboneFrom == "" {
		return list
	}
	return slices.DeleteFunc(list, func(p nn.Param) bool { return strings.HasPrefix(p.Name, inBackbone) })
}

// LacksBackbone names the checkpoint that the model's backbone has yet to come from; "" if
// the model has all its weights.
func (m *Model) LacksBackbone() string {
	from := m.Config.BackboneFrom
	if from == "" {
		return ""
	}
	for name := range m.params {
		if strings.HasPrefix(name, inBackbone) {
			return ""
		}
	}
	return from
}

// Complete is the model with the weights of its backbone, for a captioner whose file leaves
// them to another checkpoint ([Config].BackboneFrom): find gives the path of the checkpoint
// of a name. A model that has all its weights is returned as it is. Otherwise m is closed.
func (m *Model) Complete(find func(name string) (path string, err error)) (*Model, error) {
	name := m.LacksBackbone()
	if name == "" {
		return m, nil
	}
	path, err := find(name)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("caption: the captioner's backbone, %s: %w", name, err), m.Close())
	}
	c, err := convnet.Load(path)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("caption: the captioner's backbone, %s: %w", name, err), m.Close())
	}
	defer c.Close()
	out, err := m.WithConvNet(c)
	if err != nil {
		return nil, errors.Join(err, m.Close())
	}
	out.Path, out.Warnings = m.Path, m.Warnings
	return out, m.Close()
}

// WithConvNet is the model with the weights of a convolutional network in its backbone.
// Both may be closed afterwards.
func (m *Model) WithConvNet(c *convnet.Model) (*Model, error) {
	have := m.Config.Backbone
	if have.Kind != backbone.ConvNet {
		return nil, fmt.Errorf("caption: the captioner's backbone is of kind %q, not %q", have.Kind, backbone.ConvNet)
	}
	c, err := c.Derive(*have.Conv)
	if err != nil {
		return nil, fmt.Errorf("caption: the captioner has another backbone than this network: %w", err)
	}
	given := nn.Parameters{}
	copied := func(name string, values []float32, shape []int) {
		given[name] = nn.Own(weights.NewTensor(name, shape, slices.Clone(values)))
	}
	for _, p := range have.Parameters() {
		values, shape, err := c.Parameter(p.Name)
		if err != nil {
			return nil, fmt.Errorf("caption: %w", err)
		}
		copied(inBackbone+p.Name, values, shape)
	}
	for _, p := range m.Config.Parameters() {
		if strings.HasPrefix(p.Name, inBackbone) {
			continue
		}
		values, shape, err := m.Parameter(p.Name)
		if err != nil {
			return nil, fmt.Errorf("caption: %w", err)
		}
		copied(p.Name, values, shape)
	}
	if err := given.Check(m.Config.Parameters()); err != nil {
		return nil, fmt.Errorf("caption: %w", err)
	}
	return &Model{Config: m.Config, Layout: LayoutGaze, Vocab: m.Vocab, Remembered: m.Remembered, params: given}, nil
}
