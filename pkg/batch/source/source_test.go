package source

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// write makes files in a new folder; a name may have folders.
func write(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range files {
		at := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(at), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(at, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// list collects what [List] yields.
func list(t *testing.T, o Options, sources ...string) ([]Input, error) {
	t.Helper()
	var all []Input
	for in, err := range List(context.Background(), sources, o) {
		if err != nil {
			return all, err
		}
		all = append(all, in)
	}
	return all, nil
}

// keys are the keys of inputs with spaces between them.
func keys(all []Input) string {
	var out []string
	for _, in := range all {
		out = append(out, in.Key)
	}
	return strings.Join(out, " ")
}

func TestFolder(t *testing.T) {
	dir := write(t, map[string]string{
		"b/2.PNG": "2", "b/1.jpg": "1", "b-1.webp": "b-1", "a.jpeg": "a", "b/note.txt": "", ".hidden/x.jpg": "", "b/.x.jpg": "", "c/d/e.tif": "e",
	})
	all, err := list(t, Options{}, dir)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := keys(all), "a.jpeg b-1.webp b/1.jpg b/2.PNG c/d/e.tif"; got != want {
		t.Errorf("keys %s, want %s", got, want)
	}
	r := NewReader()
	defer r.Close()
	for _, in := range all {
		if got, err := r.Read(context.Background(), in); err != nil || string(got) != strings.TrimSuffix(filepath.Base(in.Key), filepath.Ext(in.Key)) {
			t.Errorf("%s: %q, %v", in.Key, got, err)
		}
	}
}

// TestFolderLinks follows links to folders, once each, and ends where they go round.
func TestFolderLinks(t *testing.T) {
	other := write(t, map[string]string{"o.jpg": "o"})
	dir := write(t, map[string]string{"a/1.jpg": "1", "b/2.jpg": "2"})
	for link, to := range map[string]string{
		"a/loop": dir, "b/other": other, "c": filepath.Join(dir, "b"), "1.jpg": filepath.Join(dir, "a", "1.jpg"), "gone.jpg": "nowhere",
	} {
		if err := os.Symlink(to, filepath.Join(dir, link)); err != nil {
			t.Skip(err)
		}
	}
	all, err := list(t, Options{}, dir)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := keys(all), "1.jpg a/1.jpg b/2.jpg b/other/o.jpg gone.jpg"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	r := NewReader()
	defer r.Close()
	if got := read(r, all[4]); !strings.Contains(got, "gone.jpg: no such file") {
		t.Error(got)
	}
}

func TestSourceErrors(t *testing.T) {
	dir := write(t, map[string]string{"sub/note.md": "", "sub/photos.tar": "", "list.txt": "\n"})
	for _, test := range []struct{ source, want string }{
		{dir, "name the tars"}, {filepath.Join(dir, "nothing"), "no such file"}, {filepath.Join(dir, "list.txt"), "list is empty"},
		{"https://example.com/folder", "can't be told"}, {"ftp://example.com/a.tar", "unknown scheme"},
	} {
		if _, err := list(t, Options{}, test.source); err == nil || !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), strings.TrimSuffix(test.source, "a.tar")) {
			t.Errorf("%s: %v, want %q", test.source, err, test.want)
		}
	}
}

// TestStops checks that a caller can end a listing, and a context does.
func TestStops(t *testing.T) {
	dir := write(t, map[string]string{"1.jpg": "", "2.jpg": "", "3.jpg": ""})
	n := 0
	for range List(context.Background(), []string{dir, dir}, Options{}) {
		if n++; n == 2 {
			break
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var last error
	for _, err := range List(ctx, []string{dir}, Options{}) {
		cancel()
		last = err
	}
	if n != 2 || last != context.Canceled {
		t.Errorf("%d pictures, %v", n, last)
	}
}

func TestPictureFile(t *testing.T) {
	dir := write(t, map[string]string{"1.jpg": "", "{1..2}.jpg": ""})
	all, err := list(t, Options{}, dir+"/1.jpg", dir+"/{1..2}.jpg", "https://example.com/a.png?token=secret")
	if err != nil || len(all) != 3 || all[2].Key != "https://example.com/a.png" || !strings.HasSuffix(all[2].File, "secret") {
		t.Errorf("%+v, %v", all, err)
	}
}

func ExampleList() {
	ctx := context.Background()
	r := NewReader()
	defer r.Close()
	for in, err := range List(ctx, []string{"testdata/photos-{000000..000001}.tar"}, Options{Member: "jpg"}) {
		if err != nil {
			panic(err)
		}
		picture, err := r.Read(ctx, in)
		if err != nil {
			panic(err)
		}
		if fmt.Println(in.Key, len(picture)); in.Key == "pets/0001" {
			break
		}
	}
	// Output:
	// pets/0000 647
	// pets/0001 646
}
