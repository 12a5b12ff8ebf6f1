package data

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"gaze/pkg/transform"
)

// The files of a folder that [OpenTruth] reads.
const (
	truthIndex    = "index.csv"
	truthOutlines = "outlines.json"
	truthTrimaps  = "trimaps"
)

// Truth is what is known about the pictures of a folder besides their classes: which
// pixels are the pet's, and where its head is.
type Truth struct {
	Folder   string
	Pictures []*Known // in the order of index.csv
	byName   map[string]*Known
}

// Known is what is known about one picture. Boxes and outlines are in pixels of the
// original, of which the picture in the folder may be a smaller copy.
type Known struct {
	Name    string // of the file without its ending, such as "26_5064"
	Path    string // of the picture
	Split   string // such as "val"
	Class   int
	Breed   string // as the set spells it, such as "saint_bernard"; may be ""
	Species string // "cat" or "dog"; may be ""
	// Width and Height are those of the original in pixels, 0 if they aren't known.
	Width, Height int
	Head          *transform.Region // the box around the head; nil: not known

	trimap  string // path, "" if there is none
	outline *outline
}

// HasTrimap reports whether the picture has a trimap.
func (k *Known) HasTrimap() bool { return k.trimap != "" }

// HasOutline reports whether the picture has an outline.
func (k *Known) HasOutline() bool { return k.outline != nil }

// OpenTruth reads what is known about the pictures of a folder in the layout that
// [ConvertOxfordPets] writes:
//
//	dir/index.csv       a line for each picture: file,split,cls,id,oxford,breed,species,
//	                    width,height,xmin,ymin,xmax,ymax,mask
//	dir/trimaps/*.png   optional: 1 is the pet, 2 the background, 3 the border between
//	                    them, in the original's size
//	dir/outlines.json   optional: a list of {"file","width","height","polygons"}, where a
//	                    polygon is x, y, x, y, … in pixels of the original
//
// Width and height are those of the original, xmin to ymax the box around the head; they
// are empty where they aren't known. The columns id, oxford, breed, species and mask may
// be missing; other columns are ignored. Pictures lie in dir/SPLIT/FILE, and aren't
// opened. Errors name the file and the line.
func OpenTruth(dir string) (*Truth, error) {
	t := &Truth{Folder: dir, byName: map[string]*Known{}}
	if err := t.readIndex(filepath.Join(dir, truthIndex)); err != nil {
		return nil, fmt.Errorf("truth: %w", err)
	}
	if err := t.findTrimaps(filepath.Join(dir, truthTrimaps)); err != nil {
		return nil, fmt.Errorf("truth: %w", err)
	}
	if err := t.readOutlines(filepath.Join(dir, truthOutlines)); err != nil {
		return nil, fmt.Errorf("truth: %w", err)
	}
	return t, nil
}

// Find returns what is known about a picture, by its path or name: the folder and the
// ending don't matter. It returns nil if the picture isn't listed.
func (t *Truth) Find(name string) *Known {
	base := filepath.Base(name)
	return t.byName[strings.TrimSuffix(base, filepath.Ext(base))]
}

// readIndex reads index.csv.
func (t *Truth) readIndex(path string) error {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%w: 'gaze pull oxford-pets' makes a folder that has one", err)
	} else if err != nil {
		return err
	}
	rows, err := parseIndex(text)
	if err != nil {
		return fmt.Errorf("%s:%w", path, err)
	}
	for _, r := range rows {
		k := r.Known
		if t.byName[k.Name] != nil {
			return fmt.Errorf("%s:%d: the picture %s is listed twice", path, r.line, k.Name)
		}
		k.Path = filepath.Join(t.Folder, k.Split, r.file)
		t.byName[k.Name] = k
		t.Pictures = append(t.Pictures, k)
	}
	return nil
}

// findTrimaps lists the trimaps; each must be that of a listed picture.
func (t *Truth) findTrimaps(dir string) error {
	list, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	} else if err != nil {
		return err
	}
	for _, e := range list {
		if e.IsDir() || isIgnored(e.Name()) || !strings.EqualFold(filepath.Ext(e.Name()), ".png") {
			continue
		}
		k := t.Find(e.Name())
		if k == nil {
			return fmt.Errorf("%s: %s lists no such picture", filepath.Join(dir, e.Name()), truthIndex)
		}
		k.trimap = filepath.Join(dir, e.Name())
	}
	return nil
}

// readOutlines reads outlines.json, if there is one.
func (t *Truth) readOutlines(path string) error {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	} else if err != nil {
		return err
	}
	list, err := parseOutlines(text)
	if err != nil {
		return fmt.Errorf("%s:%w", path, err)
	}
	for i := range list {
		o := &list[i]
		k := t.Find(o.File)
		switch {
		case k == nil:
			return fmt.Errorf("%s:%d: %s lists no picture %q", path, o.line, truthIndex, o.File)
		case k.outline != nil:
			return fmt.Errorf("%s:%d: %s has an outline on line %d already", path, o.line, o.File, k.outline.line)
		case k.Width > 0 && (o.Width != k.Width || o.Height != k.Height):
			return fmt.Errorf("%s:%d: %s is %dx%d here, but %dx%d in %s", path, o.line, o.File, o.Width, o.Height, k.Width, k.Height, truthIndex)
		}
		k.outline = o
	}
	return nil
}

// Files lists the files that the truth is read from, those that aren't there included.
func (t *Truth) Files() []string {
	files := []string{filepath.Join(t.Folder, truthIndex), filepath.Join(t.Folder, truthOutlines)}
	for _, k := range t.Pictures {
		if k.trimap != "" {
			files = append(files, k.trimap)
		}
	}
	return files
}

// Splits lists the splits of the pictures in order of their first one.
func (t *Truth) Splits() []string {
	var out []string
	for _, k := range t.Pictures {
		if !slices.Contains(out, k.Split) {
			out = append(out, k.Split)
		}
	}
	return out
}
