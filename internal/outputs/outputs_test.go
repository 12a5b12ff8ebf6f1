package outputs

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// put writes a file and creates its folders.
func put(t *testing.T, path, text string) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func link(t *testing.T, make func(from, to string) error, from, to string) string {
	t.Helper()
	if err := make(from, to); err != nil {
		t.Skip("no links here:", err)
	}
	return to
}

func text(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// ready returns a checked plan that writes one file.
func ready(t *testing.T, force bool, path string) *Plan {
	t.Helper()
	p := New(force)
	p.Writes(path, "-o")
	if err := p.Check(); err != nil {
		t.Fatal(err)
	}
	return p
}

// TestNeverOverAnInput checks that an input is refused as an output, by any name and even
// with Force.
func TestNeverOverAnInput(t *testing.T) {
	t.Setenv("GAZE_CACHE", t.TempDir())
	dir := t.TempDir()
	t.Chdir(dir)
	input := put(t, filepath.Join(dir, "photos", "cat.png"), "a photograph")
	link(t, os.Symlink, "photos", filepath.Join(dir, "album"))
	link(t, os.Symlink, input, filepath.Join(dir, "link.png"))
	link(t, os.Symlink, "link.png", filepath.Join(dir, "link of link.png"))
	link(t, os.Link, input, filepath.Join(dir, "hard.png"))
	link(t, os.Symlink, filepath.Join(dir, "nowhere"), filepath.Join(dir, "dangling.png"))
	for _, c := range []struct{ reads, writes string }{
		{input, input},
		{"photos/cat.png", input},
		{input, "photos/cat.png"},
		{input, "./photos/../photos//cat.png"},
		{input, "album/cat.png"},
		{"album/cat.png", "photos/cat.png"},
		{input, "link.png"},
		{"link.png", input},
		{"link.png", "link.png"},
		{input, "link of link.png"},
		{"link of link.png", "album/cat.png"},
		{input, "hard.png"},
		{"hard.png", "link.png"},
		{"dangling.png", "dangling.png"},
		{"photos/config.json", "album/config.json"}, // doesn't exist yet, but would be read the next time
	} {
		for _, force := range []bool{false, true} {
			p := New(force)
			p.Reads(c.reads)
			p.Writes(c.writes, "-o")
			var conflict *Conflict
			if err := p.Check(); !errors.As(err, &conflict) || conflict.Collision || !strings.Contains(err.Error(), c.writes) || !strings.Contains(err.Error(), c.reads) {
				t.Errorf("%s over %s, force %t: %v", c.writes, c.reads, force, err)
			}
		}
	}
	if got := text(t, input); got != "a photograph" {
		t.Errorf("the input now holds %q", got)
	}
}

// TestCollisions checks outputs that are the same file, here or on other systems.
func TestCollisions(t *testing.T) {
	t.Setenv("GAZE_CACHE", t.TempDir())
	dir := t.TempDir()
	t.Chdir(dir)
	put(t, "out/there.png", "")
	link(t, os.Link, "out/there.png", "out/twin.npy")
	link(t, os.Symlink, "out", "same")
	for _, c := range []struct {
		a, b    string
		collide bool
	}{
		{"out/cat.png", "out/cat.png", true},
		{"out/cat.png", "out/./cat.png", true},
		{"out/cat.png", "same/cat.png", true},
		{"out/cat.png", "out/Cat.PNG", true},
		{"out/stra\u00dfe.png", "out/STRASSE.png", true},
		{"out/caf\u00e9.png", "out/cafe\u0301.png", true},
		{"out/there.png", "out/twin.npy", true},
		{"out/cat.png", "out/cat.npy", false},
		{"out/a/cat.png", "out/b/cat.png", false},
	} {
		p := New(true)
		p.Writes(c.a, "a.jpg")
		p.Writes(c.b, "b.jpg")
		err := p.Check()
		var conflict *Conflict
		if is := errors.As(err, &conflict) && conflict.Collision; is != c.collide || is && !(strings.Contains(err.Error(), "a.jpg") && strings.Contains(err.Error(), "b.jpg")) {
			t.Errorf("%s and %s: %v", c.a, c.b, err)
		}
	}
	p := New(false)
	for i := range 9 {
		for _, ending := range []string{".png", ".npy"} {
			p.Writes("x"+ending, fmt.Sprint(i, ".jpg"))
		}
	}
	if err := p.Check(); err == nil || !strings.HasSuffix(err.Error(), "and 3 more") {
		t.Errorf("of nine: %v", err)
	}
}

// TestOnlyItsOwnFiles checks that files that Gaze wrote are replaced unless they were
// changed since, and other files only with Force.
func TestOnlyItsOwnFiles(t *testing.T) {
	t.Setenv("GAZE_CACHE", t.TempDir())
	path := filepath.Join(t.TempDir(), "new", "out.txt")
	check := func(force bool) error {
		p := New(force)
		p.Writes(path, "-o")
		return p.Check()
	}
	for _, content := range []string{"first", "second", "first"} {
		if err := ready(t, false, path).WriteBytes(path, []byte(content)); err != nil {
			t.Fatal(err)
		}
		if got := text(t, path); got != content {
			t.Fatalf("it holds %q, not %q", got, content)
		}
	}
	put(t, path, "FIRST") // the same length, and perhaps the same modification time
	if err := check(false); err == nil || !strings.Contains(err.Error(), "was changed since Gaze wrote it") || !strings.Contains(err.Error(), "--force") {
		t.Errorf("a file that was edited: %v", err)
	}
	put(t, path, "first") // Gaze's content again: nothing can be lost
	if err := check(false); err != nil {
		t.Error(err)
	}
	other := put(t, filepath.Join(filepath.Dir(path), "other.txt"), "the user's")
	if err := os.Rename(other, path); err != nil {
		t.Fatal(err)
	}
	if check(false) == nil {
		t.Error("the user's file may be replaced")
	}
	if err := check(true); err != nil {
		t.Errorf("by force: %v", err)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if err := check(false); err != nil {
		t.Errorf("a file that is gone: %v", err)
	}
	put(t, path, "first")
	if err := os.Chmod(path, 0o444); err != nil {
		t.Fatal(err)
	}
	if err := check(false); err == nil || !strings.Contains(err.Error(), "write-protected") {
		t.Errorf("a file that is write-protected: %v", err)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	elsewhere := put(t, filepath.Join(t.TempDir(), "elsewhere"), "first")
	link(t, os.Symlink, elsewhere, path)
	if check(false) == nil {
		t.Error("a link may be replaced")
	}
	if err := ready(t, true, path).WriteBytes(path, []byte("new")); err != nil {
		t.Fatal(err)
	}
	if text(t, path) != "new" || text(t, elsewhere) != "first" {
		t.Error("with Force the target of the link was replaced, not the link")
	}
}

// TestWithoutACache checks that without a cache outputs are written, one warning is given,
// and the files aren't recognised the next time.
func TestWithoutACache(t *testing.T) {
	cache := put(t, filepath.Join(t.TempDir(), "cache"), "a file, where a folder is needed")
	t.Setenv("GAZE_CACHE", cache)
	path := filepath.Join(t.TempDir(), "out.txt")
	p := ready(t, false, path)
	var said []string
	p.Warn = func(s string) { said = append(said, s) }
	for range 2 {
		if err := p.WriteBytes(path, []byte("x")); err != nil {
			t.Fatal(err)
		}
	}
	if len(said) != 1 || !strings.Contains(said[0], cache) {
		t.Errorf("said %q", said)
	}
	p = New(false)
	p.Writes(path, "-o")
	if err := p.Check(); err == nil || !strings.Contains(err.Error(), "the cache can't tell") || !strings.Contains(err.Error(), cache) {
		t.Errorf("%v", err)
	}
}

// TestMeanwhile checks that files that appear or change after Check are kept, and so is an
// input that is linked to an output's path.
func TestMeanwhile(t *testing.T) {
	t.Setenv("GAZE_CACHE", t.TempDir())
	dir := t.TempDir()
	path := filepath.Join(dir, "out.txt")
	input := put(t, filepath.Join(dir, "in.txt"), "input")
	for _, c := range []struct {
		name   string
		before string // content that Gaze has written
		force  bool
		happen func()
		keep   string // "" if it is replaced
	}{
		{"nothing", "", false, func() {}, ""},
		{"a file appears", "", false, func() { put(t, path, "theirs") }, "theirs"},
		{"a file appears, by force", "", true, func() { put(t, path, "theirs") }, ""},
		{"a link appears", "", false, func() { link(t, os.Symlink, filepath.Join(dir, "absent"), path) }, "-"},
		{"it is edited", "old", false, func() { put(t, path, "edited") }, "edited"},
		{"it is replaced", "old", false, func() {
			if err := os.Rename(put(t, path+"2", "old"), path); err != nil {
				t.Fatal(err)
			}
		}, "old"},
		{"it is removed", "old", false, func() { os.Remove(path) }, ""},
		{"it becomes a link to the input", "", true, func() { link(t, os.Symlink, input, path) }, "input"},
		{"it becomes the input", "", true, func() { link(t, os.Link, input, path) }, "input"},
	} {
		os.Remove(path)
		if c.before != "" {
			if err := ready(t, false, path).WriteBytes(path, []byte(c.before)); err != nil {
				t.Fatal(err)
			}
		}
		p := New(c.force)
		p.Reads(input)
		p.Writes(path, "-o")
		if err := p.Check(); err != nil {
			t.Fatal(err)
		}
		err := p.Write(path, func(w io.Writer) error {
			c.happen()
			_, err := io.WriteString(w, "new")
			return err
		})
		if c.keep == "" {
			if err != nil || text(t, path) != "new" {
				t.Errorf("%s: %v", c.name, err)
			}
			continue
		}
		if err == nil {
			t.Errorf("%s: it was written", c.name)
		}
		if c.keep != "-" && text(t, path) != c.keep {
			t.Errorf("%s: it holds %q", c.name, text(t, path))
		}
		if left, _ := filepath.Glob(filepath.Join(dir, ".gaze*")); len(left) > 0 {
			t.Errorf("%s: left behind %q", c.name, left)
		}
	}
}

// TestPlaces checks outputs whose path can't become a file.
func TestPlaces(t *testing.T) {
	t.Setenv("GAZE_CACHE", t.TempDir())
	dir := t.TempDir()
	t.Chdir(dir)
	put(t, "file", "")
	put(t, "folder/in it", "")
	link(t, os.Symlink, "nowhere", "dangling")
	for _, c := range []struct{ path, says string }{
		{"folder", "it is a folder"},
		{"folder/", "a folder"},
		{"new.txt/", "doesn't end in /"},
		{"file/out.txt", "not a"},
		{"file/deep/out.txt", "not a"},
		{"dangling/out.txt", "leads nowhere"},
		{"new/deep/out.txt", ""},
	} {
		p := New(true)
		p.WritesStream(c.path, "-o")
		err := p.Check()
		if c.says == "" && err != nil || c.says != "" && (err == nil || !strings.Contains(err.Error(), c.says)) {
			t.Errorf("%s: %v, want %q", c.path, err, c.says)
		}
	}
	if _, err := os.Lstat("new"); err == nil {
		t.Error("Check created a folder")
	}
	if os.Geteuid() != 0 {
		if err := os.Chmod("folder", 0o555); err != nil {
			t.Fatal(err)
		}
		p := New(false)
		p.Writes("folder/out.txt", "-o")
		if err := p.Check(); err == nil || !strings.Contains(err.Error(), "no file can be created in folder") {
			t.Errorf("a folder that is write-protected: %v", err)
		}
		_ = os.Chmod("folder", 0o755)
	}
	if err := ready(t, false, "a.txt").WriteBytes("b.txt", nil); err == nil {
		t.Error("a file was written that isn't in the plan")
	}
}

// TestRemove checks that Remove removes files that Gaze wrote, and no others.
func TestRemove(t *testing.T) {
	t.Setenv("GAZE_CACHE", t.TempDir())
	path := filepath.Join(t.TempDir(), "out.txt")
	if err := ready(t, false, path).WriteBytes(path, []byte("x")); err != nil {
		t.Fatal(err)
	}
	p := ready(t, false, path)
	for range 2 {
		if err := p.Remove(path); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := os.Lstat(path); err == nil {
		t.Error("it is still there")
	}
	p = ready(t, false, path)
	put(t, path, "theirs")
	if err := p.Remove(path); err == nil || text(t, path) != "theirs" {
		t.Errorf("a file that has appeared: %v", err)
	}
}

// TestFailingWriter checks that a failing writer leaves no file behind.
func TestFailingWriter(t *testing.T) {
	t.Setenv("GAZE_CACHE", t.TempDir())
	path := filepath.Join(t.TempDir(), "out.txt")
	full := errors.New("disk full")
	err := ready(t, false, path).Write(path, func(w io.Writer) error {
		_, err := w.Write(bytes.Repeat([]byte("x"), 100))
		return errors.Join(err, full)
	})
	if !errors.Is(err, full) {
		t.Error(err)
	}
	if list, _ := os.ReadDir(filepath.Dir(path)); len(list) > 0 {
		t.Errorf("left behind %v", list)
	}
}
