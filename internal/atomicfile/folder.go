package atomicfile

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// WriteFolder creates the folder dir, which must be missing or empty. fill writes the
// content to a temporary folder beside it, which is then renamed. Missing parent folders
// are created. On any error the temporary folder is removed.
func WriteFolder(dir string, fill func(temp string) error) (err error) {
	dir = filepath.Clean(dir)
	if err := CheckNewFolder(dir); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return err
	}
	temp, err := os.MkdirTemp(filepath.Dir(dir), ".gaze-*.tmp")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.RemoveAll(temp))
		}
	}()
	if err := fill(temp); err != nil {
		return err
	}
	if err := os.Chmod(temp, 0o755); err != nil {
		return err
	}
	// Check again, because fill may have taken long and os.Remove also removes files.
	if info, err := os.Stat(dir); err == nil && !info.IsDir() {
		return fmt.Errorf("a file %s was created in the meantime; name a new folder", dir)
	}
	if err := os.Remove(dir); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return os.Rename(temp, dir)
}

// CheckNewFolder returns the error that [WriteFolder] would return because dir isn't
// empty. Call it before doing the work.
func CheckNewFolder(dir string) error {
	old, err := os.ReadDir(dir)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return nil
	case err != nil:
		return err
	case len(old) > 0:
		return fmt.Errorf("%s is not empty; name a new folder, or remove it first", dir)
	}
	return nil
}
