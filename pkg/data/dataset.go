package data

import (
	"fmt"
	"path/filepath"

	"gaze/pkg/transform"
)

// Set is pictures with labels, to be loaded in batches: a [Dataset] on disk, or
// pictures that are drawn or in memory. Its methods are called from several
// goroutines at a time.
type Set interface {
	Len() int
	// Label is the class of picture i, from 0.
	Label(i int) int
	// Name names picture i in messages.
	Name(i int) string
	// Image is picture i. Whoever gets it only reads it.
	Image(i int) (*transform.Image, error)
}

// imageWith is picture i of a set, in the decoder's memory where that's possible.
// Only the types themselves are looked at, so that a type that embeds one of them
// may have its own Image.
func imageWith(set Set, d *Decoder, i int) (*transform.Image, error) {
	switch set := set.(type) {
	case *Dataset:
		return d.Decode(set.Items[i].Path)
	case *Cache:
		return set.imageWith(d, i)
	}
	return set.Image(i)
}

// Item is a picture of a [Dataset].
type Item struct {
	Path  string // of the file
	Label int    // index into Dataset.Classes
	ID    int    // the number at the end of the name, as 12 in 3_12.jpg; -1 if there is none
}

// Dataset is picture files with labels, in an order that depends on nothing but
// their names (or, for a CSV, on its lines). It is a [Set].
type Dataset struct {
	Root    string   // the folder, or the CSV's folder
	Classes []string // names; the numbers themselves where there are no names
	Items   []Item
}

// Len is the number of pictures.
func (d *Dataset) Len() int { return len(d.Items) }

// Label is the class of picture i.
func (d *Dataset) Label(i int) int { return d.Items[i].Label }

// Name is the path of picture i.
func (d *Dataset) Name(i int) string { return d.Items[i].Path }

// Image decodes picture i as [Decode] does. The error names the file.
func (d *Dataset) Image(i int) (*transform.Image, error) { return Decode(d.Items[i].Path) }

// Counts is the number of pictures of each class.
func (d *Dataset) Counts() []int {
	counts := make([]int, len(d.Classes))
	for _, item := range d.Items {
		counts[item.Label]++
	}
	return counts
}

// relative is a picture's path as seen from the root, with slashes.
func (d *Dataset) relative(i int) string {
	path := d.Items[i].Path
	if rel, err := filepath.Rel(d.Root, path); err == nil {
		path = rel
	}
	return filepath.ToSlash(path)
}

// Splits is the parts of a data set, nil where there is none. All have the same
// list of classes.
type Splits struct {
	Classes                 []string
	Train, Validation, Test *Dataset
}

// splitNames are the names that a split's folder or CSV may have.
var splitNames = [3][]string{{"train"}, {"val", "valid", "validation"}, {"test"}}

// part is the split at a place of splitNames.
func (s *Splits) part(i int) **Dataset {
	return [...]**Dataset{&s.Train, &s.Validation, &s.Test}[i]
}

// OpenDataset lists the pictures of a data set. It decodes none of them. The
// path is one of
//
//   - a folder of {class}_{id}.jpg (or .png …): class is a number from 0, or a
//     name that classes.txt lists;
//   - a folder with a folder for each class, whose names, sorted, are the classes,
//     as torchvision's ImageFolder has it;
//   - a CSV with a header and the columns filename and label (a number from 0, or
//     a name), or a folder that holds one beside its pictures, unless those are
//     named {class}_{id}, too; file names are as seen from the CSV's folder;
//   - a folder with the splits train, val (or valid, validation) and test, each a
//     folder of any of these kinds or a CSV (train.csv). Folders named after a
//     split, such as train-head, are left alone.
//
// Without splits, all pictures are in Train. A file classes.txt, with a name on
// each line, beside the pictures or in the folder above, names the classes.
// Pictures are ordered by id, then name; those of class folders by path; those of
// a CSV as its lines are. Files whose names begin with a dot are not looked at.
//
// A picture that has no class, a class that occurs in another split but not in
// train, and layouts that are mixed are errors, which name the file and say what
// to do.
func OpenDataset(path string) (*Splits, error) {
	sources, names, err := findSources(filepath.Clean(path))
	if err != nil {
		return nil, fmt.Errorf("data set: %w", err)
	}
	classes, err := resolveClasses(sources, names)
	if err != nil {
		return nil, fmt.Errorf("data set: %w", err)
	}
	s := &Splits{Classes: classes.names}
	for _, source := range sources {
		d, err := classes.dataset(source)
		if err != nil {
			return nil, fmt.Errorf("data set: %w", err)
		}
		*s.part(source.split) = d
	}
	if err := s.check(); err != nil {
		return nil, fmt.Errorf("data set: %w", err)
	}
	return s, nil
}

// check refuses a class that is only seen where it can't be learnt.
func (s *Splits) check() error {
	if s.Train == nil {
		return nil
	}
	known := s.Train.Counts()
	for i := range splitNames {
		d := *s.part(i)
		if d == nil {
			continue
		}
		for _, item := range d.Items {
			if known[item.Label] == 0 {
				return fmt.Errorf("%s: its class %q has no picture in %s, so it can't be learnt: add some there, or take the class out of %s",
					item.Path, d.Classes[item.Label], s.Train.Root, d.Root)
			}
		}
	}
	return nil
}
