package explain

import (
	"fmt"
	"slices"
	"strings"

	. "github.com/gomlx/gomlx/core/graph"

	"gaze/pkg/vit"
)

// Method is a way of explaining a model's answer by a map over the picture.
type Method struct {
	Name   string // as in flags: "chefer"
	Title  string // as in figures: "Chefer et al."
	Source string // the paper that the formula follows
	Advice string // when to use it, in one sentence

	// Signed maps have negative values for evidence against the class; they are drawn with
	// colours that diverge from zero.
	Signed bool
	// OfClass says that the map is for a class, so that the model needs a head; the maps
	// of other methods are of the model's attention, whatever the class.
	OfClass bool

	// Exactly one of the two makes the maps.
	graph  func(p *pass) *Node         // one program: a value for each patch, [batch, patches]
	search func(j *job) ([]Map, error) // several runs, guided by the host
	apart  bool                        // graph's blocks are apart, as in [vit.Explaining]
	cost   func(c vit.Config, s Settings) int
}

// Cost is how much work a map takes on a model, in forward passes; a backward pass counts
// as two.
func (m *Method) Cost(c vit.Config, s Settings) int { return m.cost(c, s.filled()) }

// Methods lists the methods, the cheapest kinds first.
func Methods() []*Method { return slices.Clone(methods) }

// FindMethod returns the method of a name.
func FindMethod(name string) (*Method, error) {
	var names []string
	for _, m := range methods {
		if m.Name == name {
			return m, nil
		}
		names = append(names, m.Name)
	}
	return nil, fmt.Errorf("there is no method %q: choose of %s", name, strings.Join(names, ", "))
}

// fixed is a cost that depends on nothing.
func fixed(forwards int) func(vit.Config, Settings) int {
	return func(vit.Config, Settings) int { return forwards }
}

// One forward pass, and one forward and one backward pass.
const (
	forward      = 1
	withBackward = 3
)

// methods is the list of all methods. The functions are in a file for each family.
var methods = []*Method{
	{Name: "attention", Title: "Attention", graph: attention, cost: fixed(forward),
		Source: "the softmax weights of one layer",
		Advice: "Shows what one layer reads; it isn't evidence for a class."},
	{Name: "rollout", Title: "Rollout", graph: rollout, cost: fixed(forward),
		Source: "Abnar & Zuidema, Quantifying Attention Flow in Transformers, 2020",
		Advice: "Follows attention through all layers; the same map for every class."},
	{Name: "chefer", Title: "Chefer et al.", OfClass: true, graph: chefer, cost: fixed(withBackward),
		Source: "Chefer, Gur & Wolf, Generic Attention-model Explainability, 2021",
		Advice: "Attention weighted by its gradient, through all layers."},
	{Name: "gradcam", Title: "Grad-CAM", OfClass: true, graph: gradCAM, cost: fixed(withBackward),
		Source: "Selvaraju et al., Grad-CAM, 2017, on the last block's normalised input",
		Advice: "Channels of the last block, weighted by their mean gradient."},
	{Name: "saliency", Title: "Saliency", OfClass: true, search: saliency, cost: fixed(withBackward),
		Source: "Simonyan, Vedaldi & Zisserman, Deep Inside Convolutional Networks, 2014",
		Advice: "The gradient with respect to the pixels; noisy."},
}

// MarshalBinary writes the method's name, so that results with methods can be kept.
func (m *Method) MarshalBinary() ([]byte, error) { return []byte(m.Name), nil }

// UnmarshalBinary makes m the method of the name that data holds.
func (m *Method) UnmarshalBinary(data []byte) error {
	found, err := FindMethod(string(data))
	if err == nil {
		*m = *found
	}
	return err
}
