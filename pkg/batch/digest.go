package batch

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
)

// FileDigest is a SHA-256, in hexadecimal, over the content of a model's files and their
// names without folders. It doesn't depend on where the files are or on their order. Folders
// and files that don't exist are passed over, since a model's list has optional ones.
func FileDigest(files []string) (string, error) {
	type file struct{ name, sum string }
	var list []file
	files = slices.Clone(files)
	slices.Sort(files)
	for _, path := range slices.Compact(files) {
		sum, err := sumOf(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return "", err
		}
		if sum != "" {
			list = append(list, file{filepath.Base(path), sum})
		}
	}
	if len(list) == 0 {
		return "", errors.New("batch: there are no files to take the digest of")
	}
	slices.SortFunc(list, func(a, b file) int { return cmp.Or(cmp.Compare(a.name, b.name), cmp.Compare(a.sum, b.sum)) })
	all := sha256.New()
	for _, f := range list {
		fmt.Fprintf(all, "%q %s\n", f.name, f.sum) // writing to a hash never fails
	}
	return hex.EncodeToString(all.Sum(nil)), nil
}

// sumOf is a file's SHA-256, "" for a folder.
func sumOf(path string) (string, error) {
	if path == "" {
		return "", fs.ErrNotExist
	}
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil || info.IsDir() {
		return "", err
	}
	sum := sha256.New()
	if _, err := io.Copy(sum, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}
