package vit

import (
	"fmt"
	"slices"
	"sort"
	"strings"

	"gaze/pkg/nn"
	"gaze/pkg/weights"
)

// Model is a Vision Transformer's weights, as they lie in the file, and what is
// known about them. It holds the file open (mapped into memory) until Close.
type Model struct {
	Config   Config
	Layout   Layout
	Name     string   // architecture, such as "ViT-B/16"
	Path     string   // of the checkpoint; empty for a model made by New
	Labels   []string // names of the classes, in order; nil where the checkpoint has none
	Warnings []string // what had to be assumed about the weights, for the user to read
	// PipelineWarnings say what had to be assumed about how pictures are prepared. They
	// matter to callers of Preprocessing only.
	PipelineWarnings []string

	params      nn.Parameters
	resize      PosResize
	pipeline    string // as package transform reads it
	pipelineErr error  // why there is none
	format      string
	file        *weights.File

	set        string         // the set of weights that was taken, where the file holds several
	sets       []string       // all of them
	passed     []string       // tensors that were passed over
	otherHeads []linearModule // layers that could be taken for heads
	noHead     string         // why the layout's own head can't be used
}

// Load opens a checkpoint: any file that package weights reads, in any layout
// of this package. Layout and configuration come from the tensors' names and
// shapes; a config.json in the same folder decides what they don't tell (heads,
// epsilon, activation, class names), and that or a preprocessor_config.json how
// pictures are prepared ([Model.Preprocessing]).
//
// Nothing is read but the headers: values are read when a [Runner] takes them.
// Tensors that are missing, of another shape, or left over where they would change
// what the blocks compute are an error that names them. Others, such as a loss's or
// another head's, are passed over, and [Model.Warnings] names them; so does it if the
// file holds several sets of weights. See docs/formats.md.
func Load(path string) (*Model, error) { return Open(path, LoadOptions{}) }

// LoadOptions say what to take of a file that leaves a choice. The zero value takes
// what the file's owner would.
type LoadOptions struct {
	// Weights is the set of weights to take of a file with several: its name, as
	// the warning and [Model.Describe] list it, or parts of it, such as "student"
	// for "student.module.backbone".
	Weights string
	// Head is the linear layer to take for the head instead of the layout's own,
	// such as "classifier.1"; [Model.CheckHead] names those that would do.
	Head string
}

// Open is [Load] with choices.
func Open(path string, o LoadOptions) (*Model, error) {
	file, err := weights.OpenAll(path)
	if err != nil {
		return nil, err
	}
	m, err := fromFile(path, file, o)
	if err != nil {
		file.Close()
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return m, nil
}

// Close lets go of the file. A Runner made from the model goes on working.
func (m *Model) Close() error {
	if m.file == nil {
		return nil
	}
	file := m.file
	m.file, m.params = nil, nil
	return file.Close()
}

func fromFile(path string, file *weights.File, o LoadOptions) (*Model, error) {
	m := &Model{Path: path, file: file, format: fmt.Sprint(file.Format())}
	found, err := m.choose(file, o)
	if err != nil {
		return nil, err
	}
	dir := folderOf(path)
	conf, err := readConfigFile(dir)
	if err != nil {
		return nil, err
	}
	conf.said = file.Said()
	m.Layout = found.table.layout
	shapes, err := m.shapes(file, found)
	if err != nil {
		return nil, err
	}
	section, err := conf.inSection(found.table)
	if err != nil {
		return nil, err
	}
	config, resize, warnings, err := inferConfig(found.table, shapes, section)
	if err != nil && len(found.unknown) > 0 { // no configuration would make it one
		return nil, notOurs(m.Layout, &nn.Mismatch{LeftOver: found.unknown})
	}
	if err != nil {
		return nil, err
	}
	m.Config, m.resize, m.Warnings = config, resize, append(m.Warnings, warnings...)
	if err := found.check(m.Config, shapes); err != nil {
		return nil, err
	}
	m.Name = m.Config.Architecture()
	m.Labels = conf.labels(m.Config.Classes)
	return m, m.findPipeline(conf, dir)
}

// choose finds the file's sets of weights, takes one, and settles what else there
// is: a head, and what is passed over.
func (m *Model) choose(file *weights.File, o LoadOptions) (*match, error) {
	names, inFile := plainNames(file.Names())
	tensor := func(name string) *weights.Tensor {
		t, ok := file.Tensor(inFile[name])
		if !ok || t.Err() != nil {
			return nil
		}
		return t
	}
	m.Warnings = append(m.Warnings, file.Warnings()...)
	sets := findSets(names)
	if len(sets) == 0 {
		return nil, notAViT(names)
	}
	set, why, err := chooseSet(sets, o.Weights, file.Keys())
	if err != nil {
		return nil, err
	}
	m.set = set.name()
	for _, s := range sets {
		m.sets = append(m.sets, s.name())
	}
	if len(sets) > 1 {
		m.Warnings = append(m.Warnings, setsWarning(sets, set, why))
	}
	if err := m.settle(set, sets, tensor, o.Head); err != nil {
		return nil, err
	}
	set.match.inFile = inFile
	return set.match, nil
}

// settle decides about the head and about the tensors that the layout doesn't know.
func (m *Model) settle(set *weightSet, sets []*weightSet, tensor func(string) *weights.Tensor, head string) error {
	extra := set.sortExtras(sets, tensor)
	found, dim := set.match, set.dim(tensor)
	m.otherHeads = set.otherHeads(extra.passed, dim, tensor)
	m.passed = extra.passed
	shapes := shapesOf{}
	for _, ours := range []string{"head/weight", "head/bias", "pre_logits/weight"} {
		for _, f := range found.found[ours] {
			if t := tensor(f.name); t != nil {
				if s, err := (&nn.Stored{Parts: []nn.Part{{Tensor: t, Order: f.fix}}}).Shape(); err == nil {
					shapes[ours] = s
				}
			}
		}
	}
	trouble := found.headTrouble(shapes, dim)
	if trouble == "" && len(extra.beside) > 0 {
		trouble = fmt.Sprintf("%s, which isn't computed, stands between the blocks and the head", extra.beside[0])
	}
	own, isOwn := set.ownHead(m.otherHeads)
	switch {
	case head != "":
		l, err := set.headCalled(head, m.otherHeads)
		if name := found.fileName("head/weight"); err != nil && name != "" && strings.TrimSuffix(name, ".weight") == set.prefix+head || name == head+".weight" {
			break // the layout's own
		}
		if err == nil && len(extra.beside) > 0 {
			err = fmt.Errorf("the head %s can't be used: %s", head, trouble)
		}
		if err != nil {
			return err
		}
		m.passed = append(m.passed, found.dropHead()...)
		found.takeHead(l)
		m.take(l)
	case trouble != "":
		m.noHead = trouble
		m.passed = append(m.passed, found.dropHead()...)
	case isOwn && !shapes.has("head/weight"):
		found.takeHead(own)
		m.take(own)
		if _, last, _ := cutLast(own.name); isNumber(last) && last != "0" {
			m.Warnings = append(m.Warnings, fmt.Sprintf("took %s for the head: what stands before it in its sequence has no weights and is taken for a dropout", own.name))
		}
	}
	if found.noBias = found.noBias || shapes.has("head/weight") && len(found.found["head/weight"]) > 0 && len(found.found["head/bias"]) == 0; found.noBias {
		m.Warnings = append(m.Warnings, fmt.Sprintf("the head %s has no bias: took one of zeros", strings.TrimSuffix(found.fileName("head/weight"), ".weight")))
	}
	found.unknown = extra.matter
	if len(m.passed) > 0 {
		m.Warnings = append(m.Warnings, set.passedWarning(m.passed))
	}
	return nil
}

// take removes a layer that became the head from what was passed over.
func (m *Model) take(l linearModule) {
	m.passed = slices.DeleteFunc(slices.Clone(m.passed), func(name string) bool { return name == l.name+".weight" || name == l.name+".bias" })
}

// shapes fetches the matched tensors and tells the parameters' shapes.
func (m *Model) shapes(file *weights.File, found *match) (shapesOf, error) {
	var err error
	if m.params, err = found.entries(file); err != nil {
		return nil, err
	}
	shapes := shapesOf{}
	for name, e := range m.params {
		if shapes[name], err = e.Shape(); err != nil {
			return nil, err
		}
	}
	if w := shapes["head/weight"]; found.noBias && len(w) == 2 {
		shapes["head/bias"] = w[:1:1]
		m.params["head/bias"] = nn.Own(weights.NewTensor("head/bias", w[:1], make([]float32, w[0])))
	}
	var missing []string
	for _, name := range []string{"patch/weight", "positions", "block_0/mlp/fc2/weight"} { // the shapes that tell the configuration
		missing = append(missing, found.missingParts(name)...)
	}
	if len(missing) > 0 {
		return nil, notOurs(m.Layout, &nn.Mismatch{Missing: missing, LeftOver: found.unknown})
	}
	return shapes, nil
}

// entries fetches the matched tensors. Parts of a parameter that are missing
// are found by check, from the parameter's shape.
func (m *match) entries(file *weights.File) (nn.Parameters, error) {
	params := make(nn.Parameters, len(m.found))
	for ours, parts := range m.found {
		e := &nn.Stored{}
		for _, i := range sortedKeys(parts) {
			name := parts[i].name
			if plain, ok := m.inFile[name]; ok {
				name = plain
			}
			t, ok := file.Tensor(name)
			if !ok {
				return nil, fmt.Errorf("tensor %s is listed but can't be read", name)
			}
			if err := t.Err(); err != nil {
				return nil, err
			}
			e.Parts = append(e.Parts, nn.Part{Tensor: t, Order: parts[i].fix})
		}
		params[ours] = e
	}
	return params, nil
}

// check compares what the file has with what the configuration calls for.
func (m *match) check(c Config, shapes shapesOf) error {
	differs := nn.Compare(c.Parameters(), shapes, m.missingParts, m.fileName)
	differs.LeftOver = append(differs.LeftOver, m.unknown...)
	differs.Duplicate = m.duplicate
	if differs.Empty() {
		return nil
	}
	return notOurs(m.table.layout, differs)
}

// fileName is what a parameter that was found is called in the file.
func (m *match) fileName(ours string) string {
	parts := m.found[ours]
	var names []string
	for _, i := range sortedKeys(parts) {
		names = append(names, parts[i].name)
	}
	return nn.FirstNames(names, 3)
}

func sorted(names []string) []string {
	names = slices.Clone(names)
	sort.Strings(names)
	return names
}

func sortedKeys[V any](m map[int]V) []int {
	keys := make([]int, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	sort.Ints(keys)
	return keys
}

// Parameter is the values of one parameter of [Config.Parameters], row-major, and its
// shape. The values may be the file's own memory: don't write to them, and don't use them
// after Close.
func (m *Model) Parameter(name string) (values []float32, shape []int, err error) {
	return m.params.Values(name)
}

// Tensor is [Model.Parameter] as a tensor. Once its values have been copied, the system
// may forget them ([weights.Tensor.Forget]).
func (m *Model) Tensor(name string) (*weights.Tensor, error) { return m.params.Tensor(name) }

// CheckFinite reads all the weights and returns an error that names the first tensor with
// a NaN or an infinity. NewRunner does this too.
func (m *Model) CheckFinite() error { return m.inFile(m.params.CheckFinite(m.Config.Parameters())) }

// inFile puts the checkpoint's path before an error.
func (m *Model) inFile(err error) error {
	if err == nil || m.Path == "" {
		return err
	}
	return fmt.Errorf("%s: %w", m.Path, err)
}
