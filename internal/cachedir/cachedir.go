// Package cachedir says where Gaze keeps what it can make or fetch again.
package cachedir

import (
	"fmt"
	"os"
	"path/filepath"

	"gaze/internal/environ"
)

// Env is the variable that names the folder.
const Env = "GAZE_CACHE"

// Dir is $GAZE_CACHE, else gaze in $XDG_CACHE_HOME, else gaze in the system's
// cache folder. It may not exist yet. A GAZE_CACHE that is a file is an error.
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
