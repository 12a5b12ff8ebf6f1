package batch

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"

	"gaze/pkg/backend"
	"gaze/pkg/breeds"
	"gaze/pkg/caption"
	"gaze/pkg/convnet"
	"gaze/pkg/explain"
	"gaze/pkg/transform"
	"gaze/pkg/vit"
)

// Pictures that run together where a job doesn't say: more are no faster.
const (
	cpuBatch  = 8
	cardBatch = 64
)

// classifying makes the results of logits.
type classifying struct {
	spec   Spec
	labels []string // nil: numbers
}

// classify fills in the class and its probability, the softmax of the logits.
func (c classifying) classify(r *Result, logits []float32) error {
	best, sum := 0, 0.0
	for i, v := range logits {
		if v > logits[best] {
			best = i
		}
	}
	for _, v := range logits {
		sum += math.Exp(float64(v) - float64(logits[best]))
	}
	if math.IsNaN(sum) || math.IsInf(sum, 0) {
		return errNotFinite
	}
	if c.spec.Wanted(Logits) {
		r.Logits = slices.Clone(logits)
	}
	if c.spec.Wanted(Classes) {
		r.Class, r.Probability, r.Label = best, 1/sum, strconv.Itoa(best)
		if c.labels != nil {
			r.Label = c.labels[best]
		}
	}
	return nil
}

var errNotFinite = errors.New("the model's output isn't finite: its weights may be damaged ('gaze model FILE' checks them)")

// finite is an error if a value isn't.
func finite(values []float32) error {
	for _, v := range values {
		if v-v != 0 {
			return errNotFinite
		}
	}
	return nil
}

// tensorOf prepares a picture by a pipeline.
func tensorOf(p transform.Pipeline, im *transform.Image) (Prepared, error) {
	t, err := p.Tensor(im)
	if err != nil {
		return Prepared{}, err
	}
	return Prepared{t.Shape, t}, nil
}

// tensorsOf are the pictures that tensorOf prepared.
func tensorsOf(pictures []Prepared) []*transform.Tensor {
	list := make([]*transform.Tensor, len(pictures))
	for i, p := range pictures {
		list[i] = p.Value.(*transform.Tensor)
	}
	return list
}

// vitModel is a Vision Transformer.
type vitModel struct {
	classifying
	runner   *vit.Runner
	pipeline transform.Pipeline
	want     vit.Want
	heads    explain.Heads
	batch    int
	flight   int
	warn     func(string)
}

// NewViT makes the results of a job with a Vision Transformer, which it closes at its end.
// labels are the classes' names; nil: numbers. warn gets the runner's warnings. Batches are
// filled up to one size, so that one program serves for all; a row's other pictures then
// don't change it.
func NewViT(r *vit.Runner, p transform.Pipeline, labels []string, s Spec, warn func(string)) (Model, error) {
	m := &vitModel{classifying: classifying{s, labels}, runner: r, pipeline: p, batch: s.Batch, flight: 1, warn: warn}
	m.want = vit.Want{Logits: s.Wanted(Classes) || s.Wanted(Logits), PreLogits: s.Wanted(Embeddings)}
	if s.Wanted(Attention) {
		m.want.ClassAttention = []int{s.Layer}
		var err error
		if m.heads, err = explain.ParseHeads(s.Heads); err != nil {
			return nil, err
		}
	}
	if m.batch > 0 {
		return m, nil
	}
	m.batch = cpuBatch
	if backend.IsCard(r.Backend()) {
		m.batch, m.flight = cardBatch, 2
	}
	if _, _, _, fixed := p.OutputSize(); !fixed {
		m.batch = 1 // most groups would be filled up with copies
	}
	return m, nil
}

func (m *vitModel) Background() *[3]uint8 { return m.pipeline.Background() }
func (m *vitModel) Batch() int            { return m.batch }
func (m *vitModel) InFlight() int         { return m.flight }
func (m *vitModel) Close() error          { return m.runner.Close() }

func (m *vitModel) Prepare(im *transform.Image) (Prepared, error) { return tensorOf(m.pipeline, im) }

func (m *vitModel) Run(_ context.Context, pictures []Prepared) ([]Result, error) {
	tensors := tensorsOf(pictures)
	for len(tensors) < m.batch {
		tensors = append(tensors, tensors[len(tensors)-1])
	}
	o, err := m.runner.RunTensors(tensors, m.want)
	if err != nil {
		return nil, err
	}
	for _, w := range o.Warnings {
		m.warn(w)
	}
	results := make([]Result, len(pictures))
	for i := range results {
		if err := m.result(&results[i], o, i, len(tensors)); err != nil {
			return nil, err
		}
	}
	return results, nil
}

// result takes a picture's results out of those of a batch.
func (m *vitModel) result(r *Result, o *vit.Outputs, i, of int) error {
	part := func(a vit.Array) []float32 {
		n := len(a.Values) / of
		return a.Values[i*n : (i+1)*n : (i+1)*n]
	}
	if m.want.Logits {
		if err := m.classify(r, part(o.Logits)); err != nil {
			return err
		}
	}
	if m.want.PreLogits {
		r.Embedding = slices.Clone(part(o.PreLogits))
		if err := finite(r.Embedding); err != nil {
			return err
		}
	}
	if len(m.want.ClassAttention) > 0 {
		row := explain.ClassRow{Heads: m.runner.Config().Heads, Rows: o.Grid[0], Cols: o.Grid[1], Weights: part(o.ClassAttention)}
		a, err := row.Map(m.heads)
		if err != nil {
			return err
		}
		r.Attention, r.Grid = a.Values, o.Grid
		return finite(r.Attention)
	}
	return nil
}

// convModel is a convolutional network.
type convModel struct {
	classifying
	runner   *convnet.Runner
	pipeline transform.Pipeline
	batch    int
}

// NewConvnet makes the results of a job with a convolutional network, which it closes at its
// end. labels are the classes' names; nil: numbers.
func NewConvnet(r *convnet.Runner, p transform.Pipeline, labels []string, s Spec) Model {
	m := &convModel{classifying: classifying{s, labels}, runner: r, pipeline: p, batch: 1}
	if s.Batch > 0 {
		m.batch = s.Batch
	}
	return m
}

func (m *convModel) Background() *[3]uint8 { return m.pipeline.Background() }
func (m *convModel) Batch() int            { return m.batch }
func (m *convModel) InFlight() int         { return 1 }
func (m *convModel) Close() error          { return m.runner.Close() }

func (m *convModel) Prepare(im *transform.Image) (Prepared, error) { return tensorOf(m.pipeline, im) }

func (m *convModel) Run(ctx context.Context, pictures []Prepared) ([]Result, error) {
	want := convnet.Want{Logits: m.spec.Wanted(Classes) || m.spec.Wanted(Logits), Pooled: m.spec.Wanted(Embeddings)}
	results := make([]Result, len(pictures))
	// Each alone: on a CPU, pictures together are no faster, and this needs one program.
	for i, t := range tensorsOf(pictures) {
		o, err := m.runner.RunTensors(ctx, []*transform.Tensor{t}, want)
		if err != nil {
			return nil, err
		}
		if want.Logits {
			if err := m.classify(&results[i], o.Logits.Values); err != nil {
				return nil, err
			}
		}
		if want.Pooled {
			results[i].Embedding = slices.Clone(o.Pooled.Values)
			if err := finite(results[i].Embedding); err != nil {
				return nil, err
			}
		}
	}
	return results, nil
}

// breedModel is pets37 or one like it.
type breedModel struct {
	classifying
	classifier *breeds.Classifier
}

// NewBreeds classifies the breeds of pets with a classifier that it closes at its end. Of
// its results there are classes and logits.
func NewBreeds(c *breeds.Classifier, s Spec) Model {
	return &breedModel{classifying{s, c.Breeds}, c}
}

func (m *breedModel) Background() *[3]uint8 { return nil }
func (m *breedModel) Batch() int            { return 1 } // a picture and its mirror image are a batch already
func (m *breedModel) InFlight() int         { return 1 }
func (m *breedModel) Close() error          { return m.classifier.Close() }

func (m *breedModel) Prepare(im *transform.Image) (Prepared, error) {
	p, err := m.classifier.Prepare(im)
	return Prepared{nil, p}, err
}

func (m *breedModel) Run(ctx context.Context, pictures []Prepared) ([]Result, error) {
	results := make([]Result, len(pictures))
	for i, p := range pictures {
		a, err := m.classifier.Answer(ctx, p.Value.(breeds.Prepared))
		if err != nil {
			return nil, err
		}
		if err := m.classify(&results[i], a.Logits); err != nil {
			return nil, err
		}
	}
	return results, nil
}

// captionModel is a captioner.
type captionModel struct {
	captioner *caption.Captioner
	options   caption.Options
}

// NewCaptioner captions with a captioner that it closes at its end.
func NewCaptioner(c *caption.Captioner, s Spec) (Model, error) {
	o := s.Caption
	if o == nil {
		return nil, fmt.Errorf("batch: the job doesn't say how captions are searched for")
	}
	options := caption.Options{Beam: o.Beam, LengthPenalty: o.LengthPenalty, Neighbours: o.Neighbours, MaxTokens: o.MaxTokens, NoAttention: true, Batch: cpuBatch}
	if s.Batch > 0 {
		options.Batch = s.Batch
	}
	return &captionModel{c, options}, options.Check(c.Config())
}

func (m *captionModel) Background() *[3]uint8 { return nil }
func (m *captionModel) Batch() int            { return m.options.Batch }
func (m *captionModel) InFlight() int         { return 1 }
func (m *captionModel) Close() error          { return m.captioner.Close() }

// Prepare gives all pictures one size: they are encoded one by one, and decoded together
// whatever their shapes.
func (m *captionModel) Prepare(im *transform.Image) (Prepared, error) {
	t, err := m.captioner.Config().Preprocess(im)
	return Prepared{nil, t}, err
}

func (m *captionModel) Run(_ context.Context, pictures []Prepared) ([]Result, error) {
	list, err := m.captioner.CaptionTensors(tensorsOf(pictures), m.options)
	if err != nil {
		return nil, err
	}
	results := make([]Result, len(pictures))
	for i := range results {
		results[i].Caption, results[i].LogProb = list[i].Text, list[i].LogProb()
	}
	return results, nil
}
