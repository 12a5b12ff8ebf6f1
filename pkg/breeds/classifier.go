package breeds

import (
	"context"
	"errors"
	"fmt"
	"math"

	"github.com/gomlx/compute"

	"gaze/pkg/convnet"
	"gaze/pkg/transform"
	"gaze/pkg/vit"
	"gaze/pkg/weights"
)

// Classifier names breeds. It is safe for concurrent use.
type Classifier struct {
	Config
	head    linear
	network *convnet.Runner
	vit     *vit.Runner

	networkSteps, vitSteps [2]transform.Pipeline
}

// linear is the layer over the network's features.
type linear struct {
	weight, bias []float32 // [breeds, channels], [breeds]
	channels     int
}

// Answer is what the classifier says of a picture.
type Answer struct {
	// Logits are one number for each breed; their softmax is calibrated.
	Logits []float32
	// Pet is the probability that there is a cat or a dog, by ImageNet's breeds of them.
	Pet float64
	// Looked is the [class] token's attention in the Vision Transformer's block
	// AttentionLayer, mean of heads, over the patches of the picture as the Vision Transformer's first pipeline
	// makes it, and Grid their rows and columns.
	Looked []float32
	Grid   [2]int
}

// Open opens the classifier whose head is the given file, with its configuration beside it.
// find returns the file of a model that the configuration names; it may fetch it.
func Open(b compute.Backend, head string, find func(model string) (path string, err error)) (*Classifier, error) {
	cfg, ok, err := ReadConfig(head)
	if err == nil && !ok {
		err = fmt.Errorf("%s: there is no %s beside it that describes a classifier of breeds", head, ConfigFile)
	}
	if err != nil {
		return nil, fmt.Errorf("breeds: %w", err)
	}
	c := &Classifier{Config: cfg}
	if err := c.open(b, head, find); err != nil {
		c.Close()
		return nil, fmt.Errorf("breeds: %w", err)
	}
	return c, nil
}

func (c *Classifier) open(b compute.Backend, head string, find func(model string) (string, error)) error {
	for i := range 2 {
		var err error
		if c.networkSteps[i], err = transform.Parse(c.NetworkPipeline[i]); err != nil {
			return err
		}
		if c.vitSteps[i], err = transform.Parse(c.ViTPipeline[i]); err != nil {
			return err
		}
	}
	if err := c.openNetwork(b, find); err != nil {
		return err
	}
	if err := c.openViT(b, find); err != nil {
		return err
	}
	var err error
	c.head, err = readLinear(head, len(c.Breeds), c.network.Config().Channels())
	return err
}

func (c *Classifier) openNetwork(b compute.Backend, find func(string) (string, error)) error {
	path, err := find(c.Network)
	if err != nil {
		return err
	}
	m, err := convnet.Load(path)
	if err != nil {
		return err
	}
	defer m.Close()
	if m.Classes != imageNetClasses {
		return fmt.Errorf("%s: it has %d classes, not ImageNet's %d, by which pets are told from other things", path, m.Classes, imageNetClasses)
	}
	c.network, err = convnet.NewRunner(b, m, convnet.WithBatch(2))
	return err
}

func (c *Classifier) openViT(b compute.Backend, find func(string) (string, error)) error {
	path, err := find(c.ViT)
	if err != nil {
		return err
	}
	m, err := vit.Load(path)
	if err != nil {
		return err
	}
	defer m.Close()
	if m.Config.Classes != len(c.Breeds) {
		return fmt.Errorf("%s: it has %d classes, there are %d breeds", path, m.Config.Classes, len(c.Breeds))
	}
	if c.AttentionLayer >= m.Config.Depth {
		return fmt.Errorf("%s: attention_layer is %d, the model has %d blocks", path, c.AttentionLayer, m.Config.Depth)
	}
	c.vit, err = vit.NewRunner(b, m)
	return err
}

// Close frees both models.
func (c *Classifier) Close() error {
	var errs []error
	if c.network != nil {
		errs = append(errs, c.network.Close())
	}
	if c.vit != nil {
		errs = append(errs, c.vit.Close())
	}
	return errors.Join(errs...)
}

// Classify answers for one picture.
func (c *Classifier) Classify(ctx context.Context, im *transform.Image) (Answer, error) {
	in, err := c.Prepare(im)
	if err != nil {
		return Answer{}, err
	}
	return c.Answer(ctx, in)
}

// Prepared is a picture that is ready for [Classifier.Answer]: it and its mirror image, as
// each of the two models takes them.
type Prepared struct{ network, vit []*transform.Tensor }

// Prepare prepares a picture, which isn't needed afterwards.
func (c *Classifier) Prepare(im *transform.Image) (Prepared, error) {
	network, err := prepared(c.networkSteps, im)
	if err != nil {
		return Prepared{}, err
	}
	vit, err := prepared(c.vitSteps, im)
	return Prepared{network, vit}, err
}

// Answer answers for a prepared picture.
func (c *Classifier) Answer(ctx context.Context, in Prepared) (Answer, error) {
	seen, err := c.network.RunTensors(ctx, in.network, convnet.Want{Pooled: true, Logits: true})
	if err != nil {
		return Answer{}, err
	}
	out, err := c.vit.RunTensors(in.vit, vit.Want{Logits: true, ClassAttention: []int{c.AttentionLayer}})
	if err != nil {
		return Answer{}, err
	}
	a := Answer{Logits: make([]float32, len(c.Breeds)), Pet: petMass(halves(seen.Logits.Values)), Grid: out.Grid}
	pooled, logits := halves(seen.Pooled.Values), halves(out.Logits.Values)
	for k := range a.Logits {
		sum := c.head.logit(k, pooled) + c.ViTScale*logits[k]
		a.Logits[k] = float32(sum / c.Temperature)
	}
	a.Looked = meanOfHeads(out.ClassAttention)
	return a, nil
}

// LooksLikePet says whether there seems to be a cat or a dog in the picture.
func (c *Classifier) LooksLikePet(a Answer) bool { return a.Pet >= c.PetThreshold }

// prepared is the picture and its mirror image.
func prepared(steps [2]transform.Pipeline, im *transform.Image) ([]*transform.Tensor, error) {
	var list []*transform.Tensor
	for _, p := range steps {
		t, err := p.Tensor(im)
		if err != nil {
			return nil, err
		}
		list = append(list, t)
	}
	return list, nil
}

// halves is the mean of the first and the second half: of the picture and its mirror image.
func halves(values []float32) []float64 {
	n := len(values) / 2
	out := make([]float64, n)
	for i := range out {
		out[i] = (float64(values[i]) + float64(values[n+i])) / 2
	}
	return out
}

// meanOfHeads is the first picture's map of an array [pictures, 1, heads, patches].
func meanOfHeads(a vit.Array) []float32 {
	heads, patches := a.Shape[2], a.Shape[3]
	out := make([]float32, patches)
	for i, v := range a.Values[:heads*patches] {
		out[i%patches] += v / float32(heads)
	}
	return out
}

func readLinear(path string, breeds, channels int) (linear, error) {
	file, err := weights.Open(path)
	if err != nil {
		return linear{}, err
	}
	defer file.Close()
	l := linear{channels: channels}
	for _, part := range []struct {
		name  string
		shape []int
		to    *[]float32
	}{{"weight", []int{breeds, channels}, &l.weight}, {"bias", []int{breeds}, &l.bias}} {
		t, ok := file.Tensor(part.name)
		if !ok {
			return linear{}, fmt.Errorf("%s: there is no tensor %q", path, part.name)
		}
		if fmt.Sprint(t.Shape) != fmt.Sprint(part.shape) {
			return linear{}, fmt.Errorf("%s: %s has the shape %v, not %v", path, part.name, t.Shape, part.shape)
		}
		values, err := t.Float32s()
		if err != nil {
			return linear{}, err
		}
		for _, v := range values {
			if math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) {
				return linear{}, fmt.Errorf("%s: %s has a value that isn't finite", path, part.name)
			}
		}
		*part.to = append([]float32(nil), values...)
	}
	return l, nil
}

func (l linear) logit(class int, features []float64) float64 {
	sum := float64(l.bias[class])
	for i, w := range l.weight[class*l.channels : (class+1)*l.channels] {
		sum += float64(w) * features[i]
	}
	return sum
}
