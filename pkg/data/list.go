package data

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// extensions are the name endings of the formats that Decode reads.
var extensions = []string{".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".gif", ".webp", ".bmp", ".dib", ".tif", ".tiff"}

// List returns the picture files that paths name, sorted by base name (by whole
// path if base names are equal).
//
// A path of a file is always used. For a folder, List returns the files directly in it
// whose name has the ending of a picture (.jpg, .png, .gif, .webp, .bmp, .tif and their
// variants, in any case) and doesn't begin with a dot. A file that is named twice,
// directly or through its folder, is listed once. Base names without endings needn't be
// unique: check this before deriving output names from them.
//
// A path that doesn't exist, and a folder without pictures, are errors. [Find] can also
// search subfolders, and reports what it left out.
func List(paths []string) ([]string, error) {
	listing, err := Find(paths, FindOptions{})
	if err != nil {
		return nil, err
	}
	found := make([]string, len(listing.Pictures))
	for i, p := range listing.Pictures {
		found[i] = p.Path
	}
	return found, nil
}

// FindOptions are the options of [Find]. The zero value gives the search of [List].
type FindOptions struct {
	// Recursive also searches subfolders. Links to folders are followed, each
	// folder is searched once, and folders whose name begins with a dot are skipped.
	Recursive bool
	// Lenient collects paths that can't be used in [Listing.Failed], instead of
	// returning an error.
	Lenient bool
	// Leave reports which subfolders are skipped; nil for none.
	Leave func(folder string) bool
}

// Listing is the result of [Find].
type Listing struct {
	Pictures []Found
	Skipped  []Skipped   // files in folders that don't count as pictures
	Failed   []FindError // paths and folders that can't be used
	Left     []string    // folders excluded by FindOptions.Leave

	folders map[string]bool // the searched folders, by their real paths
}

// Searched reports whether a folder itself was searched for pictures. real is its
// absolute path without links.
func (l *Listing) Searched(real string) bool { return l.folders[real] }

// Found is a picture file.
type Found struct {
	Path string
	// Name is the name that results are derived from: the file's base name or, in a
	// recursive search, its path relative to the deepest folder that contains all
	// named paths.
	Name string
	// InFolder is true if the file was found in a folder, not named itself.
	InFolder bool
}

// Skipped is a file in a folder that doesn't count as a picture.
type Skipped struct {
	Path string
	Why  string // reason, "" if its content doesn't look like a picture
}

// FindError is a path that can't be used.
type FindError struct {
	Path string
	Err  error
}

func (e FindError) Error() string { return e.Err.Error() }
func (e FindError) Unwrap() error { return e.Err }

// Find lists the picture files that paths name, as [List] does, sorted by Name.
func Find(paths []string, o FindOptions) (*Listing, error) {
	if len(paths) == 0 {
		return nil, errors.New("no pictures: name files or folders")
	}
	f := &pictureFinder{options: o, listing: &Listing{}, folders: map[string]bool{}, files: map[string]int{}, real: map[string]string{}}
	for _, path := range paths {
		if err := f.argument(path); err != nil {
			if !o.Lenient {
				return nil, err
			}
			f.listing.Failed = append(f.listing.Failed, FindError{path, err})
		}
	}
	f.name()
	f.listing.folders = f.folders
	slices.SortFunc(f.listing.Pictures, func(a, b Found) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Path, b.Path))
	})
	return f.listing, nil
}

// pictureFinder is the state of a search.
type pictureFinder struct {
	options FindOptions
	listing *Listing
	folders map[string]bool   // real paths of the searched folders
	files   map[string]int    // index in the list of each file, by real path
	real    map[string]string // real path of each folder
	roots   []string          // the named folders, and the folders of named files
	links   []string          // links to folders, searched after the folders themselves
	seen    int               // number of pictures, including ones already listed
	sniffed int
}

// argument processes a named path.
func (f *pictureFinder) argument(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	if !info.IsDir() {
		f.roots = append(f.roots, filepath.Dir(path))
		f.take(filepath.Clean(path), false)
		return nil
	}
	f.roots = append(f.roots, path)
	seen, skipped := f.seen, len(f.listing.Skipped)
	again, err := f.folder(path)
	if err != nil {
		return err
	}
	for len(f.links) > 0 {
		next := f.links[0]
		f.links = f.links[1:]
		if _, err := f.folder(next); err != nil {
			f.listing.Failed = append(f.listing.Failed, FindError{next, err})
		}
	}
	if f.seen == seen && !again {
		return f.nothing(path, f.listing.Skipped[skipped:])
	}
	return nil
}

// take adds a file to the list, unless it is already there.
func (f *pictureFinder) take(path string, inFolder bool) {
	dir := filepath.Dir(path)
	in, known := f.real[dir]
	if !known {
		var err error
		if in, err = realPath(dir); err != nil {
			in = dir
		}
		f.real[dir] = in
	}
	real := filepath.Join(in, filepath.Base(path))
	f.seen++
	if i, listed := f.files[real]; listed {
		f.listing.Pictures[i].InFolder = f.listing.Pictures[i].InFolder && inFolder
		return
	}
	f.files[real] = len(f.listing.Pictures)
	f.listing.Pictures = append(f.listing.Pictures, Found{Path: path, InFolder: inFolder})
}

// folder adds the pictures in a folder; again reports that it was already searched.
func (f *pictureFinder) folder(dir string) (again bool, err error) {
	real, err := realPath(dir)
	if err != nil {
		return false, err
	}
	if f.folders[real] {
		return true, nil
	}
	f.folders[real] = true
	entries, err := os.ReadDir(dir)
	if err != nil {
		return false, err
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), ".") {
			continue
		}
		f.entry(filepath.Join(dir, e.Name()), e)
	}
	return false, nil
}

// realPath is an absolute path without links.
func realPath(dir string) (string, error) {
	real, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return "", err
	}
	return filepath.Abs(real)
}

// entry processes one entry of a folder.
func (f *pictureFinder) entry(path string, e fs.DirEntry) {
	// Links are followed. A dangling one fails when it is decoded, and is reported
	// there with other bad pictures.
	folder := e.IsDir()
	if e.Type()&fs.ModeSymlink != 0 {
		info, err := os.Stat(path)
		folder = err == nil && info.IsDir()
	}
	switch {
	case folder && !f.options.Recursive:
	case folder && f.options.Leave != nil && f.options.Leave(path):
		f.listing.Left = append(f.listing.Left, path)
	case folder && !e.IsDir():
		f.links = append(f.links, path)
	case folder:
		if _, err := f.folder(path); err != nil {
			f.listing.Failed = append(f.listing.Failed, FindError{path, err})
		}
	case isPicture(path):
		f.take(path, true)
	default:
		f.listing.Skipped = append(f.listing.Skipped, Skipped{path, f.whySkipped(path)})
	}
}

// maxSniffed bounds the number of files that are opened only to find out why they are
// skipped.
const maxSniffed = 2000

// whySkipped examines a file that isn't named like a picture.
func (f *pictureFinder) whySkipped(path string) string {
	if info, err := os.Stat(path); err != nil || !info.Mode().IsRegular() || f.sniffed >= maxSniffed {
		return ""
	}
	f.sniffed++
	file, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer file.Close()
	head := make([]byte, 64)
	n, _ := io.ReadFull(file, head) // an error means a short file, which has a short head
	head = head[:n]
	for _, known := range formats {
		if known.is(head) && known.name != "BMP" { // BMP's mark is only two letters, which may begin a text
			return "it is a " + known.name + " picture without the usual ending: name the file itself, or rename it"
		}
	}
	for _, s := range strangers {
		if s.is(head) {
			return s.says
		}
	}
	return ""
}

// nothing is the error for a folder without pictures.
func (f *pictureFinder) nothing(folder string, skipped []Skipped) error {
	text := fmt.Sprintf("no pictures in %s: none of its files ends in %s", folder, strings.Join(extensions, " "))
	if !f.options.Recursive {
		text += " (folders in it aren't searched)"
	}
	if i := slices.IndexFunc(skipped, func(s Skipped) bool { return s.Why != "" }); i >= 0 {
		text += fmt.Sprintf("; %s: %s", filepath.Base(skipped[i].Path), skipped[i].Why)
	}
	return errors.New(text)
}

// name sets the pictures' names.
func (f *pictureFinder) name() {
	above := ""
	if f.options.Recursive {
		above = commonFolder(f.roots)
	}
	for i := range f.listing.Pictures {
		p := &f.listing.Pictures[i]
		p.Name = filepath.Base(p.Path)
		if !f.options.Recursive {
			continue
		}
		if abs, err := filepath.Abs(p.Path); err == nil {
			if rel, err := filepath.Rel(above, abs); err == nil && filepath.IsLocal(rel) {
				p.Name = rel
			}
		}
	}
}

// commonFolder is the deepest folder that contains all the given ones; it may be one of
// them.
func commonFolder(folders []string) string {
	common := ""
	for i, folder := range folders {
		abs, err := filepath.Abs(folder)
		if err != nil {
			abs = filepath.Clean(folder)
		}
		if i == 0 {
			common = abs
		}
		for !within(abs, common) && common != filepath.Dir(common) {
			common = filepath.Dir(common)
		}
	}
	return common
}

// within reports whether path is folder or inside it.
func within(path, folder string) bool {
	rel, err := filepath.Rel(folder, path)
	return err == nil && filepath.IsLocal(rel)
}
