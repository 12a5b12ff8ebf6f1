package vit

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"

	. "github.com/gomlx/gomlx/core/graph"

	"gaze/pkg/convnet"
	"gaze/pkg/nn"
	"gaze/pkg/weights"
)

// This file is the hybrid of section 3.1 of the paper: a convolutional network makes a
// feature map of the picture, and the patches are cut from that map.

// stemScope begins the names of the stem's parameters.
const stemScope = "stem/"

// stemPrefix is what precedes the stem's names in timm.
const stemPrefix = "patch_embed.backbone."

// Equal says whether two configurations are the same architecture. (Comparing them with ==
// compares the addresses of their stems.)
func (c Config) Equal(o Config) bool {
	if (c.Stem == nil) != (o.Stem == nil) || c.Stem != nil && !reflect.DeepEqual(*c.Stem, *o.Stem) {
		return false
	}
	c.Stem, o.Stem = nil, nil
	return c == o
}

// String is all values of the configuration, the same for equal ones, for digests and keys
// of what is kept.
func (c Config) String() string {
	type plain Config
	stem := c.Stem
	c.Stem = nil
	text := strings.Replace(fmt.Sprintf("%+v", plain(c)), " Stem:<nil>", "", 1)
	if stem == nil {
		return text
	}
	network, err := json.Marshal(stem)
	if err != nil {
		network = []byte(err.Error())
	}
	return text + " " + string(network)
}

// PatchKernel is the height and width of a patch on what it is cut from: pixels, or cells of
// the stem's feature map.
func (c Config) PatchKernel() [2]int {
	if c.Stem == nil {
		return c.PatchSize
	}
	stride := c.Stem.Stride()
	return [2]int{c.PatchSize[0] / stride, c.PatchSize[1] / stride}
}

// patchChannels is the number of values in each pixel, or in each cell of the stem's feature
// map.
func (c Config) patchChannels() int {
	if c.Stem == nil {
		return c.Channels
	}
	return c.Stem.Channels()
}

// FeatureShape is the rows, columns and channels of what [ForwardFeatures] takes: the stem's
// feature map of a picture. It is zero for a model without a stem.
func (c Config) FeatureShape() [3]int {
	if c.Stem == nil {
		return [3]int{}
	}
	grid, kernel := c.Grid(), c.PatchKernel()
	return [3]int{grid[0] * kernel[0], grid[1] * kernel[1], c.Stem.Channels()}
}

// validateStem returns an error that says why the stem can't be under this model.
func (c Config) validateStem() error {
	if c.Stem == nil {
		return nil
	}
	if err := c.Stem.Check(); err != nil {
		return err
	}
	stride := c.Stem.Stride()
	switch {
	case c.Channels != 3:
		return fmt.Errorf("the stem takes pictures of 3 channels, not %d", c.Channels)
	case c.PatchSize[0]%stride != 0 || c.PatchSize[1]%stride != 0:
		return fmt.Errorf("patches of %d×%d pixels can't be cut from the stem's feature map, whose cells are %d pixels apart: use a multiple of that", c.PatchSize[0], c.PatchSize[1], stride)
	}
	return nil
}

// stem is the convolutional network's feature map of the pictures, [batch, rows, columns,
// channels].
func (m module) stem(images *Node) *Node {
	return m.cfg.Stem.Features(m.In("stem"), images)
}

// Frozen says whether a parameter of this name is a statistic of a stem's batch norms, which
// training doesn't change: it normalises with those of the checkpoint, as in inference.
func Frozen(name string) bool {
	name, ok := strings.CutPrefix(name, stemScope)
	return ok && convnet.Frozen(name)
}

// InStem says whether a parameter of this name belongs to a hybrid's stem.
func InStem(name string) bool { return strings.HasPrefix(name, stemScope) }

// stemFill draws the initial values of a stem's parameter: He's normal distribution for
// convolutions, norms that change nothing.
func stemFill(data []float32, p nn.Param, r *rand.Rand) {
	value := func() float64 { return 0 }
	switch {
	case len(p.Shape) == 4:
		deviation := math.Sqrt(2 / float64(p.Len()/p.Shape[0]))
		value = func() float64 { return deviation * r.NormFloat64() }
	case strings.HasSuffix(p.Name, "/weight"), strings.HasSuffix(p.Name, "/var"):
		value = func() float64 { return 1 }
	}
	for i := range data {
		data[i] = float32(value())
	}
}

// WithStem returns the model with other weights of its stem, such as those of a checkpoint of
// that network alone. values must be all of [convnet.Config.Parameters], in any order; their
// memory is shared. The rest is shared with m, which must stay open.
func (m *Model) WithStem(values []*weights.Tensor) (*Model, error) {
	if m.Config.Stem == nil {
		return nil, errors.New("vit: the model has no stem: its patches are cut from the picture")
	}
	params, err := nn.Owned(values)
	if err == nil {
		err = params.Check(m.Config.Stem.Parameters())
	}
	if err != nil {
		return nil, fmt.Errorf("vit: the stem: %w", err)
	}
	out := *m
	out.file, out.Path = nil, ""
	out.params = maps.Clone(m.params)
	for name, s := range params {
		out.params[stemScope+name] = s
	}
	return &out, nil
}

// stemNames is how a layout names the stem's parameters.
type stemNames struct {
	prefix string
	find   func(names []string) map[string]convnet.Name
	// name is the layout's name for one of the stem's parameters, as far as it can be told
	// without the configuration. expands says which blocks of an EfficientNet have a first
	// layer.
	name func(parameter string, expands func(stage, block string) bool) string
	// core are the first parts of the stem's names.
	core []string
}

var (
	timmStem = &stemNames{
		prefix: stemPrefix, find: convnet.TimmNames, core: []string{"patch_embed"},
		name: func(p string, expands func(stage, block string) bool) string {
			return convnet.TimmName(p, expands, false)
		},
	}
	googleStem = &stemNames{
		find: convnet.GoogleNames, core: []string{"conv_root", "gn_root"},
		name: func(p string, _ func(stage, block string) bool) string { return convnet.GoogleName(p) },
	}
)

// stemRows are the rows of the stem's tensors among names without the table's prefix.
func (t *table) stemRows(names []string) map[string]row {
	if t.stem == nil {
		return nil
	}
	var renamed []string
	for _, name := range names {
		renamed = append(renamed, t.renamed(name))
	}
	rows := map[string]row{}
	for name, found := range t.stem.find(namesBelow(renamed, t.stem.prefix)) {
		ours := ""
		if found.Parameter != "" {
			ours = stemScope + found.Parameter
		}
		rows[t.stem.prefix+name] = row{file: t.stem.prefix + name, ours: ours, fix: found.Order}
	}
	return rows
}

// stemRow is the row of one of the stem's parameters, for messages.
func (m *match) stemRow(ours string) row {
	expands := func(stage, block string) bool {
		at := fmt.Sprintf("%sstage_%s/block_%s/", stemScope, stage, block)
		_, found := m.found[at+"expand/conv/weight"]
		return found || strings.HasPrefix(ours, at+"expand/")
	}
	name := m.table.stem.name(strings.TrimPrefix(ours, stemScope), expands)
	return row{file: m.table.stem.prefix + name, ours: ours}
}

// stem is the shapes of the stem's parameters, under the stem's own names.
func (s shapesOf) stem() map[string][]int {
	out := map[string][]int{}
	for name, shape := range s {
		if rest, ok := strings.CutPrefix(name, stemScope); ok {
			out[rest] = shape
		}
	}
	return out
}

// inferStem finds the stem's configuration, in the file or from the shapes; nil if there is
// no stem.
func inferStem(s shapesOf, file *configFile) (stem *convnet.Config, warnings []string, err error) {
	shapes := s.stem()
	said, err := file.saidStem()
	switch {
	case err != nil:
		return nil, nil, err
	case len(shapes) == 0 && said != nil:
		return nil, nil, fmt.Errorf("%s describes a stem, of which there are no tensors: it belongs to other weights", file.path)
	case len(shapes) == 0:
		return nil, nil, nil
	case said != nil:
		if err := said.CheckShapes(shapes); err != nil {
			return nil, nil, fmt.Errorf("%s describes a stem that these weights don't have: %w", file.path, err)
		}
		return said, nil, nil
	}
	found, assumed, err := convnet.Infer(shapes)
	if err != nil {
		return nil, nil, fmt.Errorf("the network under the patch embedding: %w", err)
	}
	if assumed != "" {
		warnings = append(warnings, "no config.json beside the weights describes the stem: took "+assumed)
	}
	return &found, warnings, nil
}

// saidStem is the stem that the file describes; nil if it doesn't.
func (f *configFile) saidStem() (*convnet.Config, error) {
	if !f.present() || f.values["stem"] == nil {
		return nil, nil
	}
	text, err := json.Marshal(f.values["stem"])
	if err != nil {
		return nil, err
	}
	var stem convnet.Config
	if err := json.Unmarshal(text, &stem); err != nil {
		return nil, fmt.Errorf("%s: stem: %w", f.path, err)
	}
	if err := stem.Check(); err != nil {
		return nil, fmt.Errorf("%s: stem: %w", f.path, err)
	}
	return &stem, nil
}

// isStem says whether a tensor whose name begins so is the stem's.
func (t *table) isStem(first string) bool {
	return t.stem != nil && slices.Contains(t.stem.core, first)
}
