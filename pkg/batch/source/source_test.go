package source

import (
	"context"
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
