package vit

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"gaze/internal/textfile"
	"gaze/pkg/weights"
)

// configFile is what a config.json says about a model: transformers', timm's, or a few keys
// written by hand. What it doesn't say has a zero value.
type configFile struct {
	path   string
	values map[string]any     // the top level, overridden by timm's model_args
	timm   map[string]any     // timm's pretrained_cfg
	said   map[string]float64 // what the weights' own file says ([weights.File.Said])
	hf     bool               // transformers wrote it, for a model type that is known
	nested bool               // timm's pretrained_cfg is an object of its own; in older files it is the top level
}

func (f *configFile) present() bool { return f != nil && f.path != "" }

// configName is the file beside the weights that says what they don't tell, and
// processorNames those that say how pictures are prepared.
const configName = "config.json"

var processorNames = []string{"processor_config.json", "preprocessor_config.json"}

// Files lists the files that [Load] reads, or would read if they were there: those of
// [weights.Files] and the configurations in their folder.
func Files(path string) []string {
	files := weights.Files(path)
	for _, name := range append([]string{configName}, processorNames...) {
		files = append(files, filepath.Join(folderOf(path), name))
	}
	return files
}

// folderOf is the folder that a checkpoint's files lie in; path may be that itself.
func folderOf(path string) string {
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		return path
	}
	return filepath.Dir(path)
}

// maxConfigFile bounds the size of a JSON file beside the weights.
const maxConfigFile = 16 << 20

// readConfigFile reads the config.json in a folder. If there is none, the result says
// nothing.
func readConfigFile(dir string) (*configFile, error) {
	path := filepath.Join(dir, configName)
	values, err := readJSON(path)
	if errors.Is(err, fs.ErrNotExist) {
		return &configFile{}, nil
	}
	if err != nil {
		return nil, err
	}
	f := &configFile{path: path, values: values}
	f.timm, f.nested = values["pretrained_cfg"].(map[string]any)
	if _, ok := values["architecture"].(string); ok && values["pretrained_cfg"] == nil {
		f.timm = maps.Clone(values)
	}
	if args, ok := values["model_args"].(map[string]any); ok {
		for k, v := range args {
			values[k] = v
		}
	}
	return f, nil
}

// inSection is the file as a layout sees it that has a section of its own in it. Names and
// shapes of such a layout don't show its activation, so that it needs a file.
func (f *configFile) inSection(t *table) (*configFile, error) {
	if t.section == "" {
		return f.withUnsaid(""), nil
	}
	in := f
	if section, ok := f.values[t.section].(map[string]any); ok {
		in = &configFile{path: f.path, values: section, said: f.said}
	}
	in = in.withUnsaid(f.text("model_type"))
	if in.text("hidden_act") == "" {
		return nil, fmt.Errorf("layout %s: names and shapes don't tell which activation it has: put its config.json, with hidden_act, beside the weights", t.layout)
	}
	return in, nil
}

// readJSON reads a file with a JSON object.
func readJSON(path string) (map[string]any, error) {
	info, err := os.Stat(path)
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
	var values map[string]any
	if err := json.Unmarshal([]byte(text), &values); err != nil {
		return nil, fmt.Errorf("%s: not a JSON object: %w", path, err)
	}
	return values, nil
}

// markFractions has the numbers of keys that the file writes with a fraction or an
// exponent, as 224.5 or 3.0, stay a json.Number. Python has them as other than whole
// numbers, and transformers doesn't take them for sizes or filters.
func markFractions(path string, values map[string]any, keys ...string) error {
	text, err := textfile.Read(path)
	if err != nil {
		return err
	}
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	var exact map[string]any
	if err := d.Decode(&exact); err != nil {
		return fmt.Errorf("%s: not a JSON object: %w", path, err)
	}
	if inner, ok := exact["image_processor"].(map[string]any); ok && values["image_processor"] == nil {
		exact = inner
	}
	for _, key := range keys {
		if v, ok := exact[key]; ok {
			values[key] = marked(v)
		}
	}
	return nil
}

// marked is a value with whole numbers as float64, others as json.Number.
func marked(v any) any {
	switch v := v.(type) {
	case json.Number:
		if n, err := v.Float64(); err == nil && !strings.ContainsAny(v.String(), ".eE") {
			return n
		}
	case []any:
		for i := range v {
			v[i] = marked(v[i])
		}
	case map[string]any:
		for key := range v {
			v[key] = marked(v[key])
		}
	}
	return v
}

// number is the value of the first of the keys that has a number.
func (f *configFile) number(keys ...string) (float64, bool) {
	if f == nil {
		return 0, false
	}
	for _, k := range keys {
		if v, ok := f.values[k].(float64); ok {
			return v, true
		}
	}
	return 0, false
}

func (f *configFile) text(key string) string {
	if f == nil {
		return ""
	}
	s, _ := f.values[key].(string)
	return s
}

// pair is a size, which is one number for both sides or [height, width].
func (f *configFile) pair(keys ...string) ([2]int, bool) {
	if f == nil {
		return [2]int{}, false
	}
	for _, k := range keys {
		if p, ok := asPair(f.values[k]); ok {
			return p, true
		}
	}
	return [2]int{}, false
}

func asPair(v any) ([2]int, bool) {
	switch v := v.(type) {
	case float64:
		if i, ok := asSize(v); ok {
			return [2]int{i, i}, true
		}
	case []any:
		if len(v) == 2 {
			h, okH := asSize(v[0])
			w, okW := asSize(v[1])
			return [2]int{h, w}, okH && okW
		}
	}
	return [2]int{}, false
}

// asSize is v as a whole number, if it is within bounds.
func asSize(v any) (int, bool) {
	f, ok := v.(float64)
	if !ok || f != float64(int(f)) || f < 0 || f > 1<<24 {
		return 0, false
	}
	return int(f), true
}

// apply adds what the file says to the configuration that was inferred from the shapes. If
// they contradict each other, the file belongs to another model, which is an error.
func (f *configFile) apply(c *Config) error {
	if !f.present() {
		return nil
	}
	if err := f.checkKinds(); err != nil {
		return err
	}
	checks := []struct {
		keys []string
		have int
	}{
		{[]string{"hidden_size", "embed_dim", "dim"}, c.Dim},
		{[]string{"num_hidden_layers", "depth"}, c.Depth},
		{[]string{"num_register_tokens", "reg_tokens"}, c.Registers},
		{[]string{"num_channels", "in_chans"}, c.Channels},
	}
	for _, check := range checks {
		if v, ok := f.number(check.keys...); ok && v != float64(check.have) {
			return fmt.Errorf("%s says %s %g, the tensors say %d: it belongs to other weights", f.path, check.keys[0], v, check.have)
		}
	}
	if p, ok := f.pair("patch_size"); ok && p != c.PatchKernel() {
		return fmt.Errorf("%s says patches of %v, the tensors say %v: it belongs to other weights", f.path, p, c.PatchKernel())
	}
	if c.Activation != SwiGLU {
		f.architecture(c)
	}
	if v, ok := f.number("num_attention_heads", "num_heads", "heads"); ok {
		c.Heads = int(v)
	} else if f.hf && c.Dim%hfHeads == 0 {
		c.Heads = hfHeads
	}
	if v, ok := f.number("layer_norm_eps", "eps", "norm_eps"); ok {
		c.NormEps = v
	} else if name := f.text("architecture"); name != "" { // timm's files don't say, its functions do
		c.NormEps = 1e-6
		if strings.Contains(name, "clip") {
			c.NormEps = 1e-5
		}
	}
	if size, ok := f.imageSize(); ok {
		c.ImageSize = size
	}
	if err := f.activation(c); err != nil {
		return err
	}
	return f.pool(c)
}

// imageSize is the size of the pictures that the position embeddings are for.
func (f *configFile) imageSize() ([2]int, bool) {
	if size, ok := f.pair("image_size", "img_size"); ok {
		return size, true
	}
	if input, ok := f.timm["input_size"].([]any); ok && len(input) == 3 {
		return asPair(input[1:])
	}
	return [2]int{}, false
}

// activation sets the MLP's activation, if the file names it. A gated MLP is known from the
// shapes; the name is then the gate's.
func (f *configFile) activation(c *Config) error {
	name := f.text("hidden_act")
	for _, key := range []string{"act_layer", "activation"} {
		if name == "" {
			name = f.text(key)
		}
	}
	if c.Activation == SwiGLU {
		return nil
	}
	switch strings.ToLower(name) {
	case "":
		if strings.Contains(f.text("architecture"), "quickgelu") {
			c.Activation = QuickGELU
		}
	case "gelu", "gelu_python":
		c.Activation = GELU
	case "gelu_tanh", "gelu_new", "gelu_pytorch_tanh", "gelu_python_tanh", "gelu_fast", "gelu_accurate":
		c.Activation = GELUTanh
	case "quick_gelu", "quickgelu":
		c.Activation = QuickGELU
	default:
		return fmt.Errorf("%s asks for the activation %q, which isn't among gelu, gelu_tanh and quick_gelu", f.path, name)
	}
	return nil
}

// pool applies timm's global_pool.
func (f *configFile) pool(c *Config) error {
	switch name := f.text("global_pool"); name {
	case "", "token":
	case "avg":
		if c.Pool == PoolClass {
			c.Pool = PoolMean
		}
	default:
		return fmt.Errorf("%s asks for the pooling %q, which isn't among token and avg", f.path, name)
	}
	return nil
}

// labels is the names of the classes in order. It is nil unless the file names exactly the
// classes that the model has; transformers' placeholders (LABEL_0, …) don't count.
func (f *configFile) labels(classes int) []string {
	if !f.present() || classes == 0 {
		return nil
	}
	if list, ok := f.values["label_names"].([]any); ok && len(list) == classes {
		return texts(list)
	}
	byID, ok := f.values["id2label"].(map[string]any)
	if !ok || len(byID) != classes {
		return nil
	}
	list := make([]any, classes)
	for id, name := range byID {
		i, err := strconv.Atoi(id)
		if err != nil || i < 0 || i >= classes {
			return nil
		}
		if name == "LABEL_"+id {
			return nil
		}
		list[i] = name
	}
	return texts(list)
}

func texts(list []any) []string {
	out := make([]string, len(list))
	for i, v := range list {
		s, ok := v.(string)
		if !ok {
			return nil
		}
		out[i] = s
	}
	return out
}
