package atomicfile

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// WriteFolder makes the folder dir, which must not exist yet or be empty, with
// what fill puts into a temporary one beside it. Folders above are made. Whatever
// fails, nothing half-written is left behind.
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
	// Asked again, since filling may have taken long: os.Remove removes files, too.
	if info, err := os.Stat(dir); err == nil && !info.IsDir() {
		return fmt.Errorf("%s was made meanwhile and is a file; name a new folder", dir)
	}
	if err := os.Remove(dir); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return os.Rename(temp, dir)
}

// CheckNewFolder is the error of [WriteFolder] for a folder that holds something
// already, to be asked before the work is done.
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
