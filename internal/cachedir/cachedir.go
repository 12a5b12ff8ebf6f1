// Package cachedir says where Gaze keeps what it can make or fetch again.
package cachedir

import (
	"fmt"
	"os"
	"path/filepath"
)

// Dir is $GAZE_CACHE, else gaze in $XDG_CACHE_HOME, else gaze in the system's
// cache folder. It may not exist yet.
func Dir() (string, error) {
	if dir := os.Getenv("GAZE_CACHE"); dir != "" {
		return filepath.Abs(dir)
	}
	if dir := os.Getenv("XDG_CACHE_HOME"); filepath.IsAbs(dir) {
		return filepath.Join(dir, "gaze"), nil
	}
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("no cache folder (set GAZE_CACHE to one): %w", err)
	}
	return filepath.Join(dir, "gaze"), nil
}
