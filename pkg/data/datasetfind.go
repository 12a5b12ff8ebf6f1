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

// findSources lists a data set's splits (one, the first, if it has none) and the
// names in its classes.txt, nil without one.
func findSources(path string) ([]source, *classList, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, nil, err
	}
	if !info.IsDir() {
		if !isCSV(path) {
			return nil, nil, fmt.Errorf("%s: a data set is a folder or a .csv file", path)
		}
		s, err := readSource(path)
		if err != nil {
			return nil, nil, err
		}
		names, err := readClassList(s.root, filepath.Dir(s.root))
		return []source{s}, names, err
	}
	parts, err := findSplits(path)
	if err != nil {
		return nil, nil, err
	}
	if parts == nil {
		s, err := readSource(path)
		if err != nil {
			return nil, nil, err
		}
		names, err := readClassList(path, filepath.Dir(path))
		return []source{s}, names, err
	}
	var sources []source
	places := []string{path}
	for i, part := range parts {
		if part == "" {
			continue
		}
		s, err := readSource(part)
		if err != nil {
			return nil, nil, err
		}
		s.split = i
		sources = append(sources, s)
		places = append(places, s.root)
	}
	names, err := readClassList(places...)
	return sources, names, err
}

// findSplits returns the folder or CSV of each split, "" for those that aren't
// there; nil if the folder has no splits.
func findSplits(dir string) ([]string, error) {
	found, others, err := sortSplits(dir)
	if err != nil || found == nil {
		return nil, err
	}
	for _, name := range others {
		if !slices.ContainsFunc(slices.Concat(splitNames[:]...), func(s string) bool { return strings.HasPrefix(name, s+"-") }) {
			return nil, fmt.Errorf("%s: beside %s there is the folder %q, so it isn't clear whether these are splits or classes: move it elsewhere (or, if they are classes, list the pictures in a CSV)",
				dir, filepath.Base(cmp.Or(found...)), name)
		}
	}
	return found, nil
}

// sortSplits tells a folder's splits from its other folders.
func sortSplits(dir string) (found, others []string, err error) {
	list, err := os.ReadDir(dir)
	if err != nil {
		return nil, nil, err
	}
	for _, e := range list {
		name, path := e.Name(), filepath.Join(dir, e.Name())
		folder := isFolder(path)
		if strings.HasPrefix(name, ".") || !folder && !isCSV(name) {
			continue
		}
		stem := name
		if !folder {
			stem = strings.TrimSuffix(name, filepath.Ext(name))
		}
		i := slices.IndexFunc(splitNames[:], func(names []string) bool { return slices.Contains(names, stem) })
		switch {
		case i < 0 && folder:
			others = append(others, name)
		case i < 0:
		default:
			if found == nil {
				found = make([]string, len(splitNames))
			}
			if found[i] != "" {
				return nil, nil, fmt.Errorf("%s and %s are the same split: remove or rename one", found[i], path)
			}
			found[i] = path
		}
	}
	return found, others, nil
}

// readSource lists one folder or CSV.
func readSource(path string) (source, error) {
	if !isFolder(path) {
		entries, err := readCSV(path)
		return source{root: filepath.Dir(path), entries: entries}, err
	}
	list, err := os.ReadDir(path)
	if err != nil {
		return source{}, err
	}
	var pictures, folders, tables []string
	for _, e := range list {
		name := e.Name()
		switch inside := filepath.Join(path, name); {
		case strings.HasPrefix(name, "."):
		case isFolder(inside):
			folders = append(folders, name)
		case isPicture(name):
			pictures = append(pictures, inside)
		case isCSV(name):
			tables = append(tables, inside)
		}
	}
	switch {
	case len(tables) > 1:
		return source{}, fmt.Errorf("%s: it holds several CSV files (%s): name the one with the labels instead of the folder", path, strings.Join(baseNames(tables), ", "))
	case len(tables) == 1 && namesGiveClasses(pictures):
		return source{}, fmt.Errorf("%s: it isn't clear whether its pictures' names ({class}_{id}) or %s give the classes: name the CSV instead of the folder, or move it elsewhere", path, filepath.Base(tables[0]))
	case len(tables) == 1:
		return tableSource(path, tables[0], pictures)
	case len(pictures) > 0:
		return flatSource(path, pictures, folders)
	case len(folders) > 0:
		return folderSource(path, folders)
	}
	return source{}, fmt.Errorf("%s: the folder has no pictures: put files named {class}_{id}.jpg in it, a folder for each class, or a CSV", path)
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
	for _, path := range pictures {
		stem := strings.TrimSuffix(filepath.Base(path), filepath.Ext(path))
		label, _, found := cutLast(stem, "_")
		id := idOf(path)
		if !found || id < 0 || label == "" {
			return source{}, fmt.Errorf("%s: its name gives no class: call it {class}_{id}%s, as in 3_120.jpg, use a folder for each class, or list the pictures in a CSV", path, filepath.Ext(path))
		}
		s.entries = append(s.entries, entry{path: path, label: label, id: id, where: path})
	}
	slices.SortFunc(s.entries, func(a, b entry) int {
		return cmp.Or(cmp.Compare(a.id, b.id), cmp.Compare(a.path, b.path))
	})
	return s, nil
}

// folderSource is a folder with a folder for each class.
func folderSource(dir string, folders []string) (source, error) {
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
// torchvision's ImageFolder does: by folder, then by name.
func picturesBelow(dir string) ([]string, error) {
	var found []string
	root, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return nil, err
	}
	err = filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case path != root && strings.HasPrefix(e.Name(), "."):
			if e.IsDir() {
				return fs.SkipDir
			}
		case !e.IsDir() && isPicture(path):
			found = append(found, filepath.Join(dir, strings.TrimPrefix(path, root)))
		}
		return nil
	})
	slices.SortFunc(found, func(a, b string) int {
		return cmp.Or(cmp.Compare(filepath.Dir(a), filepath.Dir(b)), cmp.Compare(a, b))
	})
	return found, err
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

func isCSV(name string) bool { return strings.EqualFold(filepath.Ext(name), ".csv") }

func baseNames(paths []string) []string {
	var names []string
	for _, p := range paths {
		names = append(names, filepath.Base(p))
	}
	return names
}
