package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"gaze/pkg/data"
)

// outsideData is an error if results would be written into the data set's folder:
// they would be taken for splits, classes or pictures of it from then on. Of a split,
// its data set counts. Beside a CSV that is no split nothing matters, as it lists its
// pictures; see [outsidePictures].
func outsideData(out, set string) error {
	info, err := os.Stat(set)
	if err != nil {
		return nil // whoever opens it says what is wrong
	}
	var folders []string
	if info.IsDir() {
		folders = append(folders, set)
	}
	for _, path := range []string{absolute(set), realPath(set)} {
		if whole, ok := data.SetOf(path); ok {
			folders = append([]string{whole}, folders...)
		}
	}
	if folder, inside := withinAny(out, folders); inside {
		return fmt.Errorf("-o %s: it lies in the data set %s, which would take it for a part of itself: name a folder elsewhere", out, folder)
	}
	return nil
}

// outsidePictures is an error if results would be written into any folder that the
// data set at a path reads its pictures from, wherever a CSV or a link has led.
func outsidePictures(out, path string, sets ...*data.Dataset) error {
	if folder, inside := withinAny(out, pictureFolders(path, sets...)); inside {
		return fmt.Errorf("-o %s: it lies in %s, where the data set has pictures: name a folder elsewhere", out, folder)
	}
	return nil
}

// withinAny is the first folder that a path leads into.
func withinAny(path string, folders []string) (folder string, inside bool) {
	for _, folder := range folders {
		if isWithin(path, folder) {
			return folder, true
		}
	}
	return "", false
}

// setOutside is an error if the data set would lie in the folder of a run, which is
// a whole that may be moved or removed.
func setOutside(out, path string, sets ...*data.Dataset) error {
	for _, folder := range append(pictureFolders(path, sets...), path) {
		if isWithin(folder, out) {
			return fmt.Errorf("-o %s: the data set lies in it (%s): a run needs a folder of its own, elsewhere", out, folder)
		}
	}
	return nil
}

// pictureFolders is the folders that pictures are in, and those between them and
// the set's.
func pictureFolders(path string, sets ...*data.Dataset) []string {
	var folders []string
	seen := map[string]bool{}
	for _, set := range sets {
		if set == nil {
			continue
		}
		if info, err := os.Stat(path); err == nil && info.IsDir() && !seen[set.Root] {
			seen[set.Root] = true
			folders = append(folders, set.Root)
		}
		for _, item := range set.Items {
			for dir := filepath.Dir(item.Path); !seen[dir]; dir = filepath.Dir(dir) {
				seen[dir] = true
				folders = append(folders, dir)
				if !strings.HasPrefix(filepath.Dir(dir), set.Root+string(filepath.Separator)) {
					break
				}
			}
		}
	}
	return folders
}

// isWithin tells whether a path, of which not everything has to exist, is a folder
// or leads into it. Links, other cases and other mounts of the same folder make no
// difference.
func isWithin(path, folder string) bool {
	info, err := os.Stat(folder)
	if err != nil {
		return false
	}
	for dir := realPath(path); ; dir = filepath.Dir(dir) {
		if here, err := os.Stat(dir); err == nil && os.SameFile(here, info) {
			return true
		}
		if dir == filepath.Dir(dir) {
			return false
		}
	}
}

// absolute is a path seen from the root; itself if that can't be found out.
func absolute(path string) string {
	if abs, err := filepath.Abs(path); err == nil {
		return abs
	}
	return path
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
