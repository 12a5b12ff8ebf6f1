package completion

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// tinyClone is a module with one package, as small as a clone can be.
func tinyClone(t *testing.T) string {
	t.Helper()
	root := t.TempDir()
	write(t, filepath.Join(root, "go.mod"), "module tiny\n\ngo 1.26.0\n")
	write(t, filepath.Join(root, "pkg", "one", "one.go"), onePackage)
	write(t, filepath.Join(root, "pkg", "one", "one_test.go"), "package one\n\nfunc FromATest() {}\n")
	write(t, filepath.Join(root, "pkg", "internal", "hidden", "hidden.go"), "package hidden\n\nfunc Hidden() {}\n")
	return root
}

const onePackage = `// Package one is one.
package one

// First is the first.
func First(count int) string { return "" }

type Second struct{ Field int }

const Third, fourth = 3, 4

var Fifth []int

func (Second) Method() {}
`

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// matches are those of a cell with its cursor at |.
func matches(t *testing.T, c *Completer, cell string) []string {
	t.Helper()
	code, cursor := marked(t, cell)
	got, ok := c.Complete(code, cursor)
	if !ok {
		t.Fatalf("no answer for %q", cell)
	}
	return got.Matches
}

// eventually fails unless a condition comes true.
func eventually(t *testing.T, what string, condition func() bool) {
	t.Helper()
	for end := time.Now().Add(time.Minute); !condition(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("in a minute %s", what)
		}
	}
}

func TestWithoutGopls(t *testing.T) {
	c := New(Options{Root: tinyClone(t), Gopls: filepath.Join(t.TempDir(), "gopls"), Dir: t.TempDir()})
	defer c.Close()
	c.Observe("func earlier() {}", true)
	c.Observe("func broken() {}", false)
	for _, test := range []struct {
		code string
		want []string
	}{
		{"%%\none.|", []string{"First", "Second", "Third", "Fifth"}},
		{"%%\none.F|", []string{"First", "Fifth"}},
		{"import two \"tiny/pkg/one\"\n%%\ntwo.S|", []string{"Second"}},
		{"%%\nstrings.ToUpperS|", []string{"ToUpperSpecial"}},
		{"%%\nearl|", []string{"earlier"}},
		{"%%\nbrok|", nil},
		{"%%\nretur|", []string{"return"}},
		{"%%\non|", []string{"one"}},
		{"%%\nhidden.|", nil},
		{"%%\nx.y.|", nil},
		{"import \"tiny/|", []string{"tiny/pkg/one"}},
		{"%rm e|", []string{"earlier"}},
		{"%cd x|", nil},
		{"!l|", nil},
		{"%%bash\nl|", nil},
	} {
		if got := matches(t, c, test.code); !slices.Equal(got, test.want) && len(got)+len(test.want) > 0 {
			t.Errorf("%q: %q, want %q", test.code, got, test.want)
		}
	}
	for code, want := range map[string]string{
		"%%\none.Fi|rst(3)":  "func First(count int) string\n\n---\n\nFirst is the first.",
		"%%\none.Second|":    "type Second struct{ Field int }\n\n---",
		"%%\n_ = one.Fi|fth": "var Fifth []int\n\n---",
		"%%\none.First(|":    "func First(count int) string\n\n---\n\nFirst is the first.",
		"%%\none.Nothing|":   "",
		"%%\none|":           "",
		"%%\nx.y.z|":         "",
		"|":                  "",
		"!ls|":               "",
	} {
		cell, cursor := marked(t, code)
		got, ok := c.Inspect(cell, cursor, 0)
		text, _ := got.Data["text/plain"].(string)
		if ok != (want != "") || strings.TrimSpace(text) != strings.TrimSuffix(want, "\n\n---") {
			t.Errorf("%q: %v, %q, want %q", code, ok, text, want)
		}
	}
	if err := c.Ready(t.Context()); err == nil {
		t.Error("ready without gopls")
	}
}

func TestObserve(t *testing.T) {
	root := tinyClone(t)
	c := New(Options{Root: root, Gopls: findGopls(t), Dir: t.TempDir(), Wait: 20 * time.Second})
	defer c.Close()
	if err := c.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct {
		name, run  string
		ok         bool
		code, want string
		none       bool
	}{
		{"a cell that ran", "type pair struct{ left int }\nfunc make2() pair { return pair{} }", true, "%%\nmake2().|", "left", false},
		{"edited and run again", "type pair struct{ right int }", true, "%%\nmake2().r|", "right", false},
		{"its old field is gone", "", false, "%%\nmake2().le|", "left", true},
		{"a cell that failed", "func make3() pair { return 3 }", false, "%%\nmake3|", "make3", true},
		{"a new import", "import zip2 \"archive/zip\"", true, "%%\nzip2.Op|", "OpenReader", false},
		{"removed", "%rm make2", true, "%%\nmake2|", "make2", true},
	} {
		if step.run != "" {
			c.Observe(step.run, step.ok)
		}
		if got := matches(t, c, step.code); slices.Contains(got, step.want) == step.none {
			t.Errorf("%s: %q", step.name, got)
		}
	}
	c.Forget()
	if got := matches(t, c, "%%\nvar x pai|"); slices.Contains(got, "pair") {
		t.Errorf("after Forget: %q", got)
	}

	write(t, filepath.Join(root, "pkg", "one", "one.go"), onePackage+"\nfunc Sixth() {}\n")
	c.Observe("%%\n", true) // any cell: files are looked at when one has run
	eventually(t, "the new function of an edited file isn't completed", func() bool {
		return slices.Contains(matches(t, c, "%%\none.Si|"), "Sixth")
	})
}

func TestGoplsEnds(t *testing.T) {
	dir := t.TempDir()
	c := New(Options{Root: tinyClone(t), Gopls: findGopls(t), Dir: dir})
	if err := c.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	c.mu.Lock()
	first := c.server
	c.mu.Unlock()
	first.kill()
	eventually(t, "gopls isn't started again", func() bool {
		c.mu.Lock()
		defer c.mu.Unlock()
		return c.server != nil && c.server != first
	})
	if got := matches(t, c, "%%\nx := one.Second{}\nx.|"); !slices.Contains(got, "Method") {
		t.Errorf("after gopls ended: %q", got)
	}
	c.mu.Lock()
	second := c.server.cmd.Process.Pid
	c.mu.Unlock()
	c.Close()
	if err := syscall.Kill(second, 0); err == nil {
		t.Error("gopls still runs after Close")
	}
	if left, _ := os.ReadDir(dir); len(left) > 0 {
		t.Errorf("%v is left after Close", left)
	}
	matches(t, c, "%%\none.Fi|") // doesn't hang
}

func TestDeadline(t *testing.T) {
	// A program that reads, but never answers.
	silent := filepath.Join(t.TempDir(), "gopls")
	write(t, silent, "#!/bin/sh\nexec cat >/dev/null\n")
	if err := os.Chmod(silent, 0o755); err != nil {
		t.Fatal(err)
	}
	c := New(Options{Root: tinyClone(t), Gopls: silent, Dir: t.TempDir(), Wait: 50 * time.Millisecond})
	defer c.Close()
	begin := time.Now()
	if got := matches(t, c, "%%\nx.|"); len(got) > 0 {
		t.Errorf("matches of something unknown: %q", got)
	}
	if _, ok := c.Inspect("%%\nx.y", 4, 0); ok {
		t.Error("an answer from a silent program")
	}
	if took := time.Since(begin); took > 5*time.Second {
		t.Errorf("two answers took %v, the time-out is 0.05 s", took)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := c.Ready(ctx); err == nil {
		t.Error("ready without an answer")
	}
}

func TestLateAnswerIsKept(t *testing.T) {
	c := New(Options{Root: tinyClone(t), Gopls: findGopls(t), Dir: t.TempDir(), Wait: time.Nanosecond})
	defer c.Close()
	if err := c.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	const code = "%%\nvalue := one.Second{}\nvalue.|"
	matches(t, c, code) // too late for this one
	eventually(t, "the late answer isn't there", func() bool {
		c.mu.Lock()
		defer c.mu.Unlock()
		return len(c.cache.keys) > 0
	})
	if got := matches(t, c, code); !slices.Contains(got, "Method") {
		t.Errorf("second press: %q", got)
	}
	if got := matches(t, c, strings.Replace(code, "|", "Me|", 1)); !slices.Equal(got, []string{"Method"}) {
		t.Errorf("with more letters: %q", got)
	}
}
