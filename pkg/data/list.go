package data

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// extensions are the name endings of the formats that Decode reads.
var extensions = []string{".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".gif", ".webp", ".bmp", ".dib", ".tif", ".tiff"}

// List returns the picture files that paths name, sorted by base name (by whole
// path where base names are equal).
//
// A file is taken whatever its name. Of a folder, the files directly in it are
// taken whose name ends as a picture's does (.jpg, .png, .gif, .webp, .bmp,
// .tif and their variants, in either case) and doesn't begin with a dot. A file
// named twice, by itself or through its folder, is listed once. Base names
// without their endings needn't be unique: whoever names outputs by them has to
// look.
//
// A path that doesn't exist, and a folder without pictures, are errors.
func List(paths []string) ([]string, error) {
	if len(paths) == 0 {
		return nil, errors.New("no pictures: name files or folders")
	}
	var found []string
	for _, path := range paths {
		info, err := os.Stat(path)
		if err != nil {
			return nil, err
		}
		if !info.IsDir() {
			found = append(found, filepath.Clean(path))
			continue
		}
		inside, err := listFolder(path)
		if err != nil {
			return nil, err
		}
		found = append(found, inside...)
	}
	slices.SortFunc(found, func(a, b string) int {
		return cmp.Or(cmp.Compare(filepath.Base(a), filepath.Base(b)), cmp.Compare(a, b))
	})
	return slices.Compact(found), nil
}

// listFolder returns the picture files directly in a folder.
func listFolder(folder string) ([]string, error) {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return nil, err
	}
	var found []string
	for _, e := range entries {
		name := e.Name()
		if strings.HasPrefix(name, ".") || !slices.Contains(extensions, strings.ToLower(filepath.Ext(name))) {
			continue
		}
		path := filepath.Join(folder, name)
		// Links are followed; one that leads nowhere fails when it's decoded,
		// where it's reported beside the pictures that don't.
		if info, err := os.Stat(path); err == nil && info.IsDir() {
			continue
		}
		found = append(found, path)
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("no pictures in %s: its files end in none of %s (folders in it aren't searched)", folder, strings.Join(extensions, " "))
	}
	return found, nil
}
