package atomicfile

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestWriteFolder(t *testing.T) {
	above := t.TempDir()
	fill := func(temp string) error { return WriteBytes(filepath.Join(temp, "a.txt"), []byte("a")) }
	for _, dir := range []string{filepath.Join(above, "new", "folder"), filepath.Join(above, "empty")} {
		if strings.HasSuffix(dir, "empty") {
			if err := os.Mkdir(dir, 0o700); err != nil {
				t.Fatal(err)
			}
		}
		if err := WriteFolder(dir, fill); err != nil {
			t.Fatal(err)
		}
		if got := names(t, dir); !slices.Equal(got, []string{"a.txt"}) {
			t.Errorf("%s holds %v", dir, got)
		}
		if err := WriteFolder(dir, fill); err == nil || !strings.Contains(err.Error(), "not empty") {
			t.Errorf("over a folder with files: %v", err)
		}
	}
	broken := errors.New("no more")
	if err := WriteFolder(filepath.Join(above, "half"), func(temp string) error {
		return errors.Join(fill(temp), broken)
	}); !errors.Is(err, broken) {
		t.Error(err)
	}
	if got := names(t, above); !slices.Equal(got, []string{"empty", "new"}) {
		t.Errorf("left behind: %v", got)
	}
	if err := WriteFolder(filepath.Join(above, "empty", "a.txt"), fill); err == nil {
		t.Error("a file was taken for a folder")
	}
}
