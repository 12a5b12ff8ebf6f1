package hub

import (
	"os"
	"path/filepath"
	"runtime"
)

// syncDir makes the renaming of the file at path durable.
func syncDir(path string) error {
	if runtime.GOOS == "windows" {
		return nil // a folder can't be opened for syncing there
	}
	d, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	if err := d.Sync(); err != nil {
		d.Close()
		return err
	}
	return d.Close()
}
