package weights

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"os"
	slashpath "path"
	"path/filepath"
	"slices"
	"strings"
	"unsafe"

	"gaze/internal/textfile"
)

// Format is a kind of checkpoint file.
type Format string

// Formats that [Open] reads, besides PyTorch's ("pytorch", "pytorch-legacy").
const (
	FormatSafetensors Format = "safetensors"
	FormatNPZ         Format = "npz"
	FormatONNX        Format = "onnx"
)

// File is an open checkpoint. Its tensors' bytes may be the mapped file's own:
// they must not be written to, and end with Close.
type File struct {
	path     string
	format   Format
	root     string
	metadata map[string]string
	names    []string
	tensors  map[string]*Tensor
	warnings []string
	keys     []string
	said     map[string]float64
	graph    *ONNXGraph
	files    []string // as many as mappings
	tried    []string // those too that couldn't be opened
	mappings [][]byte
	unmap    []func() error
	shard    bool // one of several, which an index names
}

// Open opens a checkpoint: a safetensors, PyTorch (.pth, .pt, .bin), .npz or
// ONNX file, an index of sharded files (*.index.json), or a folder with one of
// those. The format is found from the content, not from the name. Files are
// mapped into memory, so that nothing is read before it is used. If another
// program makes a mapped file shorter, reading what is gone ends the process
// (SIGBUS): replace checkpoints by renaming, not by writing into them.
//
// In a PyTorch file that holds more than a state dict (an optimiser's state,
// a number of epochs) the dict with the weights is chosen, see [File.Root];
// [OpenAt] overrides. Errors name the file, the tensor, and what to do.
func Open(path string) (*File, error) { return OpenAt(path, "") }

// OpenAt opens a checkpoint and takes the tensors of the container called root,
// such as "model" or "ema.state_dict"; an empty root is chosen as Open does.
// Only PyTorch files have containers.
func OpenAt(path, root string) (*File, error) { return open(path, choice{root: root}) }

// OpenAll opens a checkpoint and takes every tensor in it, whatever container it
// lies in, under the keys that lead to it joined by dots ("state_dict.head.bias",
// "optimizer.state.0.exp_avg"). It is for callers who choose among several sets of
// weights themselves. A tensor that can't be read is listed all the same;
// [Tensor.Err] says why.
func OpenAll(path string) (*File, error) { return open(path, choice{all: true}) }

// Files lists the files that [Open] opens for a checkpoint: the one that a folder
// stands for, the shards of an index, the files in which an ONNX model keeps its
// values. Of a checkpoint that can't be opened it lists those that were looked for
// until that was clear.
func Files(path string) []string {
	if info, err := os.Stat(path); err != nil {
		return nil
	} else if info.IsDir() {
		inner, err := checkpointIn(path)
		if err != nil {
			return nil
		}
		return Files(inner)
	}
	f := &File{path: path, tensors: map[string]*Tensor{}}
	_ = f.read(path, choice{all: true}) // whoever opens it is told
	f.Close()                           // nothing of it is kept
	slices.Sort(f.tried)
	return slices.Compact(f.tried)
}

// choice says which of a file's tensors are wanted.
type choice struct {
	root string // of this container; "" is what Open chooses
	all  bool   // all there are
}

func open(path string, c choice) (*File, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if info.IsDir() {
		inner, err := checkpointIn(path)
		if err != nil {
			return nil, err
		}
		return open(inner, c)
	}
	f := &File{path: path, tensors: map[string]*Tensor{}}
	if err := f.read(path, c); err != nil {
		f.Close() // what can't be read is of more interest than what can't be unmapped
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return f, nil
}

// read maps one file and takes its tensors.
func (f *File) read(path string, c choice) error {
	data, err := f.mapped(path)
	if err != nil {
		return err
	}
	format := sniff(data)
	if c.root != "" && format != FormatPyTorch && format != FormatPyTorchLegacy {
		return fmt.Errorf("a file of format %s has no containers to choose %q from", format, c.root)
	}
	f.format = format
	var tensors []*Tensor
	switch format {
	case FormatSafetensors:
		tensors, f.metadata, err = parseSafetensors(data)
	case FormatNPZ:
		tensors, err = parseNPZ(data)
	case FormatPyTorch, FormatPyTorchLegacy:
		tensors, err = f.readTorch(data, c)
	case FormatONNX:
		tensors, f.graph, err = parseONNX(data, f.beside(filepath.Dir(path)))
	case formatIndex:
		if f.shard {
			return errors.New("an index itself, where the weights should be")
		}
		return f.readShards(path, data, c)
	default:
		return unknown(path, data)
	}
	if err != nil {
		return err
	}
	for _, t := range tensors {
		if t.problem != nil && !c.all {
			return t.problem
		}
	}
	return f.add(tensors)
}

// readTorch takes the chosen tensors of a PyTorch file.
func (f *File) readTorch(data []byte, c choice) ([]*Tensor, error) {
	content, err := readTorch(data)
	if err != nil {
		return nil, err
	}
	value := content.top
	switch {
	case c.all:
	case c.root != "":
		f.root = c.root
		value, err = torchFind(content.top, c.root)
	default:
		value, f.root, err = torchPick(content.top)
		if others := torchOthers(content.top, f.root); err == nil && f.root != "" && len(others) > 0 {
			f.warnings = append(f.warnings, fmt.Sprintf("it holds several sets of weights: took %s, not %s; --weights chooses another", f.root, strings.Join(others, ", ")))
		}
	}
	if err != nil {
		return nil, err
	}
	f.format = content.format
	if d, ok := torchDictOf(content.top); ok {
		for _, k := range d.keys {
			f.keys = append(f.keys, torchKey(k))
		}
	}
	f.warnings = append(f.warnings, content.host.warnings(value)...)
	f.said = content.host.said()
	return content.flatten(value, c.all)
}

// beside maps files of a folder, each once.
func (f *File) beside(dir string) onnxOutside {
	known := map[string][]byte{}
	return func(name string) ([]byte, error) {
		if data, ok := known[name]; ok {
			return data, nil
		}
		data, err := f.mapped(filepath.Join(dir, name))
		if err == nil {
			known[name] = data
		}
		return data, err
	}
}

// errNotRegular refuses folders, pipes and devices.
var errNotRegular = errors.New("not a regular file, which is what can be mapped: save it as one first")

// mapped maps a file until Close.
func (f *File) mapped(path string) ([]byte, error) {
	f.tried = append(f.tried, path)
	// Opening a pipe waits for somebody to write to it.
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		return nil, errNotRegular
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, errNotRegular
	}
	data, unmap, err := mapFile(file, info.Size())
	if err != nil {
		return nil, err
	}
	f.mappings, f.unmap, f.files = append(f.mappings, data), append(f.unmap, unmap), append(f.files, path)
	return data, nil
}

// add takes tensors whose names are new.
func (f *File) add(tensors []*Tensor) error {
	for _, t := range tensors {
		if f.tensors[t.Name] != nil {
			return fmt.Errorf("tensor %s is there twice", t.Name)
		}
		t.mapped = t.mapped || f.holds(t.data)
		f.tensors[t.Name] = t
		f.names = append(f.names, t.Name)
	}
	return nil
}

// holds tells whether bytes are the mapping's own.
func (f *File) holds(data []byte) bool {
	if len(data) == 0 {
		return false
	}
	at := uintptr(unsafe.Pointer(&data[0]))
	return slices.ContainsFunc(f.mappings, func(m []byte) bool {
		return len(m) > 0 && at-uintptr(unsafe.Pointer(&m[0])) < uintptr(len(m))
	})
}

// formatIndex is a JSON file that says which tensors are in which file.
const formatIndex Format = "index"

// sniff tells the format from a file's first bytes, or "".
func sniff(data []byte) Format {
	head := data[:min(len(data), 512)]
	switch {
	case bytes.HasPrefix(head, []byte("PK\x03\x04")), bytes.HasPrefix(head, []byte("PK\x05\x06")):
		if zipHoldsPickle(data) {
			return FormatPyTorch
		}
		return FormatNPZ
	case len(head) > 8 && head[8] == '{' && head[6] == 0 && head[7] == 0:
		return FormatSafetensors
	case len(head) > 2 && head[0] == 0x80 && head[1] >= 2 && head[1] <= 5, isTar(data):
		return FormatPyTorchLegacy
	case beginsObject(head):
		return formatIndex
	case looksLikeONNX(head):
		return FormatONNX
	}
	return ""
}

// beginsObject tells whether a file begins as a JSON object does, in any of the
// encodings that editors save text in.
func beginsObject(head []byte) bool {
	text, err := textfile.Decode("", head[:min(len(head), 64)])
	if err != nil {
		text = head
	}
	return bytes.HasPrefix(bytes.TrimLeft(text, " \t\r\n"), []byte("{"))
}

// zipHoldsPickle tells a PyTorch file from a .npz.
func zipHoldsPickle(data []byte) bool {
	r, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil { // cut off: the first member still stands at the beginning
		return bytes.Contains(data[:min(len(data), 4096)], []byte("data.pkl"))
	}
	return slices.ContainsFunc(r.File, func(f *zip.File) bool { return slashpath.Base(f.Name) == "data.pkl" })
}

// looksLikeONNX tells whether a file begins like an ONNX model: field 1 (the
// format's version, a small number), then another of a model's fields: 2 to 8
// or 14, with their types.
func looksLikeONNX(head []byte) bool {
	return len(head) > 4 && head[0] == 0x08 && head[1] < 32 && strings.IndexByte("\x12\x1A\x22\x28\x32\x3A\x42\x72", head[2]) >= 0
}

// Path returns the file's name as it was given or found in a folder.
func (f *File) Path() string { return f.path }

// Format returns the kind of file; that of the shards, for an index.
func (f *File) Format() Format { return f.format }

// Root returns the name of the container in a PyTorch file that the tensors were
// taken from, such as "model"; empty when they lie at the top.
func (f *File) Root() string { return f.root }

// Metadata returns what a safetensors file says of itself; nil if nothing.
func (f *File) Metadata() map[string]string { return f.metadata }

// Warnings say what in the file was passed over that a reader might miss, such as
// objects beside the weights of classes that aren't known; nil if nothing was.
func (f *File) Warnings() []string { return f.warnings }

// Keys lists the keys of the dict that a PyTorch file holds, also those of things
// that are no tensors; nil for other files.
func (f *File) Keys() []string { return f.keys }

// Said are numbers that whole pickled modules give of themselves and that no tensor
// tells: "heads" of attention and "eps" of LayerNorms, where all modules in the file
// agree; nil or empty for other files.
func (f *File) Said() map[string]float64 { return f.said }

// Graph returns the graph that an ONNX file's weights belong to; nil for other files.
func (f *File) Graph() *ONNXGraph { return f.graph }

// Names lists the tensors in the file's order. The slice must not be changed.
func (f *File) Names() []string { return f.names }

// Tensor returns a tensor by name.
func (f *File) Tensor(name string) (*Tensor, bool) {
	t, ok := f.tensors[name]
	return t, ok
}

// Close unmaps the file. The tensors' bytes are gone then, and so are slices
// that [Tensor.Float32s] returned without a copy: reading either ends the
// process.
func (f *File) Close() error {
	var errs []error
	for _, unmap := range f.unmap {
		errs = append(errs, unmap())
	}
	f.mappings, f.unmap, f.tensors, f.names = nil, nil, nil, nil
	return errors.Join(errs...)
}
