package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestReportNamesWhatIsWrong(t *testing.T) {
	dir := t.TempDir()
	text := filepath.Join(dir, "notes.txt")
	if err := os.WriteFile(text, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	t.Chdir(mustAbs(t, ".")) // in the clone
	for arg, want := range map[string]string{
		filepath.Join(dir, "nothere.ipynb"): "there is no such file",
		dir:                                 "is a folder: name the notebooks in it, for example " + filepath.Join(dir, "*.ipynb"),
		text:                                "its name should end in .ipynb",
	} {
		status, _, log := gaze(t, "report", "-o", filepath.Join(dir, "pages"), arg)
		if status != 2 || !strings.Contains(log, want) || !strings.Contains(log, arg) {
			t.Errorf("%s: status %d, %s", arg, status, log)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "pages")); err == nil {
		t.Error("it wrote pages")
	}
}

func mustAbs(t *testing.T, path string) string {
	t.Helper()
	abs, err := filepath.Abs(path)
	if err != nil {
		t.Fatal(err)
	}
	return abs
}

func TestNotebookPaths(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "a b.ipynb"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	t.Chdir(dir)
	got, err := notebookPaths([]string{"a b.ipynb"})
	here, _ := os.Getwd()
	if err != nil || len(got) != 1 || got[0] != filepath.Join(here, "a b.ipynb") {
		t.Errorf("%v, %v", got, err)
	}
	if got, err := notebookPaths(nil); err != nil || got != nil {
		t.Errorf("%v, %v", got, err)
	}
}

func TestNeedsModels(t *testing.T) {
	for _, c := range []struct {
		notebooks []string
		want      bool
	}{
		{nil, true}, {[]string{"/clone/notebooks/1.ipynb"}, true}, {[]string{"/home/1.ipynb"}, false},
		{[]string{"/home/1.ipynb", "/clone/notebooks/2.ipynb"}, true}, {[]string{"/clone/1.ipynb"}, false},
	} {
		if got := needsModels("/clone", c.notebooks); got != c.want {
			t.Errorf("%v: %v", c.notebooks, got)
		}
	}
}
