package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gaze/internal/textfile/textfiletest"
	"gaze/pkg/vit"
)

// TestNamesAsSaved: class names are the same in any encoding an editor may save.
func TestNamesAsSaved(t *testing.T) {
	dir := t.TempDir()
	path, pred := filepath.Join(dir, "names.txt"), filepath.Join(dir, "p.csv")
	photo(t, dir, "cat.png")
	list := func(data []byte) ([]string, error) {
		if err := os.WriteFile(path, data, 0o644); err != nil {
			t.Fatal(err)
		}
		return readNames(path, 3)
	}
	for name, data := range textfiletest.Saved("Dog\ncat\n柴犬\n") {
		if got, err := list(data); err != nil || strings.Join(got, "|") != "Dog|cat|柴犬" {
			t.Errorf("%s: %q (%v)", name, got, err)
		}
	}
	for says, text := range map[string]string{
		"names.txt:2: the line is empty": "a\n\nb\nc\n", "names.txt:1: byte 0xE9": "P\xe9kinois\nb\nc\n", "has 2 names, but the model has 3 classes": "a\nb\n", "is empty": "\ufeff\r\n",
	} {
		if _, err := list([]byte(text)); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%q: %v, want %q", text, err, says)
		}
	}
	// A whole command with a list of classes as saved by Notepad.
	m, err := vit.Load(tiny)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	var names strings.Builder
	names.WriteString("\ufeff")
	for i := range m.Config.Classes {
		fmt.Fprintf(&names, "class %d\r\n", i)
	}
	if err := os.WriteFile(path, []byte(names.String()), 0o644); err != nil {
		t.Fatal(err)
	}
	ok(t, "classify", "--model", tiny, "--names", path, "-o", pred, filepath.Join(dir, "cat.png"))
	if text := readFile(t, pred); bytes.Contains(text, []byte("\ufeff")) || !bytes.Contains(text, []byte("cat.png,class ")) {
		t.Errorf("p.csv holds %q", text)
	}
}
