package data

import (
	"cmp"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
)

// candidate is a folder or CSV that may be a split according to its name.
type candidate struct {
	name   string
	path   string
	folder bool
	split  int    // index in splitNames, -1 if the name gives none
	rest   string // the other words of the name
}

// splits returns the folder or CSV of each split, "" for missing ones, or nil if the
// folder has no splits.
//
// Split names are recognised in any case, with filler words, and with words that all
// have in common, as in pets_train and pets_val. If some names in a folder are those of
// splits and others aren't, that is an error, because they may be splits or classes; but
// if its classes.txt lists all of them, they are classes.
func (f *finder) splits(dir string) ([]string, error) {
	all, err := candidates(dir)
	if err != nil {
		return nil, err
	}
	group := splitGroup(all)
	if group == nil || listedAsClasses(dir, all) {
		return nil, nil
	}
	found := make([]*candidate, len(splitNames))
	var renamed []string
	for i := range group {
		c := &group[i]
		other := found[c.split]
		if other != nil && !listsPictures(other, c) {
			return nil, fmt.Errorf("%s and %s are the same split (%s): remove or rename one", other.path, c.path, splitNames[c.split][0])
		}
		if other == nil || !c.folder {
			found[c.split] = c
		}
		if stem := strings.TrimSuffix(c.name, ".csv"); stem != splitNames[c.split][0] {
			renamed = append(renamed, fmt.Sprintf("%s is %s", c.name, splitNames[c.split][0]))
		}
	}
	if err := f.others(dir, all, found); err != nil {
		return nil, err
	}
	if len(renamed) > 0 {
		f.note("the splits of %s: %s", dir, strings.Join(renamed, ", "))
	}
	paths := make([]string, len(found))
	for i, c := range found {
		if c != nil {
			paths[i] = c.path
		}
	}
	return paths, nil
}

// candidates lists the folders and CSVs of a folder.
func candidates(dir string) ([]candidate, error) {
	l, err := listFolders(dir)
	if err != nil {
		return nil, err
	}
	var list []candidate
	for _, name := range l.folders {
		split, rest := splitOf(name, false)
		list = append(list, candidate{name, filepath.Join(dir, name), true, split, rest})
	}
	for _, path := range l.tables {
		name := filepath.Base(path)
		split, rest := splitOf(strings.TrimSuffix(name, filepath.Ext(name)), true)
		list = append(list, candidate{name, path, false, split, rest})
	}
	slices.SortFunc(list, func(a, b candidate) int { return cmp.Compare(a.name, b.name) })
	return list, nil
}

// splitGroup returns the candidates that are splits: those whose names have no other
// words; if there are none, those that share the same other words, provided that one of
// them is train and another is a different split.
func splitGroup(all []candidate) []candidate {
	groups := map[string][]candidate{}
	for _, c := range all {
		if c.split >= 0 {
			groups[c.rest] = append(groups[c.rest], c)
		}
	}
	if plain := groups[""]; plain != nil {
		return plain
	}
	for _, c := range all { // in order, so that the choice is deterministic
		group := groups[c.rest]
		if c.split == 0 && slices.ContainsFunc(group, func(c candidate) bool { return c.split > 0 }) {
			return group
		}
	}
	return nil
}

// listedAsClasses reports whether the folder has several subfolders and its classes.txt
// lists all of them: then folders that look like splits are classes.
func listedAsClasses(dir string, all []candidate) bool {
	list, err := readClassList(dir)
	if err != nil || list == nil {
		return false // reading the names reports the error
	}
	folders := 0
	for _, c := range all {
		if c.folder && !slices.Contains(list.names, c.name) {
			return false
		}
		if c.folder {
			folders++
		}
	}
	return folders > 1
}

// listsPictures reports whether two candidates for one split are a folder and the CSV
// that lists the pictures in it.
func listsPictures(a, b *candidate) bool {
	if a.folder == b.folder {
		return false
	}
	if a.folder {
		a, b = b, a
	}
	entries, err := readCSV(a.path)
	if errors.Is(err, errNoLabels) {
		return true // reading the labels reports the error
	}
	return err == nil && !slices.ContainsFunc(entries, func(e entry) bool {
		return !strings.HasPrefix(e.path, b.path+string(filepath.Separator))
	})
}

// others checks the folders beside the splits. It ignores folders named after a split
// (such as train-head), companions, folders without pictures, and the folders of
// pictures beside CSVs. Any other folder might be a class, or a split with an unknown
// name, and is an error.
func (f *finder) others(dir string, all []candidate, found []*candidate) error {
	var splits []string
	tables := true
	for _, c := range found {
		if c != nil {
			splits = append(splits, c.name)
			tables = tables && !c.folder
		}
	}
	var odd []string
	for i := range all {
		c := &all[i]
		switch {
		case !c.folder || slices.ContainsFunc(found, func(s *candidate) bool { return s != nil && s.split == c.split && s.rest == c.rest }):
		case namedAfterSplit(c.name), tables && isContainer(c.name), isCompanion(c.name):
		default:
			if holdsPictures(c.path) {
				odd = append(odd, c.name)
			}
		}
	}
	if len(odd) == 0 {
		return nil
	}
	return fmt.Errorf("%s: beside %s there is the folder %s, so it isn't clear whether these are splits or classes: move folders that aren't splits elsewhere, or call the splits train, val and test; if all are classes, put their folders into one called train, or list their names in a classes.txt beside them",
		dir, strings.Join(splits, ", "), quotedNames(odd))
}

// namedAfterSplit reports whether a folder's name is a split's name, a hyphen and more.
func namedAfterSplit(name string) bool {
	word, _, ok := strings.Cut(strings.ToLower(name), "-")
	return ok && slices.ContainsFunc(splitNames[:], func(words []string) bool { return slices.Contains(words, word) })
}

// descend goes down to the folder with the data. It enters a single subfolder, because
// archives are often unpacked into a folder of the same name, and a folder called
// images, which may have companions. split is the folder's split, or -1.
func (f *finder) descend(dir string, split int) (string, error) {
	outer := dir
	for {
		inner, err := onlyFolder(dir)
		if err != nil {
			return "", err
		}
		if inner == "" || !f.isWrapping(filepath.Join(dir, inner), split) {
			break
		}
		dir = filepath.Join(dir, inner)
	}
	if dir != outer {
		f.note("the pictures of %s are read from %s", outer, dir)
	}
	return dir, nil
}

// onlyFolder is the name of the only subfolder in a folder without pictures and CSVs, or
// of the one called images if the others are its companions; "" if there is none.
func onlyFolder(dir string) (string, error) {
	l, err := listFolders(dir)
	if err != nil || len(l.pictures) > 0 || len(l.tables) > 0 {
		return "", err
	}
	folders := l.folders
	if i := slices.IndexFunc(folders, isContainer); i >= 0 && len(folders) > 1 {
		folders = slices.DeleteFunc(slices.Clone(folders), func(name string) bool {
			return name != l.folders[i] && (isCompanion(name) || !holdsPictures(filepath.Join(dir, name)))
		})
	}
	if len(folders) != 1 {
		return "", nil
	}
	return folders[0], nil
}

// holdsPictures reports whether there are pictures in a folder or its subfolders. A
// folder that can't be read counts as holding some.
func holdsPictures(dir string) bool {
	pictures, err := picturesBelow(dir)
	return err != nil || len(pictures) > 0
}

// isWrapping reports whether the only subfolder of a folder is neither a class nor a
// split.
func (f *finder) isWrapping(path string, split int) bool {
	name := filepath.Base(path)
	l, err := listFolders(path)
	if err != nil {
		return false // reading its pictures reports the error
	}
	if own, rest := splitOf(name, false); own >= 0 && rest == "" && !isContainer(name) {
		return own == split // as in train/train; otherwise it is a split
	}
	return isContainer(name) || len(l.pictures) == 0 && (len(l.folders) > 0 || len(l.tables) > 0)
}

// looksLikeSplits reports an error if a folder's subfolders look like splits with
// unknown names rather than classes: all have names like splits, or all hold only
// folders, with the same names in each.
func looksLikeSplits(dir string, folders []string) error {
	if list, err := readClassList(dir, filepath.Dir(dir)); err == nil && list != nil && !slices.ContainsFunc(folders, func(name string) bool { return !slices.Contains(list.names, name) }) {
		return nil
	}
	const help = ": call them train, val and test; if they are classes, list their names in a classes.txt beside them"
	isSplit := func(name string) bool { split, rest := splitOf(name, false); return split >= 0 && rest == "" }
	if !slices.ContainsFunc(folders, func(name string) bool { return !isSplit(name) }) {
		return fmt.Errorf("%s: its folders %s look like splits, but splits aren't possible here%s", dir, quotedNames(folders), help)
	}
	inside, err := foldersOnly(dir, folders)
	if err != nil {
		return err
	}
	for _, name := range folders {
		list := inside[name]
		if list == nil {
			continue
		}
		if same := shared(list, folders); len(same) > 1 || len(same) == len(list) {
			return fmt.Errorf("%s: its folder %q holds folders with the same names as those beside it (%s), so it looks like a copy or a part of the set: move it elsewhere; if it is a class, list the classes' names in a classes.txt beside them",
				dir, name, quotedNames(same))
		}
	}
	if len(inside) < len(folders) {
		return nil
	}
	common := inside[folders[0]]
	for _, list := range inside {
		common = shared(common, list)
	}
	switch splits := slices.DeleteFunc(slices.Clone(common), func(s string) bool { return !isSplit(s) }); {
	case len(folders) < 2 && len(splits) == 0:
		return nil
	case len(splits) > 0:
		return fmt.Errorf("%s: each of its folders %s holds %s: rearrange it so that each split holds a folder for each class (%s)",
			dir, quotedNames(folders), quotedNames(splits), filepath.Join(splitNames[0][0], folders[0]))
	case len(common) > 1:
		return fmt.Errorf("%s: its folders %s hold the same folders (%s), so they look like splits%s", dir, quotedNames(folders), quotedNames(common), help)
	}
	return nil
}

// foldersOnly lists the contents of the folders that hold subfolders but no pictures.
func foldersOnly(dir string, folders []string) (map[string][]string, error) {
	inside := map[string][]string{}
	for _, name := range folders {
		l, err := listWithin(filepath.Join(dir, name))
		if err != nil {
			return nil, err
		}
		if len(l.pictures) == 0 && len(l.folders) > 0 {
			inside[name] = l.folders
		}
	}
	return inside, nil
}

// shared returns the names that are in both lists, ignoring case.
func shared(names, others []string) []string {
	return slices.DeleteFunc(slices.Clone(names), func(a string) bool {
		return !slices.ContainsFunc(others, func(b string) bool { return strings.EqualFold(a, b) })
	})
}

// listWithin lists a folder, or the folder called images if that is all it holds.
func listWithin(dir string) (listing, error) {
	for {
		inner, err := onlyFolder(dir)
		if err != nil {
			return listing{}, err
		}
		if inner == "" || !isContainer(inner) {
			return listFolders(dir)
		}
		dir = filepath.Join(dir, inner)
	}
}

// quotedNames lists the first few names in quotes.
func quotedNames(names []string) string {
	const most = 6
	var out []string
	for _, name := range names[:min(len(names), most)] {
		out = append(out, fmt.Sprintf("%q", name))
	}
	if len(names) > most {
		out = append(out, fmt.Sprintf("… (%d in all)", len(names)))
	}
	return strings.Join(out, ", ")
}

// SetOf returns the data set that a folder or CSV is a split of, judging by its name and
// by another split beside it.
func SetOf(path string) (set string, ok bool) {
	set = filepath.Dir(path)
	all, err := candidates(set)
	if err != nil {
		return "", false
	}
	group := splitGroup(all)
	i := slices.IndexFunc(group, func(c candidate) bool { return c.name == filepath.Base(path) })
	if i < 0 || !slices.ContainsFunc(group, func(c candidate) bool { return c.split != group[i].split }) {
		return "", false
	}
	return set, true
}
