package main

import (
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"gaze/internal/meter"
	"gaze/pkg/hub"
)

// TestRecursive: subfolders, including linked ones, are read once each; results keep
// the folders, and files of an earlier run aren't read.
func TestRecursive(t *testing.T) {
	shareCache(t)
	workplace(t)
	for _, path := range []string{"set/cat.png", "set/a/cat.png", "set/a/b/cat.png", "set/.hidden/cat.png"} {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		plain(t, path, 100)
	}
	linked(t, os.Symlink, "..", "set/a/up")
	args := []string{"attend", "--model", "model", "--svg", "--npy", "-r", "-o", "set/out", "set"}
	for range 2 {
		status, _, log := gaze(t, args...)
		if status != 0 || !strings.Contains(log, "3 of 3 pictures done") {
			t.Fatalf("exit status %d: %s", status, log)
		}
	}
	var found []string
	for name := range contents(t, "set/out") {
		if filepath.Ext(name) != "" && name != "." {
			found = append(found, filepath.ToSlash(name))
		}
	}
	slices.Sort(found)
	if want := []string{"a/b/cat.npy", "a/b/cat.svg", "a/cat.npy", "a/cat.svg", "cat.npy", "cat.svg"}; !slices.Equal(found, want) {
		t.Errorf("%q, want %q", found, want)
	}
	rows := parseCSV(t, ok(t, "classify", "--model", "model", "-r", "set"))
	var names []string
	for _, row := range rows[1:] {
		names = append(names, row[0])
	}
	if want := []string{"a/b/cat.png", "a/cat.png", "cat.png"}; !slices.Equal(names, want) {
		t.Errorf("%q, want %q", names, want)
	}
	status, out, log := gaze(t, "classify", "--model", "model", "set/cat.png", "set/a/cat.png")
	if status != 0 || strings.Count(out, "cat.png") != 2 || !strings.Contains(log, "several pictures are called cat.png") {
		t.Errorf("equal names: exit status %d, %s%s", status, out, log)
	}
	if status, _, log := gaze(t, "classify", "--model", "model", "set/a/b/.."); status != 0 {
		t.Errorf("exit status %d: %s", status, log)
	}
	if err := os.Mkdir("above", 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename("set", "above/set"); err != nil {
		t.Fatal(err)
	}
	if status, _, log := gaze(t, "classify", "--model", "model", "above"); status != 1 || !strings.Contains(log, "--recursive") {
		t.Errorf("a folder of folders: exit status %d: %s", status, log)
	}
}

// TestFiguresAmongPhotographs: figures aren't written into a folder that is searched for
// pictures.
func TestFiguresAmongPhotographs(t *testing.T) {
	shareCache(t)
	for _, c := range []struct {
		args   []string
		status int
	}{
		{[]string{"-o", "set", "set"}, 2},
		{[]string{"-o", "set/../set", "-r", "set"}, 2},
		{[]string{"-o", "same", "set"}, 2},
		{[]string{"-o", ".", "-r", "set", "photos"}, 2},
		{[]string{"-o", "set", "--svg", "set"}, 0},
		{[]string{"-o", "set", "set/cat.jpg"}, 0},
		{[]string{"-o", "set/figures", "set"}, 0},
	} {
		workplace(t)
		if err := os.Mkdir("set", 0o755); err != nil {
			t.Fatal(err)
		}
		plain(t, "set/cat.jpg", 3) // a PNG by content
		linked(t, os.Symlink, "set", "same")
		before := contents(t, ".")
		status, _, log := gaze(t, append([]string{"attend", "--model", "model"}, c.args...)...)
		if status != c.status {
			t.Errorf("%q: exit status %d, want %d: %s", c.args, status, c.status, log)
		}
		if status != 0 {
			unchanged(t, before, contents(t, "."))
		}
	}
}

// TestPathsOnStandardInput: a list may have any system's line endings, or NULs; paths
// that can't be read are named, the others are processed.
func TestPathsOnStandardInput(t *testing.T) {
	shareCache(t)
	workplace(t)
	plain(t, "photos/new\nline.png", 1)
	plain(t, "photos/blank.png ", 1)
	for _, c := range []struct {
		stdin  string
		args   []string
		status int
		rows   []string
		says   string
	}{
		{"photos/cat.png\nphotos/dog.png\n", []string{"-"}, 0, []string{"cat.png", "dog.png"}, ""},
		{"\xEF\xBB\xBFphotos/cat.png\r\n\r\nphotos/dog.png", []string{"-"}, 0, []string{"cat.png", "dog.png"}, ""},
		{"photos/dog.png", []string{"photos/cat.png", "-"}, 0, []string{"cat.png", "dog.png"}, ""},
		{"photos", []string{"-"}, 0, []string{"cat.png", "dog.png", "new\nline.png"}, "blank.png "},
		{"photos/new\nline.png\x00photos/cat.png\x00", []string{"-0", "-"}, 0, []string{"cat.png", "new\nline.png"}, ""},
		{"photos/cat.png\rphotos/dog.png\r\r", []string{"-"}, 0, []string{"cat.png", "dog.png"}, ""},
		{"photos/cat.png \n\t photos/dog.png\t\r\n  \r\n", []string{"-"}, 0, []string{"cat.png", "dog.png"}, ""},
		{"photos/blank.png \n", []string{"-"}, 0, []string{"blank.png "}, ""},
		{"photos/cat.png \x00", []string{"-0", "-"}, 1, nil, "photos/cat.png "},
		{"photos/gone.png\nphotos/cat.png\n", []string{"-"}, 1, []string{"cat.png"}, "photos/gone.png"},
		{"photos/gone.png\n", []string{"-"}, 1, nil, "no picture could be processed: 1 of 1 failed"},
		{"photos/cat.png\n", []string{"-", "photos/gone.png"}, 1, nil, "photos/gone.png"},
		{"\n \n", []string{"-"}, 1, nil, ""},
		{"", []string{"-"}, 1, nil, "no paths"},
		{"photos/cat.png", []string{"-", "-"}, 2, nil, "once"},
	} {
		status, out, log := gazeWith(t, c.stdin, append([]string{"classify", "--model", "model"}, c.args...)...)
		if status != c.status || !strings.Contains(log, c.says) {
			t.Errorf("%q %q: exit status %d, %s", c.stdin, c.args, status, log)
		}
		var names []string
		if out != "" {
			for _, row := range parseCSV(t, out)[1:] {
				names = append(names, row[0])
			}
		}
		if !slices.Equal(names, c.rows) {
			t.Errorf("%q %q: rows %q, want %q", c.stdin, c.args, names, c.rows)
		}
	}
	// The wait for a list can be interrupted.
	ctx, cancel := context.WithCancel(context.Background())
	in, end := io.Pipe()
	defer end.Close()
	time.AfterFunc(50*time.Millisecond, cancel)
	var out, log bytes.Buffer
	if status := runWith(ctx, []string{"classify", "--model", "model", "-"}, in, &out, &log); status != 1 || !strings.Contains(log.String(), "interrupted") {
		t.Errorf("exit status %d, %s", status, log.String())
	}
	// A file called - can be named as ./-.
	plain(t, "-", 5)
	if out := ok(t, "classify", "--model", "model", "./-"); !strings.Contains(out, "\n-,") {
		t.Errorf("a file called -: %q", out)
	}
}

// TestFullDevice: if results can't be written, the command stops at the first one,
// blames no picture, and leaves no partial file.
func TestFullDevice(t *testing.T) {
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skip(err)
	}
	defer full.Close()
	shareCache(t)
	for _, args := range [][]string{
		{"classify", "--model", "model", "--logits", "out/l.npy", "photos"},
		{"classify", "--model", "model", "--json", "photos"},
		{"augment", "--pipeline", "hflip", "-o", "out/grid.png", "photos"},
		{"caption", "--model", hub.LaptopCaptioner, "--max-tokens", "1", "-o", "out", "photos"},
	} {
		workplace(t)
		c := command(t, args...)
		var log bytes.Buffer
		c.Stdout, c.Stderr = full, &log
		_ = c.Run() // its status is looked at
		text := log.String()
		if status := c.ProcessState.ExitCode(); status != 1 || !strings.Contains(text, "no space left on device") || strings.Contains(text, "failed:") || strings.Count(text, "no space") != 1 {
			t.Errorf("%q: exit status %d, %s", args, status, text)
		}
		for _, file := range []string{"out/l.npy", "out/grid.png"} {
			if exists(file) {
				t.Errorf("%q: %s is written", args, file)
			}
		}
	}
}

// TestSummary: the summary counts pictures done, failed and skipped, with reasons; with
// -q there is none.
func TestSummary(t *testing.T) {
	shareCache(t)
	workplace(t)
	write(t, "photos/broken.png", "no picture")
	write(t, "photos/empty.jpg", "")
	write(t, "photos/empty2.jpg", "")
	write(t, "photos/.hidden", "")
	write(t, "photos/"+hub.RecordName, "{}")
	write(t, "photos/drawing.psd", "8BPS\x00\x01")
	for _, name := range []string{"a", "b", "c", "d", "e"} {
		write(t, "photos/"+name+".txt", "")
	}
	args := []string{"classify", "--model", "model", "-o", "photos/pred.csv", "photos"}
	for range 2 { // pred.csv is never named as skipped
		status, _, log := gaze(t, args...)
		if status != 1 {
			t.Errorf("exit status %d", status)
		}
		for _, want := range []string{
			"gaze: photos/broken.png: not a picture", "gaze: 2 of 5 pictures done in ", "pictures/s\n",
			"gaze: failed: broken.png: not a picture", "gaze: failed: empty.jpg, empty2.jpg: not a picture that can be read: the file is empty",
			"gaze: skipped 5 files that aren't pictures: a.txt, b.txt, c.txt and 2 more\n",
			"gaze: skipped 1 file (it is a Photoshop document: export it as JPEG or PNG): drawing.psd\n",
			"gaze: 3 of 5 pictures failed (the first: photos/broken.png); the others are done\n",
		} {
			if !strings.Contains(log, want) {
				t.Errorf("%q isn't said:\n%s", want, log)
			}
		}
		for _, not := range []string{"pred.csv", ".hidden", hub.RecordName, "\r", "\x1b"} {
			if strings.Contains(log, not) {
				t.Errorf("%q is said:\n%s", not, log)
			}
		}
	}
	_, _, log := gaze(t, append(args, "-q")...)
	if strings.Contains(log, "done in") || strings.Contains(log, "skipped") || strings.Count(log, "broken.png") != 2 {
		t.Errorf("with -q:\n%s", log)
	}
	if status, _, log := gaze(t, "classify", "--model", "model", "photos/cat.png"); status != 0 || strings.Contains(log, "done") {
		t.Errorf("of one picture:\n%s", log)
	}
}

// TestLiveLine: on a terminal a line shows progress, and is erased before other output.
func TestLiveLine(t *testing.T) {
	shareCache(t)
	workplace(t)
	t.Setenv("TERM", "xterm")
	plain(t, "photos/bird.png", 20)
	write(t, "photos/broken.png", "no picture")
	old := isTerminal
	defer func() { isTerminal = old }()
	isTerminal = func(io.Writer) bool { return true }
	status, out, log := gaze(t, "classify", "--model", "model", "photos")
	if status != 1 || !strings.Contains(log, "\r\x1b[K0 of 4 pictures") || strings.Contains(out, "\x1b") {
		t.Errorf("exit status %d: %q, %q", status, out, log)
	}
	// The line is drawn and erased before the next output.
	if before, _, _ := strings.Cut(log, "gaze: photos/broken.png"); !strings.HasSuffix(before, "\r\x1b[K") {
		t.Errorf("a message runs into the live line: %q", log)
	}
	if !strings.HasSuffix(log, "\n") || strings.HasSuffix(strings.TrimSuffix(log, "\n"), "\r") {
		t.Errorf("the end: %q", log)
	}
	for _, quiet := range [][]string{{"TERM", "dumb"}, {"TERM", "xterm", "-q"}} {
		t.Setenv(quiet[0], quiet[1])
		if _, _, log := gaze(t, append([]string{"classify", "--model", "model", "photos"}, quiet[2:]...)...); strings.Contains(log, "\x1b") {
			t.Errorf("%q: %q", quiet, log)
		}
	}
	m := meter.New(10)
	if got := progress(0, 0, 10, m); got != "0 of 10 pictures" {
		t.Errorf("%q", got)
	}
	time.Sleep(time.Millisecond)
	m.At(4)
	if got := progress(3, 1, 10, m); !strings.HasPrefix(got, "4 of 10 pictures, 1 failed, ") || !strings.HasSuffix(got, "pictures/s, 0s left") {
		t.Errorf("%q", got)
	}
	if got := clip("猫猫猫 cat", 6); columnsOf(got) > 6 || !strings.HasSuffix(got, "…") {
		t.Errorf("%q", got)
	}
}

// TestInterruptedKeepsWhatIsDone: the summary says where the command stopped; an
// incomplete CSV gets a different name.
func TestInterruptedKeepsWhatIsDone(t *testing.T) {
	shareCache(t)
	workplace(t)
	write(t, "photos/dad.png", "no picture")
	interrupted := func(args ...string) string {
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		var out, log bytes.Buffer
		if status := run(ctx, args, &out, io.MultiWriter(&log, cancelOn{"dad.png", cancel})); status != 1 {
			t.Errorf("exit status %d", status)
		}
		return log.String()
	}
	log := interrupted("classify", "--model", "model", "-o", "p.csv", "photos")
	if !strings.Contains(log, "stopped: 1 of 3 pictures done") || !strings.Contains(log, "1 not started") || !strings.Contains(log, "p.csv.partial") || !strings.Contains(log, "gaze: interrupted\n") {
		t.Errorf("it says %s", log)
	}
	if rows := readCSV(t, "p.csv.partial"); len(rows) != 2 || rows[1][0] != "cat.png" {
		t.Errorf("kept %q", rows)
	}
	if _, err := os.Stat("p.csv"); err == nil {
		t.Error("a csv that is cut short passes for a whole one")
	}
	if status, _, log := gaze(t, "classify", "--model", "model", "-o", "p.csv", "photos"); status != 1 {
		t.Errorf("exit status %d: %s", status, log)
	}
	if _, err := os.Stat("p.csv.partial"); err == nil {
		t.Error("the part stays beside the whole")
	}
	log = interrupted("attend", "--model", "model", "--svg", "-o", "out", "photos")
	if _, err := os.Stat("out/cat.svg"); err != nil || !strings.Contains(log, "finished results are kept") {
		t.Errorf("%v: %s", err, log)
	}
}

// TestOddNames: results of pictures with odd names stay in their folder.
func TestOddNames(t *testing.T) {
	shareCache(t)
	workplace(t)
	names := []string{"..png", "...png", ".png", "-o.png", "a b.png", "no ending", "ünï.png"}
	var paths []string
	for _, name := range names {
		plain(t, "photos/"+name, 40)
		paths = append(paths, "photos/"+name)
	}
	ok(t, append([]string{"attend", "--model", "model", "--svg", "-o", "out/deep"}, paths...)...)
	list, err := os.ReadDir("out/deep")
	if err != nil || len(list) != len(names) {
		t.Errorf("%v, %v", list, err)
	}
	for _, above := range []string{"out", "."} {
		if found, _ := filepath.Glob(above + "/*.svg"); len(found) > 0 {
			t.Errorf("outside of its folder: %q", found)
		}
	}
}

// FuzzPathList: for any input, paths aren't empty and contain no separator, and no path
// is lost.
func FuzzPathList(f *testing.F) {
	f.Add([]byte("a.png\r\nb c.png\n\n"), false)
	f.Add([]byte("\xEF\xBB\xBFa\nb\x00c"), true)
	f.Add([]byte("a.png\rb.png\r\rc.png"), false)
	f.Fuzz(func(t *testing.T, text []byte, null bool) {
		end := "\n"
		if null {
			end = "\x00"
		}
		n := 0
		for _, path := range splitPaths(text, null) {
			if path == "" || strings.Contains(path, end) {
				t.Errorf("%q of %q", path, text)
			}
			n += len(path)
		}
		if !null && !bytes.Contains(text, []byte(end)) {
			end = "\r"
		}
		if seps := bytes.Count(text, []byte(end)); n+2*seps+4 < len(text) { // a CR for each, one at the end, a byte order mark
			t.Errorf("%d of %d bytes", n, len(text))
		}
	})
}
