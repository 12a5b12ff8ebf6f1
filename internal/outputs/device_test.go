//go:build unix

package outputs

import (
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// TestDevices checks that a device or a pipe is written to, never replaced.
func TestDevices(t *testing.T) {
	t.Setenv("GAZE_CACHE", t.TempDir())
	dir := t.TempDir()
	null := link(t, os.Symlink, os.DevNull, filepath.Join(dir, "null"))
	pipe := filepath.Join(dir, "pipe")
	if err := unix.Mkfifo(pipe, 0o600); err != nil {
		t.Skip("no pipes here:", err)
	}
	p := New(false)
	p.WritesStream(null, "-o")
	p.WritesStream(null, "--logits")
	p.WritesStream(pipe, "--npy")
	if err := p.Check(); err != nil {
		t.Fatal(err)
	}
	if err := p.WriteBytes(null, []byte("x")); err != nil {
		t.Error(err)
	}
	came := make(chan string)
	go func() {
		f, err := os.Open(pipe)
		if err != nil {
			came <- err.Error()
			return
		}
		defer f.Close()
		b, _ := io.ReadAll(f)
		came <- string(b)
	}()
	if err := p.WriteBytes(pipe, []byte("through the pipe")); err != nil {
		t.Error(err)
	}
	if got := <-came; got != "through the pipe" {
		t.Errorf("%q came", got)
	}
	if err := p.Remove(null); err != nil {
		t.Error(err)
	}
	for path, kind := range map[string]fs.FileMode{null: fs.ModeSymlink, pipe: fs.ModeNamedPipe} {
		if info, err := os.Lstat(path); err != nil || info.Mode().Type() != kind {
			t.Errorf("%s: %v, %v", path, info, err)
		}
	}
	// A device is only allowed for a single file that the user named.
	p = New(true)
	p.Writes(pipe, "cat.jpg")
	if err := p.Check(); err == nil || !strings.Contains(err.Error(), "not a regular file") {
		t.Errorf("a pipe among many outputs: %v", err)
	}
}

// TestFullDevice checks that the device's error is returned.
func TestFullDevice(t *testing.T) {
	const full = "/dev/full"
	if _, err := os.Stat(full); err != nil {
		t.Skip(err)
	}
	path := link(t, os.Symlink, full, filepath.Join(t.TempDir(), "full"))
	p := New(false)
	p.WritesStream(path, "-o")
	if err := p.Check(); err != nil {
		t.Fatal(err)
	}
	if err := p.WriteBytes(path, []byte("x")); err == nil {
		t.Error("nothing went wrong")
	}
}

// TestDescriptors checks that an open file, even a regular one, is written to at its
// current offset.
func TestDescriptors(t *testing.T) {
	t.Setenv("GAZE_CACHE", t.TempDir())
	f, err := os.Create(filepath.Join(t.TempDir(), "redirected"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	path := fmt.Sprintf("/dev/fd/%d", f.Fd())
	if _, err := os.Stat(path); err != nil {
		t.Skip(err)
	}
	if _, err := f.WriteString("before, "); err != nil {
		t.Fatal(err)
	}
	p := New(false)
	p.WritesStream(path, "-o")
	if err := p.Check(); err != nil {
		t.Fatal(err)
	}
	if err := p.WriteBytes(path, []byte("and after")); err != nil {
		t.Fatal(err)
	}
	if got := text(t, f.Name()); got != "before, and after" {
		t.Errorf("it holds %q", got)
	}
	for path, want := range map[string]bool{
		path: true, "/dev/stdout": true, "/dev/../dev/fd//1": true, os.DevNull: true,
		f.Name(): false, "/dev/fd/9999": false, "/dev/fd/x": false, t.TempDir(): false,
	} {
		if got := IsStream(path); got != want {
			t.Errorf("%s: %t", path, got)
		}
	}
}
