package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// outsideData is an error if results would be written into the data set's folder:
// they would be taken for splits, classes or pictures of it from then on. A CSV
// lists its pictures, so that nothing beside it matters.
func outsideData(out, set string) error {
	if info, err := os.Stat(set); err != nil || !info.IsDir() {
		return nil // whoever opens it says what is wrong
	}
	whole := realPath(set)
	if parent, ok := splitOf(whole); ok {
		whole = parent
	}
	rel, err := filepath.Rel(whole, realPath(out))
	if err != nil || rel == ".." || strings.HasPrefix(rel, ".."+string(filepath.Separator)) {
		return nil
	}
	return fmt.Errorf("-o %s: it lies in the data set %s, which would take it for a part of itself: name a folder elsewhere", out, whole)
}

// splitOf is the data set that a folder is a split of, if another split stands
// beside it.
func splitOf(set string) (parent string, ok bool) {
	names := []string{"train", "val", "valid", "validation", "test"}
	if !slices.Contains(names, strings.ToLower(filepath.Base(set))) {
		return "", false
	}
	parent = filepath.Dir(set)
	for _, name := range names {
		other := filepath.Join(parent, name)
		if info, err := os.Stat(other); err == nil && info.IsDir() && other != set {
			return parent, true
		}
	}
	return "", false
}

// realPath is where a path leads, as far as it exists.
func realPath(path string) string {
	path, err := filepath.Abs(path)
	if err != nil {
		return path
	}
	rest := ""
	for dir := path; ; dir = filepath.Dir(dir) {
		if found, err := filepath.EvalSymlinks(dir); err == nil {
			return filepath.Join(found, rest)
		}
		if dir == filepath.Dir(dir) {
			return path
		}
		rest = filepath.Join(filepath.Base(dir), rest)
	}
}
