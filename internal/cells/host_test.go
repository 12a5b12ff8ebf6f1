package cells

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"
)

func TestFingerprint(t *testing.T) {
	dir := t.TempDir()
	single := filepath.Join(t.TempDir(), "go.mod")
	write(t, single, "module x")
	write(t, filepath.Join(dir, "a.go"), "package a")
	folders := []string{dir, single}
	last := fingerprint(folders)
	for _, test := range []struct {
		name string
		do   func() error
		same bool
	}{
		{"nothing", func() error { return nil }, true},
		{"a test", func() error { return os.WriteFile(filepath.Join(dir, "a_test.go"), nil, 0o600) }, true},
		{"an editor's file", func() error { return os.WriteFile(filepath.Join(dir, ".a.go.swp"), nil, 0o600) }, true},
		{"a new file", func() error { return os.WriteFile(filepath.Join(dir, "b.go"), nil, 0o600) }, false},
		{"the same size", func() error { return os.Chtimes(filepath.Join(dir, "a.go"), time.Time{}, time.Now().Add(-time.Hour)) }, false},
		{"go.mod", func() error { return os.WriteFile(single, []byte("module xy"), 0o600) }, false},
		{"no go.mod", func() error { return os.Remove(single) }, false},
		{"no folder", func() error { return os.RemoveAll(dir) }, false},
	} {
		if err := test.do(); err != nil {
			t.Fatal(err)
		}
		now := fingerprint(folders)
		if (now == last) != test.same {
			t.Errorf("%s: the same: %v", test.name, now == last)
		}
		last = now
	}
}

func TestChangedSince(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a.go")
	write(t, path, "package a")
	for _, test := range []struct {
		name    string
		written time.Duration // from the beginning
		changed bool
	}{
		{"before", -time.Second, false},
		{"during", time.Second, true},
		{"a clock that went wrong", 48 * time.Hour, false},
	} {
		begin := time.Now().Add(-10 * time.Second)
		if err := os.Chtimes(path, time.Time{}, begin.Add(test.written)); err != nil {
			t.Fatal(err)
		}
		if got := changedSince([]string{dir}, begin); got != test.changed {
			t.Errorf("%s: %v", test.name, got)
		}
	}
}

// What killed builds have left goes; what is being built, and used hosts, stay.
func TestPrune(t *testing.T) {
	dir := t.TempDir()
	for name, age := range map[string]time.Duration{
		"0123": 0, "4567": time.Hour, "89ab": 48 * time.Hour, "cdef": 72 * time.Hour,
		fmt.Sprintf("building-%d-1", os.Getpid()): time.Hour,
		"building-99999999-2":                     time.Hour,
		"building-99999999-3":                     time.Second,
	} {
		path := filepath.Join(dir, name)
		if err := errors.Join(os.Mkdir(path, 0o700), os.Chtimes(path, time.Time{}, time.Now().Add(-age))); err != nil {
			t.Fatal(err)
		}
	}
	prune(dir)
	var left []string
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		left = append(left, e.Name())
	}
	want := []string{"0123", "4567", "89ab", fmt.Sprintf("building-%d-1", os.Getpid()), "building-99999999-3"}
	if fmt.Sprint(left) != fmt.Sprint(want) {
		t.Errorf("left %v, want %v", left, want)
	}
}

// A host that couldn't be built is tried again when the sources have changed, and not
// before.
func TestBuildsAgainAfterAnError(t *testing.T) {
	root := t.TempDir()
	if err := os.MkdirAll(filepath.Join(root, "pkg", "a"), 0o700); err != nil {
		t.Fatal(err)
	}
	b := &Builder{tools: &toolchain{root: root, goCommand: "/bin/false"}, folder: t.TempDir(), log: t.Logf}
	b.closed, b.close = context.WithCancel(context.Background())
	builds := func() (began bool) {
		_, err := b.ready(context.Background())
		if err == nil {
			t.Fatal("/bin/false has built a host")
		}
		return !errors.Is(err, errUnfit)
	}
	if !builds() {
		t.Error("no host was begun")
	}
	if builds() {
		t.Error("the same error, again")
	}
	write(t, filepath.Join(root, "pkg", "a", "a.go"), "package a")
	if !builds() {
		t.Error("no host was begun after the change")
	}
	b.mu.Lock()
	b.again = time.Now()
	b.mu.Unlock()
	if !builds() {
		t.Error("no host was begun after a while")
	}
	b.Close()
	if left, _ := filepath.Glob(filepath.Join(b.folder, "*")); len(left) > 0 {
		t.Errorf("it left %v", left)
	}
}
