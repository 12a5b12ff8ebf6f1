// Package sortedwalk lists the files below a folder in the order of their slash-separated
// names, byte by byte, which is also the order in which buckets list. It holds the names in
// the folders that it is in, about 8 bytes more than their length for each.
package sortedwalk

import (
	"io/fs"
	"iter"
	"os"
	"path/filepath"
)

// Options say what [Files] visits. The zero value visits everything and follows no links.
type Options struct {
	// Links follows links to folders. A folder that was visited before is passed over, so
	// that loops of links end.
	Links bool
	// Skip reports which files and folders are left out, by their names relative to the
	// folder that is walked; nil leaves out none.
	Skip func(name string, folder bool) bool
}

// File is anything in a folder that isn't itself a folder.
type File struct {
	Name string // relative to the folder that is walked, with slashes
	Path string // in the file system
	// Type is what the file is: 0 for a regular file. With Options.Links, a link has the
	// type of its target, and [fs.ModeSymlink] if that is missing.
	Type fs.FileMode
}

// Files yields the files below dir. The first error ends the walk.
func Files(dir string, o Options) iter.Seq2[File, error] {
	return func(yield func(File, error) bool) {
		w := walker{Options: o, yield: yield}
		w.folder(dir, "")
	}
}

type walker struct {
	Options
	yield   func(File, error) bool
	visited folders
}

// folder visits a folder whose files' names begin with prefix; more is false when the walk
// has to end.
func (w *walker) folder(dir, prefix string) (more bool) {
	if w.Links {
		info, err := os.Stat(dir)
		if err != nil {
			return w.fail(err)
		}
		if w.visited.add(info) {
			return true
		}
	}
	names, err := readFolder(dir, w.Links)
	if err != nil {
		return w.fail(err)
	}
	for i := range names.entries {
		base, kind := names.at(i)
		if !w.entry(File{Name: prefix + base, Path: filepath.Join(dir, base), Type: kind}) {
			return false
		}
	}
	return true
}

func (w *walker) fail(err error) bool {
	w.yield(File{}, err)
	return false
}

func (w *walker) entry(file File) bool {
	folder := file.Type.IsDir()
	switch {
	case w.Skip != nil && w.Skip(file.Name, folder):
		return true
	case folder:
		return w.folder(file.Path, file.Name+"/")
	}
	return w.yield(file, nil)
}
