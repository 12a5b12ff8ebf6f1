package cachedir

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestDir(t *testing.T) {
	for _, test := range []struct{ gaze, xdg, home, want string }{
		{"/somewhere", "/x", "/h", "/somewhere"},
		{"", "/x", "/h", "/x/gaze"},
		{"", "relative", "/h", "/h"},
		{"", "", "/h", "/h"},
	} {
		t.Setenv("GAZE_CACHE", test.gaze)
		t.Setenv("XDG_CACHE_HOME", test.xdg)
		t.Setenv("HOME", test.home)
		got, err := Dir()
		if test.xdg == "relative" { // the system's own rule refuses it
			if err == nil || !strings.Contains(err.Error(), "GAZE_CACHE") {
				t.Errorf("%+v: %q, %v", test, got, err)
			}
			continue
		}
		if err != nil || !strings.HasPrefix(got, test.want) {
			t.Errorf("%+v: %q, %v", test, got, err)
		}
		if test.gaze == "" && filepath.Base(got) != "gaze" {
			t.Errorf("%+v: %q isn't Gaze's own folder", test, got)
		}
	}
}

func TestDirOfTheUsersOwn(t *testing.T) {
	root := t.TempDir()
	file := filepath.Join(root, "file")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	t.Setenv("GAZE_START", root)
	for value, want := range map[string]string{"cache": "cache", "./a/b": "a/b", root: "", "": ""} {
		t.Setenv("GAZE_CACHE", value)
		got, err := Dir()
		if want = filepath.Join(root, want); err != nil || value != "" && got != want {
			t.Errorf("%q: %q, %v; want %q", value, got, err, want)
		}
	}
	for _, value := range []string{"file", file, file + "/cache"} {
		t.Setenv("GAZE_CACHE", value)
		if got, err := Dir(); err == nil || !strings.Contains(err.Error(), "GAZE_CACHE is") || !strings.Contains(err.Error(), "file: name a folder") {
			t.Errorf("%q: %q, %v", value, got, err)
		}
	}
}
