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

// File is an open checkpoint. Its tensors' bytes may be part of the mapped file:
// they must not be written to, and are valid only until Close.
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
	files    []string // the file of each mapping
	tried    []string // files, including those that couldn't be opened
	mappings [][]byte
	unmap    []func() error
	shard    bool // one of several files that an index names
}

// Open opens a checkpoint: a safetensors, PyTorch (.pth, .pt, .bin), .npz or
// ONNX file, an index of sharded files (*.index.json), or a folder with one of
// those. The format is detected from the content, not from the name. Files are
// mapped into memory, so that data is read only when it is used. If another
// program truncates a mapped file, reading the missing part ends the process
// (SIGBUS): replace checkpoints by renaming, not by writing into them.
//
// In a PyTorch file with more than a state dict (an optimiser's state, a number
// of epochs) the dict with the weights is chosen, see [File.Root]; [OpenAt]
// chooses another. Errors name the file and the tensor, and say what to do.
func Open(path string) (*File, error) { return OpenAt(path, "") }

// OpenAt opens a checkpoint and takes the tensors of the container called root,
// such as "model" or "ema.state_dict". An empty root means the container that
// [Open] would choose. Only PyTorch files have containers.
func OpenAt(path, root string) (*File, error) { return open(path, choice{root: root}) }

// OpenAll opens a checkpoint and takes the tensors of all its containers. A tensor's
// name is the path of keys to it, joined by dots ("state_dict.head.bias",
// "optimizer.state.0.exp_avg"). It is for callers that choose among several sets of
// weights themselves. A tensor that can't be read is listed too; [Tensor.Err] says
// why it can't.
func OpenAll(path string) (*File, error) { return open(path, choice{all: true}) }

// Files lists the files that [Open] opens for a checkpoint: the file found in a folder,
// the shards of an index, the files in which an ONNX model keeps its values. For a
// checkpoint that can't be opened, it lists the files that were tried.
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
	_ = f.read(path, choice{all: true}) // Open reports the error
	f.Close()                           // only the names are needed
	slices.Sort(f.tried)
	return slices.Compact(f.tried)
}

// choice selects tensors of a file.
type choice struct {
	root string // the container to take; "" for the one that Open chooses
	all  bool   // take all tensors
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
		f.Close() // the error of reading matters more than an error of unmapping
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
		return fmt.Errorf("a file of format %s has no containers, so %q can't be chosen", format, c.root)
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
			return errors.New("this is another index, not a file with weights")
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
			f.warnings = append(f.warnings, fmt.Sprintf("it holds several sets of weights: took %s, not %s; use --weights to choose another", f.root, strings.Join(others, ", ")))
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

// beside returns a function that maps files of a folder, each once.
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

// errNotRegular is the error for folders, pipes and devices.
var errNotRegular = errors.New("not a regular file, so it can't be mapped into memory: save it as a regular file first")

// mapped maps a file until Close.
func (f *File) mapped(path string) ([]byte, error) {
	f.tried = append(f.tried, path)
	// Opening a pipe would block until a writer opens it.
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

// add adds tensors, whose names must be new.
func (f *File) add(tensors []*Tensor) error {
	for _, t := range tensors {
		if f.tensors[t.Name] != nil {
			return fmt.Errorf("two tensors are called %s", t.Name)
		}
		t.mapped = t.mapped || f.holds(t.data)
		f.tensors[t.Name] = t
		f.names = append(f.names, t.Name)
	}
	return nil
}

// holds reports whether data is part of one of the mappings.
func (f *File) holds(data []byte) bool {
	if len(data) == 0 {
		return false
	}
	at := uintptr(unsafe.Pointer(&data[0]))
	return slices.ContainsFunc(f.mappings, func(m []byte) bool {
		return len(m) > 0 && at-uintptr(unsafe.Pointer(&m[0])) < uintptr(len(m))
	})
}

// formatIndex is a JSON file that maps tensors to files.
const formatIndex Format = "index"

// sniff detects the format from a file's first bytes, "" if it is unknown.
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

// beginsObject reports whether a file begins like a JSON object, in any text encoding
// that package textfile reads.
func beginsObject(head []byte) bool {
	text, err := textfile.Decode("", head[:min(len(head), 64)])
	if err != nil {
		text = head
	}
	return bytes.HasPrefix(bytes.TrimLeft(text, " \t\r\n"), []byte("{"))
}

// zipHoldsPickle tells a PyTorch archive from a .npz archive.
func zipHoldsPickle(data []byte) bool {
	r, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil { // truncated: look for the name of the first member at the beginning
		return bytes.Contains(data[:min(len(data), 4096)], []byte("data.pkl"))
	}
	return slices.ContainsFunc(r.File, func(f *zip.File) bool { return slashpath.Base(f.Name) == "data.pkl" })
}

// looksLikeONNX reports whether a file begins like an ONNX model: with field 1 (the
// format's version, a small number), then another field of a model (2 to 8 or 14) with
// its wire type.
func looksLikeONNX(head []byte) bool {
	return len(head) > 4 && head[0] == 0x08 && head[1] < 32 && strings.IndexByte("\x12\x1A\x22\x28\x32\x3A\x42\x72", head[2]) >= 0
}

// Path returns the file's path, as it was given or as it was found in a folder.
func (f *File) Path() string { return f.path }

// Format returns the file's format; for an index, that of the shards.
func (f *File) Format() Format { return f.format }

// Root returns the name of the container in a PyTorch file from which the tensors were
// taken, such as "model"; it is empty if they are at the top level.
func (f *File) Root() string { return f.root }

// Metadata returns the metadata of a safetensors file; nil if it has none.
func (f *File) Metadata() map[string]string { return f.metadata }

// Warnings describe the parts of the file that were skipped and that a user might miss,
// such as objects of unknown classes beside the weights; nil if there are none.
func (f *File) Warnings() []string { return f.warnings }

// Keys lists the keys of the dict in a PyTorch file, including those of values that
// aren't tensors; nil for other files.
func (f *File) Keys() []string { return f.keys }

// Said returns the settings that whole pickled modules store and that tensors don't
// determine: "heads" of attention and "eps" of LayerNorms, if all modules in the file
// agree. It is nil or empty for other files.
func (f *File) Said() map[string]float64 { return f.said }

// Graph returns the graph of an ONNX file; nil for other files.
func (f *File) Graph() *ONNXGraph { return f.graph }

// Names lists the tensors in the file's order. The slice must not be changed.
func (f *File) Names() []string { return f.names }

// Tensor returns a tensor by name.
func (f *File) Tensor(name string) (*Tensor, bool) {
	t, ok := f.tensors[name]
	return t, ok
}

// Close unmaps the file. After that, reading the tensors' bytes, or slices that
// [Tensor.Float32s] returned without a copy, ends the process.
func (f *File) Close() error {
	var errs []error
	for _, unmap := range f.unmap {
		errs = append(errs, unmap())
	}
	f.mappings, f.unmap, f.tensors, f.names = nil, nil, nil, nil
	return errors.Join(errs...)
}
