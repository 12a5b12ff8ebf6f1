package convnet

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"strings"

	"gaze/pkg/nn"
	"gaze/pkg/transform"
	"gaze/pkg/weights"
)

// Model is a network's weights, as they lie in the file, and what is known about them. It
// holds the file open (mapped into memory) until Close.
type Model struct {
	Config   Config
	Classes  int // of the classifier over the mean of all cells; 0: there is none
	Layout   Layout
	Name     string   // architecture, such as "EfficientNet-Lite0"
	Path     string   // of the checkpoint; empty for a model made by New
	Labels   []string // names of the classes, in order; nil where the checkpoint has none
	Warnings []string // what had to be assumed, for the user to read

	params   nn.Parameters
	pipeline string // as package transform reads it
	format   string
	file     *weights.File
}

// classifier is the scope of the linear layer from the mean of all cells to the classes.
const classifier = "classifier"

// Parameters lists every parameter: those of [Config.Parameters], and
// "classifier/weight" [classes, channels] and "classifier/bias" where there is one.
func (m *Model) Parameters() nn.ParamList {
	l := m.Config.Parameters()
	if m.Classes > 0 {
		l.Linear(classifier, m.Classes, m.Config.Channels(), true)
	}
	return l
}

// ParameterCount is the number of values of all parameters.
func (m *Model) ParameterCount() int {
	n := 0
	for _, p := range m.Parameters() {
		n += p.Len()
	}
	return n
}

// New makes a model with random weights from a seed, to be trained: He's normal
// distribution over the outputs for convolutions, as EfficientNet is initialised, a normal
// one of deviation 0.02 for the classifier, and norms that change nothing. Pictures are
// prepared for a side of 224 pixels. classes may be 0.
func New(cfg Config, classes int, seed uint64) (*Model, error) {
	if err := cfg.Check(); err != nil {
		return nil, err
	}
	if classes < 0 {
		return nil, fmt.Errorf("convnet: a classifier of %d classes", classes)
	}
	m := &Model{Config: cfg, Classes: classes, Layout: LayoutGaze, Name: cfg.Architecture(), pipeline: litePipeline(224), params: nn.Parameters{}}
	for i, p := range m.Parameters() {
		m.params[p.Name] = randomParameter(p, seed, i)
	}
	return m, nil
}

// randomParameter draws a parameter's values; index makes its draws differ from others'.
func randomParameter(p nn.Param, seed uint64, index int) *nn.Stored {
	r := rand.New(rand.NewPCG(seed, uint64(index)))
	data := make([]float32, p.Len())
	deviation, mean := 0.0, 0.0
	switch {
	case len(p.Shape) == 4:
		fan := p.Shape[0] * p.Shape[2] * p.Shape[3]
		if p.Shape[1] == 1 { // depthwise
			fan /= p.Shape[0]
		}
		deviation = math.Sqrt(2 / float64(fan))
	case len(p.Shape) == 2:
		deviation = 0.02
	case strings.HasSuffix(p.Name, "/weight"), strings.HasSuffix(p.Name, "/var"):
		mean = 1
	}
	for i := range data {
		if deviation > 0 {
			data[i] = float32(deviation * r.NormFloat64())
		} else {
			data[i] = float32(mean)
		}
	}
	return nn.Own(weights.NewTensor(p.Name, p.Shape, data))
}

// Close lets go of the file. A [Runner] made from the model goes on working.
func (m *Model) Close() error {
	if m.file == nil {
		return nil
	}
	file := m.file
	m.file, m.params = nil, nil
	return file.Close()
}

// Parameter is the values of one of [Model.Parameters], row-major, and its shape. The
// values may be the file's own memory: don't write to them, and don't use them after Close.
func (m *Model) Parameter(name string) (values []float32, shape []int, err error) {
	return m.params.Values(name)
}

// Tensors is all parameters under Gaze's names, as training takes them. Their values may
// be the file's own memory.
func (m *Model) Tensors() ([]*weights.Tensor, error) {
	list, err := m.params.Tensors(m.Parameters())
	if err != nil {
		return nil, m.inFile(fmt.Errorf("convnet: %w", err))
	}
	return list, nil
}

// CheckFinite reads all the weights and returns an error that names the first tensor with
// a NaN or an infinity. NewRunner does this too.
func (m *Model) CheckFinite() error { return m.inFile(m.params.CheckFinite(m.Parameters())) }

// inFile puts the checkpoint's path before an error.
func (m *Model) inFile(err error) error {
	if err == nil || m.Path == "" {
		return err
	}
	return fmt.Errorf("%s: %w", m.Path, err)
}

// WithParameters returns a model of the same configuration with other values, which must be
// all of [Model.Parameters], in any order.
func (m *Model) WithParameters(values []*weights.Tensor) (*Model, error) {
	params, err := nn.Owned(values)
	if err == nil {
		err = params.Check(m.Parameters())
	}
	if err != nil {
		return nil, fmt.Errorf("convnet: %w", err)
	}
	out := *m
	out.file, out.Path, out.params = nil, "", params
	return &out, nil
}

// WithClassifier returns the model with a new classifier for the given classes, to be
// trained: weights drawn with the seed, biases zero. labels names the classes, or is nil.
// The rest is shared with m, which must stay open.
func (m *Model) WithClassifier(classes int, labels []string, seed uint64) (*Model, error) {
	if classes < 1 || labels != nil && len(labels) != classes {
		return nil, fmt.Errorf("convnet: a classifier of %d classes with %d names: give at least one class, and a name for each or none", classes, len(labels))
	}
	out := m.WithoutClassifier()
	out.Classes, out.Labels = classes, slices.Clone(labels)
	for i, p := range out.Parameters() {
		if strings.HasPrefix(p.Name, classifier+"/") {
			out.params[p.Name] = randomParameter(p, seed, i)
		}
	}
	return out, nil
}

// WithoutClassifier returns the model without its classifier. The rest is shared with m,
// which must stay open.
func (m *Model) WithoutClassifier() *Model {
	out := *m
	out.file, out.Path, out.Labels, out.Classes = nil, "", nil, 0
	out.params = maps.Clone(m.params)
	delete(out.params, classifier+"/weight")
	delete(out.params, classifier+"/bias")
	return &out
}

// Derive returns the model with another configuration of the same weights, such as
// m.Config.WithOutputStride(16) or m.Config.WithoutHead(). A classifier that no longer fits
// is left out. The rest is shared with m, which must stay open.
func (m *Model) Derive(cfg Config) (*Model, error) {
	if err := cfg.Check(); err != nil {
		return nil, err
	}
	out := *m
	out.file, out.Path = nil, ""
	if cfg.Channels() != m.Config.Channels() {
		out = *m.WithoutClassifier()
	}
	out.Config, out.params = cfg, nn.Parameters{}
	for _, p := range out.Parameters() {
		if out.params[p.Name] = m.params[p.Name]; out.params[p.Name] == nil {
			return nil, fmt.Errorf("convnet: the configuration calls for %s, which the model doesn't have", p.Name)
		}
	}
	if err := out.params.Check(out.Parameters()); err != nil {
		return nil, fmt.Errorf("convnet: %w", err)
	}
	return &out, nil
}

// WithPipeline returns the model with another preprocessing, in the notation of package
// transform. [Model.Save] keeps it. The rest is shared with m, which must stay open.
func (m *Model) WithPipeline(spec string) *Model {
	out := *m
	out.file, out.pipeline = nil, spec
	return &out
}

// Pipeline is the text of [Model.Preprocessing].
func (m *Model) Pipeline() string { return m.pipeline }

// Preprocessing is how pictures are prepared for the network. As in Google's code for
// EfficientNet-Lite and in timm's crop_pct, the short side is resized (bicubic) to the
// network's side plus 32 pixels and the centre is cropped; values are (x-127)/128. timm's
// and Gaze's own files may say otherwise. Any other size is possible, too.
func (m *Model) Preprocessing() (transform.Pipeline, error) {
	p, err := transform.Parse(m.pipeline)
	if err != nil {
		return nil, m.inFile(fmt.Errorf("the checkpoint's own pipeline: %w", err))
	}
	return p, nil
}

// litePipeline is the preprocessing of EfficientNet-Lite for pictures of a side.
func litePipeline(side int) string {
	return fmt.Sprintf("resize(%d,bicubic) | centercrop(%d) | totensor | normalize(%.8g,%.8g)", side+32, side, 127.0/255, 128.0/255)
}

// Architecture is the network's usual name, such as "EfficientNet-Lite0", or "R50" for the
// ResNet of 50 layers under a hybrid Vision Transformer; an EfficientNet-Lite that wasn't
// published is given by its channels and blocks.
func (c Config) Architecture() string {
	if c.ResNet != nil {
		return c.ResNet.name()
	}
	name := "EfficientNet-Lite"
	blocks := 0
	for _, s := range c.Lite.Stages {
		blocks += s.Blocks
	}
	variant := fmt.Sprintf(" of %d blocks, %d channels", blocks, c.Channels())
	for i := range liteVariants {
		if slices.Equal(EfficientNetLiteOf(i).Lite.Stages, c.Lite.Stages) && c.Lite.Stem == 32 {
			variant = fmt.Sprint(i)
		}
	}
	return name + variant
}

// saved is what a file of Gaze's own says beside the weights.
type saved struct {
	Config   Config   `json:"config"`
	Classes  int      `json:"classes,omitempty"`
	Labels   []string `json:"labels,omitempty"`
	Pipeline string   `json:"pipeline"`
}

// metadataKey is where a safetensors file has [saved] as JSON; in a config.json it is a
// key of the top level.
const metadataKey = "gaze.convnet"

// Save writes the model as a safetensors file of Gaze's own layout, whole or not at all,
// with its configuration, classes and preprocessing in the metadata. With half, weights
// are written as float16, half the size.
func (m *Model) Save(path string, half bool) error {
	text, err := json.Marshal(saved{m.Config, m.Classes, m.Labels, m.pipeline})
	if err != nil {
		return err
	}
	list, err := m.Tensors()
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if half {
		for i, t := range list {
			if list[i], err = t.Half(); err != nil {
				return fmt.Errorf("%s: %w", path, err)
			}
		}
	}
	return weights.WriteSafetensors(path, list, map[string]string{"format": "pt", metadataKey: string(text)})
}
