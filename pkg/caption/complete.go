package caption

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"gaze/pkg/convnet"
	"gaze/pkg/nn"
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
	out, err := m.WithConv(c)
	if err != nil {
		return nil, errors.Join(err, m.Close())
	}
	out.Path, out.Warnings = m.Path, m.Warnings
	return out, m.Close()
}
