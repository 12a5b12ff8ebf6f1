package environ

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestSwitch(t *testing.T) {
	const name = "GAZE_KERNELS"
	for value, want := range map[string]bool{
		"on": true, "1": true, "yes": true, "TRUE": true, " on ": true,
		"off": false, "0": false, "No": false, "false": false, "OFF\n": false,
	} {
		t.Setenv(name, value)
		for _, unset := range []bool{false, true} {
			if on, err := Switch(name, unset); on != want || err != nil {
				t.Errorf("%q: %v, %v", value, on, err)
			}
		}
	}
	for _, value := range []string{"of", "none", "2", "on,off", "-"} {
		t.Setenv(name, value)
		if on, err := Switch(name, true); !on || err == nil || !strings.Contains(err.Error(), name) || !strings.Contains(err.Error(), value) {
			t.Errorf("%q: %v, %v", value, on, err)
		}
	}
	for _, value := range []string{"", "  "} {
		t.Setenv(name, value)
		for _, unset := range []bool{false, true} {
			if on, err := Switch(name, unset); on != unset || err != nil {
				t.Errorf("%q: %v, %v", value, on, err)
			}
		}
	}
}

// tree creates the folders start and here, with one file in each and one in both, and
// changes the working folder to here.
func tree(t *testing.T) (root string) {
	t.Helper()
	root, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"start/both", "start/first", "here/both", "here/second", "home/mine"} {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	t.Chdir(filepath.Join(root, "here"))
	t.Setenv(Root, "")
	t.Setenv("HOME", filepath.Join(root, "home"))
	return root
}

func TestPath(t *testing.T) {
	root := tree(t)
	const name = "GAZE_CACHE"
	for _, test := range []struct{ start, value, want string }{
		{"", "", ""},
		{"", "both", "here/both"},
		{"", "./second", "here/second"},
		{"", "new", "here/new"},
		{"", "../start/first", "start/first"},
		{"start", "both", "start/both"},
		{"start", "first", "start/first"},
		{"start", "second", "here/second"},
		{"start", "new", "start/new"},
		{"start", "~/mine", "home/mine"},
		{"start", "~", "home"},
		{"start", "~new", "start/~new"},
		{"start", filepath.Join(root, "here", "..", "x"), "x"},
	} {
		start, want := test.start, test.want
		if start != "" {
			start = filepath.Join(root, start)
		}
		if want != "" {
			want = filepath.Join(root, want)
		}
		t.Setenv(Start, start)
		t.Setenv(name, test.value)
		if got, err := Path(name); got != want || err != nil {
			t.Errorf("%q from %q: %q, %v; want %q", test.value, test.start, got, err, want)
		}
	}
	t.Setenv(Start, filepath.Join(root, "start"))
	t.Setenv(Root, filepath.Join(root, "home"))
	t.Setenv(name, "mine")
	if got, err := Path(name); got != filepath.Join(root, "home/mine") || err != nil {
		t.Errorf("in the clone: %q, %v", got, err)
	}
	t.Setenv(name, "/x")
	t.Setenv(Start, "relative")
	if _, err := Path(name); err != nil {
		t.Errorf("an absolute path needs no start: %v", err)
	}
	t.Setenv(name, "new")
	if _, err := Path(name); err == nil || !strings.Contains(err.Error(), Start) {
		t.Errorf("a start that is relative: %v", err)
	}
}

func TestFolderAndFile(t *testing.T) {
	root := tree(t)
	start := filepath.Join(root, "start")
	t.Setenv(Start, start)
	const name = "GAZE_PETS"
	for _, test := range []struct{ value, says string }{
		{"none", filepath.Join(start, "none") + " or " + filepath.Join(root, "here", "none")},
		{"/nowhere/at/all", "no such file or folder"},
		{"first/below", "neither a file nor a folder"},
	} {
		t.Setenv(name, test.value)
		for kind, read := range map[string]func(string) (string, error){"existing": Existing, "folder": Folder} {
			if _, err := read(name); err == nil || !strings.Contains(err.Error(), name+" is") || !strings.Contains(err.Error(), test.says) {
				t.Errorf("%s %q: %v", kind, test.value, err)
			}
		}
	}
	t.Setenv(name, "first")
	if got, err := Existing(name); err != nil || got != filepath.Join(start, "first") {
		t.Errorf("a file: %q, %v", got, err)
	}
	if _, err := Folder(name); err == nil || !strings.Contains(err.Error(), "that is a file") {
		t.Errorf("a file for a folder: %v", err)
	}
	t.Setenv(name, "..")
	if got, err := Folder(name); err != nil || got != root {
		t.Errorf("a folder: %q, %v", got, err)
	}
	if os.Geteuid() != 0 {
		closed := filepath.Join(root, "closed")
		if err := os.Mkdir(closed, 0); err != nil {
			t.Fatal(err)
		}
		t.Setenv(name, closed)
		if _, err := Folder(name); err == nil || !strings.Contains(err.Error(), "permission denied") {
			t.Errorf("a folder that can't be read: %v", err)
		}
	}
}

func TestFileOrName(t *testing.T) {
	root := tree(t)
	t.Setenv(Start, filepath.Join(root, "start"))
	const name = "GAZE_VIT"
	t.Setenv(name, "dinov2-small")
	value, tried, err := FileOrName(name)
	if value != "dinov2-small" || len(tried) != 2 || err != nil {
		t.Errorf("a name: %q, %q, %v", value, tried, err)
	}
	t.Setenv(name, "second")
	value, tried, err = FileOrName(name)
	if value != filepath.Join(root, "here", "second") || tried != nil || err != nil {
		t.Errorf("a file: %q, %q, %v", value, tried, err)
	}
	t.Setenv(name, "")
	if value, tried, err := FileOrName(name); value != "" || tried != nil || err != nil {
		t.Errorf("nothing: %q, %q, %v", value, tried, err)
	}
}

func TestEndpoint(t *testing.T) {
	const name = "GAZE_GITHUB_ENDPOINT"
	for value, want := range map[string]string{
		"": "https://x", "http://127.0.0.1:80/gh//": "http://127.0.0.1:80/gh", "https://user:word@mirror": "https://user:word@mirror",
	} {
		t.Setenv(name, value)
		if got, err := Endpoint(name, "https://x"); got != want || err != nil {
			t.Errorf("%q: %q, %v", value, got, err)
		}
	}
	for _, value := range []string{"mirror", "mirror:80", "ftp://mirror", "http://", "/folder", "https://user:word@"} {
		t.Setenv(name, value)
		if _, err := Endpoint(name, ""); err == nil || !strings.Contains(err.Error(), name+" is") || strings.Contains(err.Error(), "word") {
			t.Errorf("%q: %v", value, err)
		}
	}
}

func TestUnknown(t *testing.T) {
	for name, want := range map[string]string{
		"GAZE_PET": "GAZE_PETS", "GAZE_VITT": "GAZE_VIT", "gaze_vit": "GAZE_VIT", "GAZE_CAPTIONNER": "GAZE_CAPTIONER",
		"GAZE_KERNEL": "GAZE_KERNELS", "GAZE_COMPLIED": "GAZE_COMPILED", "GAZE_PRJT": "GAZE_PJRT", "GAZE_CAPTION_IMAGE": "GAZE_CAPTION_IMAGES",
		"GAZE_BACKEND": "GOMLX_BACKEND", "GAZE_MODEL": "GAZE_VIT", "GAZE_SHAREDDATA": "GAZE_SHARED_DATA",
		"GAZE_X": "docs/environment.md", "GAZE_SOMETHING_ELSE": "docs/environment.md", "GAZE_": "docs/environment.md",
	} {
		got := Unknown([]string{"HOME=/h", name + "=1", "GAZE_VIT=x"})
		if len(got) != 1 || !strings.Contains(got[0], name+" isn't") || !strings.Contains(got[0], want) {
			t.Errorf("%s: %q, want %s", name, got, want)
		}
	}
	known := []string{"GAZE_PET=", "NO_GAZE_PET=1", "GAZEPETS=1", "malformed"}
	for _, v := range All() {
		known = append(known, v.Name+"=1")
	}
	if got := Unknown(known); len(got) != 0 {
		t.Errorf("said without need: %q", got)
	}
	if got := Unknown([]string{"GAZE_ZZZZZZ=1", "GAZE_PETZ=2"}); len(got) != 2 || !strings.Contains(got[0], "GAZE_PETZ") {
		t.Errorf("two: %q", got)
	}
}

func TestDistance(t *testing.T) {
	for _, test := range []struct {
		a, b string
		want int
	}{{"", "", 0}, {"abc", "", 3}, {"", "ab", 2}, {"abc", "abc", 0}, {"abc", "acb", 1}, {"abc", "abd", 1}, {"abc", "ab", 1}, {"kitten", "sitting", 3}, {"ca", "abc", 3}} {
		if got := distance(test.a, test.b); got != test.want {
			t.Errorf("%q, %q: %d, want %d", test.a, test.b, got, test.want)
		}
	}
}
