package outputs

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// TestDamagedRecord checks that a damaged record loses only its damaged lines.
func TestDamagedRecord(t *testing.T) {
	cache, dir := t.TempDir(), t.TempDir()
	t.Setenv("GAZE_CACHE", cache)
	paths := make([]string, 3)
	for i := range paths {
		paths[i] = filepath.Join(dir, fmt.Sprintf("%d \"odd\"\n.txt", i))
		if err := ready(t, false, paths[i]).WriteBytes(paths[i], []byte{byte(i)}); err != nil {
			t.Fatal(err)
		}
	}
	files, err := filepath.Glob(filepath.Join(cache, "outputs", "*"+recordEnding))
	if err != nil || len(files) != 1 {
		t.Fatalf("%q, %v", files, err)
	}
	good := text(t, files[0])
	whose := func() (list []verdict) {
		r := openRecord()
		for _, path := range paths {
			info, err := os.Lstat(path)
			if err != nil {
				t.Fatal(err)
			}
			list = append(list, r.find(filepath.Join(RealPath(dir), filepath.Base(path)), path, info))
		}
		return list
	}
	lines := strings.SplitAfter(strings.TrimSuffix(good, "\n"), "\n")
	for _, c := range []struct {
		name, text string
		want       []verdict
	}{
		{"whole", good, []verdict{ours, ours, ours}},
		{"empty", "", []verdict{stranger, stranger, stranger}},
		{"cut", good[:len(good)-5], []verdict{ours, ours, stranger}},
		{"a long line of nonsense", lines[0] + lines[1] + strings.Repeat("\x00x", 1<<20) + "\n" + lines[2] + lines[3], []verdict{ours, ours, ours}},
		{"another folder's", strings.Replace(good, head(RealPath(dir)), head("/elsewhere"), 1), []verdict{stranger, stranger, stranger}},
		{"another sum", strings.Replace(good, good[len(lines[0]):len(lines[0])+4], "0000", 1), []verdict{changed, ours, ours}},
	} {
		put(t, files[0], c.text)
		if got := whose(); fmt.Sprint(got) != fmt.Sprint(c.want) {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
	// A line after a partial line is still read.
	put(t, files[0], good[:len(good)-5])
	if err := ready(t, false, paths[0]).WriteBytes(paths[0], []byte("new")); err != nil {
		t.Fatal(err)
	}
	if got := whose(); got[0] != ours || got[1] != ours {
		t.Errorf("after half a line: %v", got)
	}
}

// TestRecordIsBounded checks that many versions or many folders don't fill the cache.
func TestRecordIsBounded(t *testing.T) {
	cache, dir := t.TempDir(), t.TempDir()
	t.Setenv("GAZE_CACHE", cache)
	r := openRecord()
	canon := filepath.Join(RealPath(dir), "out.txt")
	for i := range 1000 {
		if err := r.add(canon, entry{size: int64(i)}); err != nil {
			t.Fatal(err)
		}
	}
	if info, err := os.Stat(r.file(RealPath(dir))); err != nil || info.Size() > 20_000 {
		t.Errorf("1000 versions take %d bytes (%v)", info.Size(), err)
	}
	old := time.Now().Add(-time.Hour)
	for i := range maxRecordFolders {
		file := put(t, filepath.Join(r.dir, fmt.Sprintf("%032x", i)+recordEnding), head(dir))
		if i == 0 {
			old = old.Add(-time.Hour)
		}
		if err := os.Chtimes(file, old, old); err != nil {
			t.Fatal(err)
		}
	}
	gone := put(t, filepath.Join(r.dir, "gone"+recordEnding), head(filepath.Join(dir, "gone")))
	next := filepath.Join(t.TempDir(), "x")
	if err := ready(t, false, next).WriteBytes(next, nil); err != nil {
		t.Fatal(err)
	}
	list, err := os.ReadDir(r.dir)
	if err != nil || len(list) > maxRecordFolders {
		t.Errorf("%d files (%v)", len(list), err)
	}
	for path, there := range map[string]bool{
		gone: false, filepath.Join(r.dir, fmt.Sprintf("%032x", 0)+recordEnding): false, r.file(RealPath(dir)): true,
	} {
		if _, err := os.Stat(path); (err == nil) != there {
			t.Errorf("%s: %v", path, err)
		}
	}
}

// TestRecordTogether checks that concurrent writers lose no lines, even while one of them
// compacts the record.
func TestRecordTogether(t *testing.T) {
	t.Setenv("GAZE_CACHE", t.TempDir())
	dir := RealPath(t.TempDir())
	var all sync.WaitGroup
	for w := range 4 {
		all.Go(func() {
			r := openRecord()
			for i := range 150 {
				if err := r.add(filepath.Join(dir, fmt.Sprint("shared ", w%2)), entry{size: int64(i)}); err != nil {
					t.Error(err)
				}
			}
			if err := r.add(filepath.Join(dir, fmt.Sprint("own ", w)), entry{size: int64(w)}); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	f := openRecord().folder(dir)
	for w := range 4 {
		if list := f.names[fmt.Sprint("own ", w)]; len(list) != 1 || list[0].size != int64(w) {
			t.Errorf("own %d: %v", w, list)
		}
	}
}

// FuzzRecord checks that any bytes can be parsed as a record, without more entries than
// lines.
func FuzzRecord(f *testing.F) {
	good := entry{size: 12, sum: sha256.Sum256([]byte("x"))}
	f.Add([]byte(head("/a") + good.line("cat.png") + good.line("a\nb \"c\"")))
	f.Add([]byte("00 1 \"x\"\n# outputs in \"/b\"\n\x00\xff"))
	f.Fuzz(func(t *testing.T, text []byte) {
		r := parseFolder(text, "/a")
		if n := bytes.Count(text, []byte("\n")) + 1; len(r.names) > n {
			t.Errorf("%d names in %d lines", len(r.names), n)
		}
		for name, list := range r.names {
			if len(list) == 0 || len(list) > maxVersions {
				t.Errorf("%q has %d versions", name, len(list))
			}
			for _, e := range list {
				if back, same, ok := parseLine(strings.TrimSuffix(e.line(name), "\n")); !ok || back != name || same != e {
					t.Errorf("%q, %v reads as %q, %v, %t", name, e, back, same, ok)
				}
			}
		}
	})
}
