package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestPosembedSize(t *testing.T) {
	for _, c := range []struct {
		size   string
		status int
		says   string
	}{
		{"-5", 2, "-5 is not a size"},
		{"100000", 1, "use a smaller size"},
		{"9223372036854775807", 1, "use a smaller size"},
	} {
		out := filepath.Join(t.TempDir(), "f.png")
		status, stdout, stderr := gaze(t, "posembed", "--model", tiny, "-o", out, "--size", c.size)
		if status != c.status || !strings.Contains(stderr, c.says) || stdout != "" {
			t.Errorf("--size %s: exit status %d, %s%s", c.size, status, stdout, stderr)
		}
		if _, err := os.Stat(out); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("--size %s left a figure (%v)", c.size, err)
		}
	}
}

func TestLogitsDontOverwriteTheCSV(t *testing.T) {
	dir := t.TempDir()
	out := filepath.Join(dir, "p.csv")
	status, _, stderr := gaze(t, "classify", "--model", tiny, "-o", out, "--logits", dir+"/./p.csv", photo(t, dir, "a.png"))
	if status != 2 || !strings.Contains(stderr, "name another file") {
		t.Errorf("exit status %d: %s", status, stderr)
	}
}

// TestFailureNamesAPictureOnce: an error line contains the file's name only once.
func TestFailureNamesAPictureOnce(t *testing.T) {
	dir := t.TempDir()
	bad := filepath.Join(dir, "bad.png")
	if err := os.WriteFile(bad, []byte("nothing"), 0o644); err != nil {
		t.Fatal(err)
	}
	status, _, stderr := gaze(t, "classify", "--model", tiny, "-o", filepath.Join(dir, "p.csv"), bad)
	line, _, _ := strings.Cut(stderr, "\n")
	for line != "" && !strings.Contains(line, bad) {
		_, stderr, _ = strings.Cut(stderr, "\n")
		line, _, _ = strings.Cut(stderr, "\n")
	}
	if status != 1 || strings.Count(line, bad) != 1 {
		t.Errorf("exit status %d: %s", status, line)
	}
}

func TestAbout(t *testing.T) {
	for _, c := range []struct{ err, want string }{
		{"a/b.png: empty", "a/b.png: empty"},
		{"empty", "a/b.png: empty"},
		{"two\nlines", "a/b.png: two; lines"},
	} {
		if got := about("a/b.png", errors.New(c.err)); got != c.want {
			t.Errorf("about %q: %q, want %q", c.err, got, c.want)
		}
	}
}

// cancelOn is a writer that cancels a context when a text is printed.
type cancelOn struct {
	text   string
	cancel func()
}

func (c cancelOn) Write(p []byte) (int, error) {
	if bytes.Contains(p, []byte(c.text)) {
		c.cancel()
	}
	return len(p), nil
}

// TestInterruptedHalfWay interrupts after the first of three pictures: there must be no
// CSV that looks complete.
func TestInterruptedHalfWay(t *testing.T) {
	dir := t.TempDir()
	bad := filepath.Join(dir, "b.png")
	if err := os.WriteFile(bad, []byte("nothing"), 0o644); err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(t.TempDir(), "p.csv")
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	args := []string{"classify", "--model", tiny, "-o", out, "--logits", out + ".npy", photo(t, dir, "a.png"), bad, photo(t, dir, "c.png")}
	var stdout bytes.Buffer
	if status := run(ctx, args, &stdout, cancelOn{"b.png", cancel}); status != 1 || ctx.Err() == nil {
		t.Errorf("exit status %d, interrupted %v", status, ctx.Err())
	}
	for _, path := range []string{out, out + ".npy"} {
		if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s was written (%v)", path, err)
		}
	}
}
