package caption

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"gaze/pkg/caption/backbone"
	"gaze/pkg/caption/wordpiece"
	"gaze/pkg/convnet"
	"gaze/pkg/nn"
	"gaze/pkg/vit"
	"gaze/pkg/weights"
)

// Layout is a convention of naming a captioner's tensors.
type Layout string

const (
	LayoutGaze Layout = "gaze" // [Config.Parameters], the configuration in the file's metadata
	LayoutCATR Layout = "catr" // the published checkpoints
)

// Keys of the metadata in a file of Gaze's own.
const (
	metadataConfig = "gaze.caption.config" // [Config] as JSON
	metadataVocab  = "gaze.caption.vocab"  // word pieces, one a line
)

// Model is a captioner's weights, as they are stored in the file, and what is known about
// them. It keeps the file open (mapped into memory) until Close.
type Model struct {
	Config Config
	Layout Layout
	Path   string           // of the checkpoint; empty for a model made by New
	Vocab  *wordpiece.Vocab // the vocabulary that came with the weights; nil if none did
	// Remembered are the captions of the pictures that the captioner remembers
	// ([Neighbours]), a list for each.
	Remembered [][]string

	Warnings []string // what was chosen or ignored in the file, for the user to read

	params nn.Parameters
	file   *weights.File
}

// Load opens a checkpoint: a safetensors file that [Model.Save] wrote, or a
// CATR checkpoint (.pth, with or without the optimiser's state). A CATR file's
// configuration comes from its tensors' shapes; what those don't show is as published:
// heads of width 32, layer4 dilated in ResNets with three convolutions a block, pictures
// of 299 pixels, BERT's [CLS], [SEP] and [PAD].
//
// It reads only the headers. Tensors that are missing, left over, or of another shape are
// an error that names them.
func Load(path string) (*Model, error) { return LoadSet(path, "") }

// LoadSet is [Load] for a PyTorch file with several sets of weights. It takes the set at
// the keys joined by dots, such as "model_ema"; if set is empty, the one that
// [weights.Open] takes.
func LoadSet(path, set string) (*Model, error) {
	file, err := weights.OpenAt(path, set)
	if err != nil {
		return nil, err
	}
	m, err := fromFile(file)
	if err != nil {
		file.Close()
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	m.Path, m.Warnings = path, file.Warnings()
	return m, nil
}

// LoadWith is [Load] with a given configuration, for checkpoints with CATR's names whose
// shapes don't show all of it.
func LoadWith(path string, cfg Config) (*Model, error) {
	file, err := weights.Open(path)
	if err != nil {
		return nil, err
	}
	m := &Model{Config: cfg, Layout: layoutOf(file), Path: path, file: file}
	if err := m.take(file); err != nil {
		file.Close()
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return m, nil
}

// Close closes the file. A Captioner made from the model stays usable.
func (m *Model) Close() error {
	if m.file == nil {
		return nil
	}
	file := m.file
	m.file, m.params = nil, nil
	return file.Close()
}

func layoutOf(file *weights.File) Layout {
	if _, own := file.Metadata()[metadataConfig]; own {
		return LayoutGaze
	}
	return LayoutCATR
}

func fromFile(file *weights.File) (*Model, error) {
	m := &Model{Layout: layoutOf(file), file: file}
	var err error
	if m.Layout == LayoutGaze {
		if m.Config, err = parseConfig(file.Metadata()[metadataConfig]); err != nil {
			return nil, err
		}
		if text, ok := file.Metadata()[metadataVocab]; ok {
			if m.Vocab, err = wordpiece.Read(strings.NewReader(text)); err != nil {
				return nil, fmt.Errorf("the words in its metadata: %w", err)
			}
		}
		if n := m.Config.Neighbours; n != nil {
			if m.Remembered, err = parseRemembered(file.Metadata()[metadataNeighbours], n.Pictures); err != nil {
				return nil, err
			}
		}
	} else if m.Config, err = inferCATR(file); err != nil {
		return nil, err
	}
	return m, m.take(file)
}

func parseConfig(text string) (Config, error) {
	var c Config
	d := json.NewDecoder(strings.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&c); err != nil {
		return c, fmt.Errorf("the configuration in its metadata: %w", err)
	}
	if err := c.Validate(); err != nil {
		return c, fmt.Errorf("the configuration in its metadata: %w", err)
	}
	return c, nil
}

// take fetches the tensors that the configuration calls for and refuses others.
func (m *Model) take(file *weights.File) error {
	if err := m.Config.Validate(); err != nil {
		return err
	}
	name := func(ours string) string { return ours }
	ignore := func(string) bool { return false }
	if m.Layout == LayoutCATR {
		name, ignore = catrName, catrIgnored
	}
	list := m.Config.stored()
	m.params = nn.Parameters{}
	shapes := map[string][]int{} // of the parameters that the file has
	wanted := map[string]bool{}
	for _, p := range list {
		theirs := name(p.Name)
		wanted[theirs] = true
		t, ok := file.Tensor(theirs)
		if !ok {
			continue
		}
		stored := nn.Own(t)
		if len(t.Shape) == 4 && len(p.Shape) == 2 { // CATR projects the features by a 1×1 convolution
			stored.Parts[0].Order = nn.Pointwise
		}
		shape, err := stored.Shape()
		if err != nil {
			shape = t.Shape // which Compare reports
		}
		m.params[p.Name], shapes[p.Name] = stored, shape
	}
	missing := func(ours string) []string {
		if _, ok := shapes[ours]; ok {
			return nil
		}
		return []string{name(ours)}
	}
	differs := nn.Compare(list, shapes, missing, name)
	for _, n := range file.Names() {
		if !wanted[n] && !ignore(n) {
			differs.LeftOver = append(differs.LeftOver, n)
		}
	}
	if differs.Empty() {
		return nil
	}
	return fmt.Errorf("its tensors aren't those of a captioner (layout %s): %s", m.Layout, differs)
}

// Parameter is the values of one parameter of [Config.Parameters], row-major, and its
// shape. The values may be the file's own memory: don't write to them, and don't use them
// after Close.
func (m *Model) Parameter(name string) (values []float32, shape []int, err error) {
	return m.params.Values(name)
}

// CheckFinite reads all the weights and returns an error that names the first tensor with
// a NaN or an infinity. A backbone that is in another checkpoint isn't read. [NewCaptioner]
// does this too.
func (m *Model) CheckFinite() error {
	if m.LacksBackbone() != "" {
		return m.params.CheckFinite(m.Config.stored())
	}
	return m.params.CheckFinite(m.Config.Parameters())
}

// WithParameters is the model with other values, float32 under Gaze's names, as training
// returns them. Parameters that aren't given keep their values.
func (m *Model) WithParameters(list []*weights.Tensor) (*Model, error) {
	given, err := nn.Owned(list)
	if err != nil {
		return nil, fmt.Errorf("caption: %w", err)
	}
	out := &Model{Config: m.Config, Layout: LayoutGaze, Vocab: m.Vocab, Remembered: m.Remembered, params: given}
	all := m.Config.Parameters()
	for _, p := range all {
		if given[p.Name] != nil {
			continue
		}
		values, shape, err := m.Parameter(p.Name)
		if err != nil {
			return nil, fmt.Errorf("caption: %w", err)
		}
		given[p.Name] = nn.Own(weights.NewTensor(p.Name, shape, slices.Clone(values)))
	}
	if err := given.Check(all); err != nil {
		return nil, fmt.Errorf("caption: %w", err)
	}
	return out, nil
}

// WithViT is the model with the weights of a Vision Transformer in its backbone, from which
// a captioner can be trained.
func (m *Model) WithViT(v *vit.Model) (*Model, error) {
	want, err := backbone.ViTOf(v)
	if err != nil {
		return nil, fmt.Errorf("caption: %w", err)
	}
	if have := m.Config.Backbone; have.Kind != backbone.ViT || *have.ViT != *want.ViT {
		return nil, errors.New("caption: the captioner has another backbone than this Vision Transformer: make its configuration with backbone.ViTOf")
	}
	var list []*weights.Tensor
	for _, p := range want.Parameters() {
		values, shape, err := v.Parameter(p.Name)
		if err != nil {
			return nil, fmt.Errorf("caption: %w", err)
		}
		list = append(list, weights.NewTensor(inBackbone+p.Name, shape, values))
	}
	return m.WithParameters(list)
}

// WithConv is the model with the weights of a convolutional network in its backbone, on which
// a captioner can be trained. Both may be closed afterwards.
func (m *Model) WithConv(n *convnet.Model) (*Model, error) {
	want, err := backbone.ConvOf(n)
	if err != nil {
		return nil, fmt.Errorf("caption: %w", err)
	}
	want.Side = m.Config.Backbone.Side
	if !reflect.DeepEqual(m.Config.Backbone, want) {
		return nil, errors.New("caption: the captioner has another backbone than this network: make its configuration with backbone.ConvOf")
	}
	var list []*weights.Tensor
	for _, p := range want.Parameters() {
		values, shape, err := n.Parameter(p.Name)
		if err != nil {
			return nil, fmt.Errorf("caption: %w", err)
		}
		list = append(list, weights.NewTensor(inBackbone+p.Name, shape, slices.Clone(values)))
	}
	return m.WithParameters(list)
}

// Save writes the model as a safetensors file of Gaze's own layout, whole or not
// at all, its configuration and (where it has them) its words and the captions that it
// remembers in the metadata. A backbone that comes from another checkpoint is left out.
// With half, weights are written as float16, half the size.
func (m *Model) Save(path string, half bool) error {
	text, err := json.Marshal(m.Config)
	if err != nil {
		return err
	}
	metadata := map[string]string{metadataConfig: string(text)}
	if m.Vocab != nil {
		metadata[metadataVocab] = m.Vocab.String()
	}
	if m.Config.Neighbours != nil {
		captions, err := json.Marshal(m.Remembered)
		if err != nil {
			return err
		}
		metadata[metadataNeighbours] = string(captions)
	}
	list, err := m.params.Tensors(m.Config.stored())
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
	return weights.WriteSafetensors(path, list, metadata)
}

// Tensors is all parameters under Gaze's names, as training takes them. Their values may
// be the file's own memory.
func (m *Model) Tensors() ([]*weights.Tensor, error) {
	list, err := m.params.Tensors(m.Config.Parameters())
	if err != nil {
		return nil, fmt.Errorf("caption: %w", err)
	}
	return list, nil
}
