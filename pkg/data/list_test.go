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

// tree makes files, and links for names with "->", in a new folder, and changes to it.
func tree(t *testing.T, names ...string) {
	t.Helper()
	t.Chdir(t.TempDir())
	for _, name := range names {
		name, to, isLink := strings.Cut(name, " -> ")
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		var err error
		if isLink {
			err = os.Symlink(to, name)
		} else {
			err = os.WriteFile(name, nil, 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// TestFindNames: in a recursive search, names are distinct.
func TestFindNames(t *testing.T) {
	tree(t, "a/cat.png", "a/deep/er/cat.png", "a/.hidden/x.png", "a/deep/.y.png", "b/cat.png", "b/dog.jpg", "c/notes.txt",
		"b/a -> ../a", "b/up -> ..", "b/broken -> nowhere", "b/broken.png -> nowhere.png")
	for _, c := range []struct {
		paths     []string
		recursive bool
		want      []string // path=name
	}{
		{[]string{"a", "b"}, false, []string{"b/broken.png=broken.png", "a/cat.png=cat.png", "b/cat.png=cat.png", "b/dog.jpg=dog.jpg"}},
		{[]string{"a"}, true, []string{"a/cat.png=cat.png", "a/deep/er/cat.png=deep/er/cat.png"}},
		{[]string{"a/"}, true, []string{"a/cat.png=cat.png", "a/deep/er/cat.png=deep/er/cat.png"}},
		{[]string{"a", "b"}, true, []string{"a/cat.png=a/cat.png", "a/deep/er/cat.png=a/deep/er/cat.png", "b/broken.png=b/broken.png", "b/cat.png=b/cat.png", "b/dog.jpg=b/dog.jpg"}},
		{[]string{"."}, true, []string{"a/cat.png=a/cat.png", "a/deep/er/cat.png=a/deep/er/cat.png", "b/broken.png=b/broken.png", "b/cat.png=b/cat.png", "b/dog.jpg=b/dog.jpg"}},
		{[]string{"a", "a/deep"}, true, []string{"a/cat.png=cat.png", "a/deep/er/cat.png=deep/er/cat.png"}},
		{[]string{"a/deep", "a"}, true, []string{"a/cat.png=cat.png", "a/deep/er/cat.png=deep/er/cat.png"}},
		{[]string{"a/cat.png", "b/cat.png"}, true, []string{"a/cat.png=a/cat.png", "b/cat.png=b/cat.png"}},
		{[]string{"b/cat.png"}, true, []string{"b/cat.png=cat.png"}},
		{[]string{"a/deep/er", "b/dog.jpg", "b/../b/dog.jpg"}, true, []string{"a/deep/er/cat.png=a/deep/er/cat.png", "b/dog.jpg=b/dog.jpg"}},
	} {
		got, err := Find(c.paths, FindOptions{Recursive: c.recursive})
		if err != nil {
			t.Errorf("%q: %v", c.paths, err)
			continue
		}
		var list []string
		for _, p := range got.Pictures {
			list = append(list, filepath.ToSlash(p.Path+"="+p.Name))
		}
		if !slices.Equal(list, c.want) {
			t.Errorf("%q, recursive %t:\n%q, want\n%q", c.paths, c.recursive, list, c.want)
		}
	}
	b, err := Find([]string{"b"}, FindOptions{Recursive: true}) // a cycle: b/up/b
	if err != nil || len(b.Pictures) != 5 {
		t.Errorf("%+v, %v", b, err)
	}
	abs, err := filepath.Abs("a/cat.png")
	if err != nil {
		t.Fatal(err)
	}
	if got, err := List([]string{"a/cat.png", abs}); err != nil || len(got) != 1 {
		t.Errorf("one file, spelled in two ways: %q, %v", got, err)
	}
}

// TestFindSaysWhatItLeavesOut: other files, excluded folders, paths that can't be used.
func TestFindSaysWhatItLeavesOut(t *testing.T) {
	tree(t, "in/a.png", "in/notes.txt", "in/.hidden", "in/out/figure.png", "in/deep/b.png", "in/deep/c.jxl", "in/deep/scan", "in/BMW.txt", "only/c.jxl")
	for path, head := range map[string]string{
		"in/deep/c.jxl": "\x00\x00\x00\x0cJXL \r\n\x87\n", "only/c.jxl": "\x00\x00\x00\x0cJXL \r\n\x87\n",
		"in/deep/scan": "\xff\xd8\xff\xe0", "in/BMW.txt": "BMW",
	} {
		if err := os.WriteFile(path, []byte(head), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := Find([]string{"in"}, FindOptions{Recursive: true, Leave: func(folder string) bool { return filepath.Base(folder) == "out" }})
	if err != nil || len(got.Pictures) != 2 || !slices.Equal(got.Left, []string{filepath.Join("in", "out")}) {
		t.Fatalf("%+v, %v", got, err)
	}
	why := map[string]string{}
	for _, s := range got.Skipped {
		why[filepath.Base(s.Path)] = s.Why
	}
	if len(why) != 4 || why["notes.txt"] != "" || why["BMW.txt"] != "" || !strings.Contains(why["c.jxl"], "JPEG XL") || !strings.Contains(why["scan"], "JPEG") {
		t.Errorf("skipped %q", why)
	}
	if _, err := Find([]string{"only"}, FindOptions{}); err == nil || !strings.Contains(err.Error(), "c.jxl: it is a JPEG XL picture") {
		t.Errorf("a folder of another kind: %v", err)
	}
	paths := []string{"absent.png", "in/a.png", "absent", "only"}
	got, err = Find(paths, FindOptions{Lenient: true})
	if err != nil || len(got.Pictures) != 1 || len(got.Failed) != 3 {
		t.Errorf("lenient: %+v, %v", got, err)
	}
	for i, e := range got.Failed {
		if want := slices.Delete(slices.Clone(paths), 1, 2)[i]; e.Path != want || !strings.Contains(e.Error(), want) {
			t.Errorf("%+v, want %s", e, want)
		}
	}
	if os.Geteuid() == 0 {
		return
	}
	if err := os.Chmod("in/deep", 0); err != nil {
		t.Fatal(err)
	}
	defer os.Chmod("in/deep", 0o755)
	if got, err := Find([]string{"in"}, FindOptions{Recursive: true}); err != nil || len(got.Failed) != 1 {
		t.Errorf("a folder that can't be read: %+v, %v", got, err)
	}
}
