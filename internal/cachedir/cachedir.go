// Package cachedir finds Gaze's cache folder, for files that can be made or downloaded
// again. It knows the variables that set the folder and the system's default. It doesn't
// create the folder and doesn't know what is in it.
package cachedir

import (
	"fmt"
	"os"
	"path/filepath"

	"gaze/internal/environ"
)

// Env is the variable that sets the folder.
const Env = "GAZE_CACHE"

// Dir returns $GAZE_CACHE, or else the folder gaze in $XDG_CACHE_HOME, or else the folder
// gaze in the system's cache folder. It may not exist yet. It is an error if GAZE_CACHE
// is a file.
func Dir() (string, error) {
	dir, err := environ.FolderToMake(Env)
	if dir != "" || err != nil {
		return dir, err
	}
	if dir := os.Getenv("XDG_CACHE_HOME"); filepath.IsAbs(dir) {
		return filepath.Join(dir, "gaze"), nil
	}
	dir, err = os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("no cache folder (set %s to one): %w", Env, err)
	}
	return filepath.Join(dir, "gaze"), nil
}
