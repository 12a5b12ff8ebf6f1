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
	reads  []string // names of the settings that it has
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

// The costs of the methods that search, with one forward pass for the picture itself.
func tamCost(_ vit.Config, s Settings) int { return forward + withBackward*or(s.Steps, tamSteps) }

func igCost(_ vit.Config, s Settings) int { return forward + withBackward*or(s.Steps, igSteps) }

func smoothCost(_ vit.Config, s Settings) int {
	return forward + withBackward*or(s.Samples, smoothSamples)
}

func riseCost(_ vit.Config, s Settings) int { return forward + or(s.Samples, riseSamples) }

func occlusionCost(c vit.Config, s Settings) int {
	grid := c.Grid()
	return forward + (grid[0]-s.Window+1)*(grid[1]-s.Window+1)
}

func scoreCost(c vit.Config, _ Settings) int { return 2*forward + c.Dim }

// cxCost is the most that it can be: with every channel a mask of its own.
func cxCost(c vit.Config, _ Settings) int { return 2*forward + 2*c.Dim }

// methods is the list of all methods. The functions are in a file for each family.
var methods = slices.Concat(attentionMethods, camMethods, pixelMethods, maskMethods)

// attentionMethods are read off the attention of the layers.
var attentionMethods = []*Method{
	{Name: "attention", Title: "Attention", graph: attention, cost: fixed(forward), reads: []string{layerSetting, headSetting},
		Source: "the softmax weights of one layer",
		Advice: "Shows what one layer reads; it isn't evidence for a class."},
	{Name: "rollout", Title: "Rollout", graph: rollout, cost: fixed(forward), reads: []string{headSetting, discardSetting},
		Source: "Abnar & Zuidema, Quantifying Attention Flow in Transformers, 2020",
		Advice: "Follows attention through all layers; the same map for every class."},
	{Name: "gradrollout", Title: "Gradient rollout", OfClass: true, graph: gradientRollout, cost: fixed(withBackward), reads: []string{headSetting, discardSetting},
		Source: "Gildenblat, vit-explain, 2020, on the rollout of Abnar & Zuidema",
		Advice: "Rollout of the attention that speaks for the class."},
	{Name: "chefer", Title: "Chefer et al.", OfClass: true, graph: chefer, cost: fixed(withBackward),
		Source: "Chefer, Gur & Wolf, Generic Attention-model Explainability, 2021",
		Advice: "Attention weighted by its gradient, through all layers."},
	{Name: "attngradcam", Title: "Attention Grad-CAM", OfClass: true, graph: attentionGradCAM, cost: fixed(withBackward),
		Source: "Chefer, Gur & Wolf, 2021, as a baseline: Grad-CAM with the last layer's heads as channels",
		Advice: "The last layer's heads, weighted by their mean gradient."},
	{Name: "attcat", Title: "AttCAT", Signed: true, OfClass: true, graph: attCAT, cost: fixed(withBackward),
		Source: "Qiang et al., AttCAT: Explaining Transformers via Attentive Class Activation Tokens, 2022",
		Advice: "Tells evidence for the class from evidence against it, token by token."},
	{Name: "legrad", Title: "LeGrad", OfClass: true, graph: leGrad, apart: true, cost: fixed(withBackward),
		Source: "Bousselham et al., LeGrad: An Explainability Method for Vision Transformers, 2024",
		Advice: "How the attention of every layer would have to change for the class."},
	{Name: "tam", Title: "TAM", OfClass: true, search: tam, cost: tamCost, reads: []string{stepsSetting},
		Source: "Yuan et al., Explaining Information Flow Inside Vision Transformers Using Markov Chain, 2021",
		Advice: "Attention through all layers, weighted by integrated gradients of the last."},
}

// camMethods weigh the channels of the last block's normalised input.
var camMethods = []*Method{
	{Name: "gradcam", Title: "Grad-CAM", OfClass: true, graph: gradCAM, cost: fixed(withBackward),
		Source: "Selvaraju et al., Grad-CAM, 2017, on the last block's normalised input",
		Advice: "Channels of the last block, weighted by their mean gradient."},
	{Name: "hirescam", Title: "HiResCAM", Signed: true, OfClass: true, graph: hiResCAM, cost: fixed(withBackward),
		Source: "Draelos & Carin, HiResCAM, 2020, on the last block's normalised input",
		Advice: "What each patch of the last block adds to the answer, for or against."},
	{Name: "layercam", Title: "LayerCAM", OfClass: true, graph: layerCAM, cost: fixed(withBackward),
		Source: "Jiang et al., LayerCAM, 2021, on the last block's normalised input",
		Advice: "Like HiResCAM, of the positive gradients alone."},
	{Name: "gradcampp", Title: "Grad-CAM++", OfClass: true, graph: gradCAMPlusPlus, cost: fixed(withBackward),
		Source: "Chattopadhay et al., Grad-CAM++, 2018, on the last block's normalised input",
		Advice: "Grad-CAM that weighs several small areas as one large; made for features that aren't negative."},
	{Name: "scorecam", Title: "Score-CAM", OfClass: true, search: scoreCAM, cost: scoreCost,
		Source: "Wang et al., Score-CAM, 2020, on the last block's normalised input",
		Advice: "Grad-CAM without gradients; slow."},
}

// pixelMethods are gradients with respect to the pixels.
var pixelMethods = []*Method{
	{Name: "saliency", Title: "Saliency", OfClass: true, search: saliency, cost: fixed(withBackward),
		Source: "Simonyan, Vedaldi & Zisserman, Deep Inside Convolutional Networks, 2014",
		Advice: "The gradient with respect to the pixels; noisy."},
	{Name: "inputgradient", Title: "Input × gradient", Signed: true, OfClass: true, search: inputGradient, cost: fixed(withBackward),
		Source: "Shrikumar et al., Not Just a Black Box, 2016",
		Advice: "The gradient's share of the answer, for or against; noisy."},
	{Name: "ig", Title: "Integrated gradients", Signed: true, OfClass: true, search: integratedGradients, cost: igCost, reads: []string{stepsSetting},
		Source: "Sundararajan, Taly & Yan, Axiomatic Attribution for Deep Networks, 2017",
		Advice: "Values that add up to the answer less that to an empty picture."},
	{Name: "smoothgrad", Title: "SmoothGrad", OfClass: true, search: smoothGrad, cost: smoothCost, reads: []string{samplesSetting, noiseSetting},
		Source: "Smilkov et al., SmoothGrad: Removing Noise by Adding Noise, 2017",
		Advice: "Saliency averaged over noisy copies of the picture, with less noise of its own."},
}

// maskMethods hide parts of the picture and need no gradient.
var maskMethods = []*Method{
	{Name: "occlusion", Title: "Occlusion", Signed: true, OfClass: true, search: occlusion, cost: occlusionCost, reads: []string{windowSetting},
		Source: "Zeiler & Fergus, Visualizing and Understanding Convolutional Networks, 2014",
		Advice: "How much the answer falls when a patch is hidden: easy to explain, slow."},
	{Name: "rise", Title: "RISE", Signed: true, OfClass: true, search: rise, cost: riseCost, reads: []string{samplesSetting, originalSetting},
		Source: "Petsiuk, Das & Saenko, RISE: Randomized Input Sampling for Explanation, 2018, centred",
		Advice: "What raises the answer in random masks of the picture; smooth and slow."},
	{Name: "rise-tokens", Title: "RISE of tokens", Signed: true, OfClass: true, search: riseTokens, cost: riseCost, reads: []string{samplesSetting, originalSetting},
		Source: "RISE, 2018, centred, with patches taken out of the sequence",
		Advice: "Like RISE, without a colour that stands for what is hidden."},
	{Name: "vitcx", Title: "ViT-CX", OfClass: true, search: viTCX, cost: cxCost, reads: []string{noiseSetting},
		Source: "Xie et al., ViT-CX: Causal Explanation of Vision Transformers, 2023",
		Advice: "What the answer loses without the patches that the last layer sees alike; slow."},
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
