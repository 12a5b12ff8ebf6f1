package data

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// entry is a picture and its class as it is written.
type entry struct {
	path  string
	label string
	id    int
	where string // file and line, for messages
}

// source is the pictures of a split, before it is known what their labels mean.
type source struct {
	split   int // place in splitNames
	root    string
	entries []entry
	// folders are the names of class folders, sorted; nil for other layouts.
	folders []string
}

// finder looks for the pictures of a data set.
type finder struct {
	notes  []string // what its owner should know of how it was read
	places []string // where classes.txt may be, the first first
}

// note tells the owner something.
func (f *finder) note(format string, args ...any) {
	f.notes = append(f.notes, fmt.Sprintf(format, args...))
}

// sources lists a data set's splits (one, the first, if it has none).
func (f *finder) sources(path string) ([]source, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		if !isCSV(path) {
			return nil, fmt.Errorf("%s: a data set is a folder or a .csv file", path)
		}
		s, err := f.source(path, -1)
		f.places = append(f.places, s.root, filepath.Dir(s.root))
		return []source{s}, err
	}
	dir, err := f.descend(path, -1)
	if err != nil {
		return nil, err
	}
	parts, err := f.splits(dir)
	if err != nil {
		return nil, err
	}
	if parts == nil {
		s, err := f.source(dir, -1)
		f.places = append(f.places, dir, filepath.Dir(dir), path, filepath.Dir(path))
		return []source{s}, err
	}
	f.places = append(f.places, dir)
	var sources []source
	for i, part := range parts {
		if part == "" {
			continue
		}
		s, err := f.source(part, i)
		if i == testSplit && parts[0] != "" && errors.Is(err, errNoLabels) {
			f.note("%s isn't used: nothing there says which classes its pictures have", part)
			continue
		}
		if err != nil {
			return nil, err
		}
		s.split = i
		sources = append(sources, s)
		f.places = append(f.places, s.root)
	}
	f.places = append(f.places, path)
	return sources, nil
}

// testSplit is the place of test in splitNames.
const testSplit = 2

// source lists the pictures of one folder or CSV, that of a split (else -1).
func (f *finder) source(path string, split int) (source, error) {
	if !isFolder(path) {
		entries, err := readCSV(path)
		return source{root: filepath.Dir(path), entries: entries}, err
	}
	if split >= 0 {
		inner, err := f.descend(path, split)
		if err != nil {
			return source{}, err
		}
		path = inner
	}
	l, err := listFolders(path)
	if err != nil {
		return source{}, err
	}
	switch {
	case len(l.tables) > 1:
		return source{}, fmt.Errorf("%s: it holds several CSV files (%s): name the one with the labels instead of the folder", path, strings.Join(baseNames(l.tables), ", "))
	case len(l.tables) == 1 && namesGiveClasses(l.pictures):
		return source{}, fmt.Errorf("%s: it isn't clear whether its pictures' names ({class}_{id}) or %s give the classes: name the CSV instead of the folder, or move it elsewhere", path, filepath.Base(l.tables[0]))
	case len(l.tables) == 1:
		return tableSource(path, l.tables[0], l.pictures)
	case len(l.pictures) > 0:
		return flatSource(path, l.pictures, l.folders)
	case len(l.folders) > 0:
		return folderSource(path, l.folders)
	}
	return source{}, fmt.Errorf("%s: the folder has no pictures: put files named {class}_{id}.jpg in it, a folder for each class, or a CSV", path)
}

// listing is what lies in a folder, but for what isn't looked at.
type listing struct {
	pictures, tables []string // paths
	folders          []string // names
}

// listFolders lists a folder. A dangling link that may have been a folder, by its name,
// is an error; one named as a picture is left to be reported when it is decoded.
func listFolders(dir string) (listing, error) {
	var l listing
	entries, err := os.ReadDir(dir)
	if err != nil {
		return l, err
	}
	for _, e := range entries {
		name := e.Name()
		inside, folder, missing := filepath.Join(dir, name), e.IsDir(), false
		if e.Type()&fs.ModeSymlink != 0 {
			info, err := os.Stat(inside)
			folder, missing = err == nil && info.IsDir(), errors.Is(err, fs.ErrNotExist)
		}
		switch {
		case isIgnored(name):
		case folder:
			l.folders = append(l.folders, name)
		case isPicture(name):
			l.pictures = append(l.pictures, inside)
		case isCSV(name):
			l.tables = append(l.tables, inside)
		case missing && filepath.Ext(name) == "":
			return l, fmt.Errorf("%s: a link that leads nowhere: remove it, or make what it leads to", inside)
		}
	}
	return l, nil
}

// namesGiveClasses tells whether all pictures are named {class}_{id}, with a
// number for the class.
func namesGiveClasses(pictures []string) bool {
	for _, path := range pictures {
		class, _, _ := cutLast(filepath.Base(path), "_")
		if _, err := parseNumber(class); err != nil || idOf(path) < 0 {
			return false
		}
	}
	return len(pictures) > 0
}

// tableSource is a folder whose CSV says what its pictures are.
func tableSource(dir, table string, pictures []string) (source, error) {
	entries, err := readCSV(table)
	if err != nil {
		return source{}, err
	}
	listed := make(map[string]bool, len(entries))
	for _, e := range entries {
		listed[e.path] = true
	}
	for _, path := range pictures {
		if !listed[path] {
			return source{}, fmt.Errorf("%s: it has no class, as %s doesn't list it: add a line, or move it elsewhere", path, filepath.Base(table))
		}
	}
	return source{root: dir, entries: entries}, nil
}

// flatSource is a folder of {class}_{id} files.
func flatSource(dir string, pictures, folders []string) (source, error) {
	for _, name := range folders {
		if inside, err := picturesBelow(filepath.Join(dir, name)); err == nil && len(inside) > 0 {
			return source{}, fmt.Errorf("%s: there are pictures both in it (%s) and in its folder %s, so it isn't clear which layout it has: move either elsewhere", dir, filepath.Base(pictures[0]), name)
		}
	}
	s := source{root: dir}
	var bad error
	for _, path := range pictures {
		stem := strings.TrimSuffix(filepath.Base(path), filepath.Ext(path))
		label, _, found := cutLast(stem, "_")
		id := idOf(path)
		if !found || id < 0 || label == "" {
			if bad == nil {
				bad = fmt.Errorf("%s: its name gives no class: call it {class}_{id}%s, as in 3_120.jpg, use a folder for each class, or list the pictures in a CSV", path, filepath.Ext(path))
			}
			continue
		}
		s.entries = append(s.entries, entry{path: path, label: label, id: id, where: path})
	}
	if bad != nil && len(s.entries) == 0 {
		return source{}, unlabelled{bad}
	}
	if bad != nil {
		return source{}, bad
	}
	slices.SortFunc(s.entries, func(a, b entry) int {
		return cmp.Or(cmp.Compare(a.id, b.id), cmp.Compare(a.path, b.path))
	})
	return s, nil
}

// unlabelled is an error about a folder in which no picture has a class.
type unlabelled struct{ error }

func (unlabelled) Is(target error) bool { return target == errNoLabels }

// folderSource is a folder with a folder for each class.
func folderSource(dir string, folders []string) (source, error) {
	if err := looksLikeSplits(dir, folders); err != nil {
		return source{}, err
	}
	s := source{root: dir, folders: slices.Sorted(slices.Values(folders))}
	for _, name := range s.folders {
		path := filepath.Join(dir, name)
		pictures, err := picturesBelow(path)
		if err != nil {
			return source{}, err
		}
		if len(pictures) == 0 {
			return source{}, fmt.Errorf("%s: the folder of this class has no pictures: add some or remove it", path)
		}
		for _, p := range pictures {
			s.entries = append(s.entries, entry{path: p, label: name, id: idOf(p), where: p})
		}
	}
	return s, nil
}

// picturesBelow lists the pictures in a folder and in those inside it, ordered as
// torchvision's ImageFolder does: by folder, then by name. Links to folders are
// followed, but for those that lead back to a folder they are in.
func picturesBelow(dir string) ([]string, error) {
	var found []string
	err := walkPictures(dir, nil, &found)
	slices.SortFunc(found, func(a, b string) int {
		return cmp.Or(cmp.Compare(filepath.Dir(a), filepath.Dir(b)), cmp.Compare(a, b))
	})
	return found, err
}

// walkPictures adds the pictures below a folder that lies in those above.
func walkPictures(dir string, above []fs.FileInfo, found *[]string) error {
	here, err := os.Stat(dir)
	if err != nil {
		return err
	}
	if slices.ContainsFunc(above, func(info fs.FileInfo) bool { return os.SameFile(info, here) }) {
		return nil
	}
	l, err := listFolders(dir)
	if err != nil {
		return err
	}
	*found = append(*found, l.pictures...)
	for _, name := range l.folders {
		if err := walkPictures(filepath.Join(dir, name), append(above, here), found); err != nil {
			return err
		}
	}
	return nil
}

// idOf is the number at the end of a file's name after an underscore, else -1.
func idOf(path string) int {
	stem := strings.TrimSuffix(filepath.Base(path), filepath.Ext(path))
	_, digits, found := cutLast(stem, "_")
	if !found {
		return -1
	}
	id, err := parseNumber(digits)
	if err != nil {
		return -1
	}
	return id
}

// parseNumber reads digits and nothing else.
func parseNumber(s string) (int, error) {
	if s == "" || strings.Trim(s, "0123456789") != "" {
		return 0, errors.New("not a number")
	}
	return strconv.Atoi(s)
}

func cutLast(s, sep string) (before, after string, found bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(sep):], true
}

func isFolder(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

func isPicture(name string) bool {
	return slices.Contains(extensions, strings.ToLower(filepath.Ext(name)))
}

// isCSV tells whether a file is a table by its name: also one that says that it is
// separated by tabs.
func isCSV(name string) bool {
	return slices.Contains([]string{".csv", ".tsv"}, strings.ToLower(filepath.Ext(name)))
}

func baseNames(paths []string) []string {
	var names []string
	for _, p := range paths {
		names = append(names, filepath.Base(p))
	}
	return names
}
