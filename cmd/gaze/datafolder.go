package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"gaze/pkg/data"
)

// outsideData reports an error if results would be written into the data set's folder,
// where the next reading would take them for splits, classes or pictures. If path is a
// split, the whole data set's folder is protected. A CSV that isn't a split lists its
// pictures, so files beside it do no harm; see [outsidePictures].
func outsideData(out, set string) error {
	info, err := os.Stat(set)
	if err != nil {
		return nil // opening it reports the error
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
		return fmt.Errorf("-o %s: it is inside the data set %s and would be read as part of it: choose a folder elsewhere", out, folder)
	}
	return nil
}

// outsidePictures reports an error if results would be written into any folder that
// the data set at path reads pictures from, including through a CSV or a link.
func outsidePictures(out, path string, sets ...*data.Dataset) error {
	if folder, inside := withinAny(out, pictureFolders(path, sets...)); inside {
		return fmt.Errorf("-o %s: it is inside %s, where the data set has pictures: choose a folder elsewhere", out, folder)
	}
	return nil
}

// withinAny returns the first of the folders that contains path.
func withinAny(path string, folders []string) (folder string, inside bool) {
	for _, folder := range folders {
		if isWithin(path, folder) {
			return folder, true
		}
	}
	return "", false
}

// setOutside reports an error if the data set is inside the run's folder, because a
// run's folder may be moved or removed as a whole.
func setOutside(out, path string, sets ...*data.Dataset) error {
	for _, folder := range append(pictureFolders(path, sets...), path) {
		if isWithin(folder, out) {
			return fmt.Errorf("-o %s: it contains the data set (%s): choose a separate folder for the run", out, folder)
		}
	}
	return nil
}

// pictureFolders returns the folders that contain pictures, and those between them
// and the set's folder.
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

// isWithin reports whether path is the folder or inside it. The path needn't exist
// completely. Links, differences in case and other mounts of the folder are seen through.
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

// absolute returns the absolute path, or path itself if that fails.
func absolute(path string) string {
	if abs, err := filepath.Abs(path); err == nil {
		return abs
	}
	return path
}

// realPath resolves the links in the part of a path that exists.
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
