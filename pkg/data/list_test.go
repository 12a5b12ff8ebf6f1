package data

import (
	"errors"
	"hash/crc32"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func crc(b []byte) uint32 { return crc32.ChecksumIEEE(b) }

func TestList(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{
		"b/2.JPG", "b/1.jpeg", "b/notes.txt", "b/._1.jpg", "b/deep/0.png", "b/folder.png/3.png", "b/9,\"x\"\n.webp",
		"a/1.jpeg", "a/picture", "empty/readme.md",
	} {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	t.Chdir(dir)
	for _, c := range []struct{ paths, want []string }{
		{[]string{"b"}, []string{"b/1.jpeg", "b/2.JPG", "b/9,\"x\"\n.webp"}},
		{[]string{"b", "a"}, []string{"a/1.jpeg", "b/1.jpeg", "b/2.JPG", "b/9,\"x\"\n.webp"}},
		{[]string{"b/notes.txt", "a/picture"}, []string{"b/notes.txt", "a/picture"}},
		{[]string{"a/1.jpeg", "./a//1.jpeg", "a"}, []string{"a/1.jpeg"}},
	} {
		got, err := List(c.paths)
		if err != nil {
			t.Errorf("%q: %v", c.paths, err)
			continue
		}
		for i := range got {
			got[i] = filepath.ToSlash(got[i])
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%q: %q, want %q", c.paths, got, c.want)
		}
	}
	for _, c := range []struct {
		paths []string
		says  string
	}{
		{nil, "name files or folders"},
		{[]string{"empty"}, "no pictures in empty"},
		{[]string{"b", "missing.jpg"}, "missing.jpg"},
	} {
		if _, err := List(c.paths); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%q: error %v, want one that says %q", c.paths, err, c.says)
		}
	}
	if _, err := List([]string{"missing.jpg"}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a missing file: %v", err)
	}
}
