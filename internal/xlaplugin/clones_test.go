package xlaplugin

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"
)

// newClone creates a folder with Gaze's go.mod.
func newClone(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "go.mod"), []byte("module gaze\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestClones(t *testing.T) {
	cache := filepath.Join(t.TempDir(), "not", "there")
	if got := Clones(cache); got != nil {
		t.Errorf("without a cache: %q", got)
	}
	first, second := newClone(t), newClone(t)
	if err := Remember(cache, first); err != nil {
		t.Fatal(err)
	}
	old := time.Now().Add(-time.Hour)
	for _, n := range notes(cache) {
		if err := os.Chtimes(n.file, old, old); err != nil {
			t.Fatal(err)
		}
	}
	if err := Remember(cache, second); err != nil {
		t.Fatal(err)
	}
	if got := Clones(cache); !slices.Equal(got, []string{second, first}) {
		t.Errorf("the later one isn't first: %q", got)
	}
	if err := Remember(cache, first); err != nil {
		t.Fatal(err)
	}
	if got := Clones(cache); !slices.Equal(got, []string{first, second}) {
		t.Errorf("set up again, it isn't first: %q", got)
	}
	// A clone that was removed, or whose folder now holds something else, isn't listed.
	// The next set-up removes the note of the removed one.
	if err := os.Remove(filepath.Join(first, "go.mod")); err != nil {
		t.Fatal(err)
	}
	if got := Clones(cache); !slices.Equal(got, []string{second}) {
		t.Errorf("with a clone gone: %q", got)
	}
	if err := Remember(cache, second); err != nil {
		t.Fatal(err)
	}
	if left := notes(cache); len(left) != 1 {
		t.Errorf("%d notes left", len(left))
	}
	if err := Remember(cache, t.TempDir()); err == nil {
		t.Error("a folder that is no clone was noted")
	}
}

// TestStrangeNotes checks that files that aren't notes are ignored.
func TestStrangeNotes(t *testing.T) {
	cache, clone := t.TempDir(), newClone(t)
	if err := Remember(cache, clone); err != nil {
		t.Fatal(err)
	}
	dir := clonesFolder(cache)
	for name, text := range map[string]string{
		"empty": "", "relative": "here\n", "two": clone + "\n" + clone + "\n", "nul": "/\x00\n", ".gaze-1.tmp": clone, "long": "/" + string(make([]byte, 1<<17)),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.MkdirAll(filepath.Join(dir, "folder"), 0o755); err != nil {
		t.Fatal(err)
	}
	if got := Clones(cache); !slices.Equal(got, []string{clone}) {
		t.Errorf("listed: %q", got)
	}
	if os.Geteuid() == 0 {
		foreign := filepath.Join(dir, "foreign")
		if err := os.WriteFile(foreign, []byte(newClone(t)+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
		if err := os.Chown(foreign, 12345, -1); err != nil {
			t.Skip(err)
		}
		if got := Clones(cache); !slices.Equal(got, []string{clone}) {
			t.Errorf("another user's note counts: %q", got)
		}
	}
}

// TestRememberAtOnce checks that concurrent set-ups of several clones keep all notes.
func TestRememberAtOnce(t *testing.T) {
	cache := t.TempDir()
	var wait sync.WaitGroup
	errs := make([]error, 8)
	for i := range errs {
		clone := newClone(t)
		wait.Go(func() { errs[i] = Remember(cache, clone) })
	}
	wait.Wait()
	if got := Clones(cache); len(got) != len(errs) || fmt.Sprint(errs) != fmt.Sprint(make([]error, len(errs))) {
		t.Errorf("%d clones, %v", len(got), errs)
	}
}

// TestReadOnlyCache checks that a cache that can't be written is an error, not a panic.
func TestReadOnlyCache(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := Remember(file, newClone(t)); err == nil {
		t.Error("noted in a file")
	}
}

func FuzzNote(f *testing.F) {
	f.Add([]byte("/clone\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		cache := t.TempDir()
		if err := os.MkdirAll(clonesFolder(cache), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(clonesFolder(cache), "x"), text, 0o644); err != nil {
			t.Fatal(err)
		}
		for _, clone := range Clones(cache) {
			if !filepath.IsAbs(clone) {
				t.Errorf("%q", clone)
			}
		}
	})
}
