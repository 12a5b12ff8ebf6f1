package weights

import (
	"fmt"
	"os"
)

// Format is a kind of checkpoint file.
type Format string

// File is an open checkpoint.
type File struct {
	path     string
	format   Format
	metadata map[string]string
	names    []string
	tensors  map[string]*Tensor
}

// Open opens a checkpoint (only safetensors so far).
func Open(path string) (*File, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	tensors, metadata, err := parseSafetensors(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	f := &File{path: path, format: "safetensors", metadata: metadata, tensors: map[string]*Tensor{}}
	for _, t := range tensors {
		f.names = append(f.names, t.Name)
		f.tensors[t.Name] = t
	}
	return f, nil
}

// Path returns the file's name as given.
func (f *File) Path() string { return f.path }

// Format returns the kind of file.
func (f *File) Format() Format { return f.format }

// Metadata returns what the file says of itself.
func (f *File) Metadata() map[string]string { return f.metadata }

// Names lists the tensors in the file's order.
func (f *File) Names() []string { return f.names }

// Tensor returns a tensor by name.
func (f *File) Tensor(name string) (*Tensor, bool) { t, ok := f.tensors[name]; return t, ok }

// Close lets go of the file.
func (f *File) Close() error { return nil }
