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

// entry is a picture with its class as written.
type entry struct {
	path  string
	label string
	id    int
	where string // file and line, for messages
}

// source is the pictures of a split, before their labels are resolved.
type source struct {
	split   int // index in splitNames
	root    string
	entries []entry
	// folders are the names of the class folders, sorted; nil for other layouts.
	folders []string
}

// finder looks for the pictures of a data set.
type finder struct {
	notes  []string // notes to the user on how the set was read
	places []string // folders that may hold classes.txt, in order of preference
}

// note adds a note to the user.
func (f *finder) note(format string, args ...any) {
	f.notes = append(f.notes, fmt.Sprintf(format, args...))
}

// sources lists a data set's splits (only the first, train, if it has none).
func (f *finder) sources(path string) ([]source, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		if !isTable(path) {
			return nil, fmt.Errorf("%s: a data set is a folder, a .csv or a .jsonl file", path)
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
	whole, err := f.wholeMetadata(dir)
	if err != nil {
		return nil, err
	}
	if err := inSplits(whole, parts); err != nil {
		return nil, err
	}
	var sources []source
	for i, part := range parts {
		if part == "" {
			continue
		}
		s, err := f.part(part, i, whole)
		if i == testSplit && parts[0] != "" && errors.Is(err, errNoLabels) {
			f.note("%s isn't used: its pictures have no classes", part)
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

// part lists the pictures of a split. whole is the table of all splits, nil if there is
// none; a table in the split's own folder takes precedence.
func (f *finder) part(path string, split int, whole []entry) (source, error) {
	if whole != nil && isFolder(path) {
		if l, err := listFolders(path); err != nil || len(l.tables) == 0 {
			return metadataSource(path, whole)
		}
	}
	return f.source(path, split)
}

// testSplit is the index of test in splitNames.
const testSplit = 2

// source lists the pictures of one folder or CSV; split is its split, or -1.
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
	l = f.withoutUnlabelled(l)
	switch {
	case len(l.tables) > 1:
		return source{}, fmt.Errorf("%s: it holds several tables (%s): name the one with the labels instead of the folder", path, strings.Join(baseNames(l.tables), ", "))
	case len(l.tables) == 1 && namesGiveClasses(l.pictures):
		return source{}, fmt.Errorf("%s: it isn't clear whether its pictures' names ({class}_{id}) or %s give the classes: name the table instead of the folder, or move it elsewhere", path, filepath.Base(l.tables[0]))
	case len(l.tables) == 1:
		if isMetadata(l.tables[0]) { // may list pictures in folders
			if l.pictures, err = picturesBelow(path); err != nil {
				return source{}, err
			}
		}
		return tableSource(path, l.tables[0], l.pictures)
	case len(l.pictures) > 0:
		return flatSource(path, l.pictures, l.folders)
	case len(l.folders) > 0:
		return folderSource(path, l.folders)
	}
	return source{}, fmt.Errorf("%s: the folder has no pictures: put files named {class}_{id}.jpg in it, a folder for each class, or a CSV", path)
}

// listing is the content of a folder, without ignored files.
type listing struct {
	pictures, tables []string // paths
	folders          []string // names
}

// listFolders lists a folder. A dangling link is an error if by its name it may have led
// to a folder; if it is named like a picture, it is reported when it is decoded.
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
		case isCSV(name), isMetadata(name):
			l.tables = append(l.tables, inside)
		case missing && filepath.Ext(name) == "":
			return l, fmt.Errorf("%s: a link to a file that doesn't exist: remove it, or restore its target", inside)
		}
	}
	return l, nil
}

// namesGiveClasses reports whether all pictures are named {class}_{id}, where the class
// is a number.
func namesGiveClasses(pictures []string) bool {
	for _, path := range pictures {
		class, _, _ := cutLast(filepath.Base(path), "_")
		if _, err := parseNumber(class); err != nil || idOf(path) < 0 {
			return false
		}
	}
	return len(pictures) > 0
}

// tableSource reads a folder whose CSV gives the classes of its pictures.
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
			return source{}, fmt.Errorf("%s: it has no class, because %s doesn't list it: add a line, or move it elsewhere", path, filepath.Base(table))
		}
	}
	return source{root: dir, entries: entries}, nil
}

// flatSource reads a folder of {class}_{id} files.
func flatSource(dir string, pictures, folders []string) (source, error) {
	for _, name := range folders {
		if inside, err := picturesBelow(filepath.Join(dir, name)); err == nil && len(inside) > 0 {
			return source{}, fmt.Errorf("%s: there are pictures both in it (%s) and in its folder %s, so it isn't clear which layout it has: move one of them elsewhere", dir, filepath.Base(pictures[0]), name)
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

// unlabelled is the error for a folder in which no picture has a class.
type unlabelled struct{ error }

func (unlabelled) Is(target error) bool { return target == errNoLabels }

// folderSource reads a folder with a folder for each class.
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

// picturesBelow lists the pictures in a folder and its subfolders in the order of
// torchvision's ImageFolder: by folder, then by name. Links to folders are followed,
// except those that lead back to a folder they are in.
func picturesBelow(dir string) ([]string, error) {
	var found []string
	err := walkPictures(dir, nil, &found)
	slices.SortFunc(found, func(a, b string) int {
		return cmp.Or(cmp.Compare(filepath.Dir(a), filepath.Dir(b)), cmp.Compare(a, b))
	})
	return found, err
}

// walkPictures adds the pictures below a folder; above are the folders that contain it.
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

// idOf is the number after the last underscore of a file's name, or -1.
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

// parseNumber parses a number that consists only of digits.
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

// IsPictureName reports whether a file's name has the ending of a picture that [Decode] can
// read, in any case.
func IsPictureName(name string) bool { return isPicture(name) }

func isPicture(name string) bool {
	return slices.Contains(extensions, strings.ToLower(filepath.Ext(name)))
}

// isCSV reports whether a file's name is that of a table, including tab-separated ones.
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
