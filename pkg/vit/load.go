package vit

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sort"

	"gaze/internal/parallel"
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
	Warnings []string // what had to be assumed, for the user to read

	params      map[string]*entry
	resize      PosResize
	pipeline    string // as package transform reads it
	pipelineErr error  // why there is none
	format      string
	file        *weights.File
}

// Load opens a checkpoint: any file that package weights reads, in any layout
// of this package. Layout and configuration come from the tensors' names and
// shapes; a config.json in the same folder decides what they don't tell (heads,
// epsilon, activation, class names), and that or a preprocessor_config.json how
// pictures are prepared ([Model.Preprocessing]).
//
// Nothing is read but the headers: values are read when a [Runner] takes them.
// Tensors that are missing, left over, or of another shape are an error that
// names them.
func Load(path string) (*Model, error) {
	file, err := weights.Open(path)
	if err != nil {
		return nil, err
	}
	m, err := fromFile(path, file)
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

func fromFile(path string, file *weights.File) (*Model, error) {
	names := file.Names()
	found := detect(names)
	dir := path
	if info, err := os.Stat(path); err == nil && !info.IsDir() {
		dir = filepath.Dir(path)
	}
	conf, err := readConfigFile(dir)
	if err != nil {
		return nil, err
	}
	m := &Model{Layout: found.table.layout, Path: path, file: file, format: fmt.Sprint(file.Format())}
	if m.params, err = found.entries(file); err != nil {
		return nil, err
	}
	shapes := shapesOf{}
	for name, e := range m.params {
		if shapes[name], err = e.shape(); err != nil {
			return nil, err
		}
	}
	var missing []string
	for _, name := range []string{"patch/weight", "positions", "block_0/mlp/fc2/weight"} { // the shapes that tell the configuration
		missing = append(missing, found.missingParts(name)...)
	}
	if len(missing) > 0 {
		return nil, mismatch(m.Layout, map[string][]string{"missing": missing, "left over": sorted(found.unknown)})
	}
	if m.Config, m.resize, m.Warnings, err = inferConfig(found.table, shapes, conf); err != nil {
		return nil, err
	}
	if err := found.check(m.Config, shapes); err != nil {
		return nil, err
	}
	m.Name = m.Config.Architecture()
	m.Labels = conf.labels(m.Config.Classes)
	return m, m.findPipeline(conf, dir)
}

// entries fetches the matched tensors. Parts of a parameter that are missing
// are found by check, from the parameter's shape.
func (m *match) entries(file *weights.File) (map[string]*entry, error) {
	params := make(map[string]*entry, len(m.found))
	for ours, parts := range m.found {
		e := &entry{}
		for _, i := range sortedKeys(parts) {
			t, ok := file.Tensor(parts[i].name)
			if !ok {
				return nil, fmt.Errorf("tensor %s is listed but can't be read", parts[i].name)
			}
			e.parts = append(e.parts, part{t, parts[i].fix})
		}
		params[ours] = e
	}
	return params, nil
}

// check compares what the file has with what the configuration calls for.
func (m *match) check(c Config, shapes shapesOf) error {
	lists := map[string][]string{
		"left over":                 sorted(m.unknown),
		"for a place already taken": sorted(m.duplicate),
	}
	wanted := map[string]bool{}
	for _, p := range c.Parameters() {
		wanted[p.Name] = true
		have, missing := shapes[p.Name], m.missingParts(p.Name)
		switch {
		case len(missing) > 0:
			lists["missing"] = append(lists["missing"], missing...)
		case !slices.Equal(have, p.Shape):
			lists["of another shape"] = append(lists["of another shape"], fmt.Sprintf("%s is %v, not %v", m.fileName(p.Name), have, p.Shape))
		}
	}
	for name := range shapes {
		if !wanted[name] {
			lists["left over"] = append(lists["left over"], m.fileName(name))
		}
	}
	sort.Strings(lists["left over"])
	for _, l := range lists {
		if len(l) > 0 {
			return mismatch(m.table.layout, lists)
		}
	}
	return nil
}

// fileName is what a parameter that was found is called in the file.
func (m *match) fileName(ours string) string {
	parts := m.found[ours]
	var names []string
	for _, i := range sortedKeys(parts) {
		names = append(names, parts[i].name)
	}
	return capped(names, 3)
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

// Parameter is the values of one parameter of [Config.Parameters], row-major,
// and its shape. The values may be the file's own memory: don't write to them,
// and don't use them after Close.
func (m *Model) Parameter(name string) (values []float32, shape []int, err error) {
	e, ok := m.params[name]
	if !ok {
		return nil, nil, fmt.Errorf("the model has no parameter %q (is it closed?)", name)
	}
	if shape, err = e.shape(); err != nil {
		return nil, nil, err
	}
	values, err = e.float32s()
	return values, shape, err
}

// Tensor is [Model.Parameter] as a tensor, which whoever has copied its values may
// let the system forget ([weights.Tensor.Forget]).
func (m *Model) Tensor(name string) (*weights.Tensor, error) {
	values, shape, err := m.Parameter(name)
	if err != nil {
		return nil, err
	}
	if e := m.params[name]; len(e.parts) == 1 && e.parts[0].inPlace() && e.parts[0].tensor.DType == weights.Float32 {
		return e.parts[0].tensor.As(name, shape), nil
	}
	return weights.NewTensor(name, shape, values), nil
}

// CheckFinite reads all the weights and returns an error that names the first
// tensor with a NaN or an infinity. NewRunner does this too.
func (m *Model) CheckFinite() error {
	return m.forEach(func(_ Param, e *entry) error { return e.checkFinite() })
}

// forEach calls work for every parameter on all processors; the error is that
// of the first parameter, in order, for which it failed.
func (m *Model) forEach(work func(p Param, e *entry) error) error {
	list := m.Config.Parameters()
	errs := make([]error, len(list))
	_ = parallel.Each(context.Background(), len(list), min(runtime.GOMAXPROCS(0), 8), func(i int) error {
		if e, ok := m.params[list[i].Name]; ok {
			errs[i] = work(list[i], e)
		} else {
			errs[i] = fmt.Errorf("the model has no parameter %q (is it closed?)", list[i].Name)
		}
		return nil // which is first is told by order, below
	})
	for _, err := range errs {
		if err != nil {
			if m.Path != "" {
				return fmt.Errorf("%s: %w", m.Path, err)
			}
			return err
		}
	}
	return nil
}
