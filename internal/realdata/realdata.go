// Package realdata finds the real weights and photographs that some tests run
// on and that can't be part of the project.
package realdata

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"
)

// Path returns the path of a file below the folder of real inputs, which is
// $GAZE_SHARED_DATA or ../shared/data beside the clone. A test whose file isn't
// there is skipped with a message that says so.
func Path(t testing.TB, elem ...string) string {
	t.Helper()
	path := filepath.Join(append([]string{folder()}, elem...)...)
	if _, err := os.Stat(path); err != nil {
		t.Skipf("no real inputs here (GAZE_SHARED_DATA names their folder): %v", err)
	}
	return path
}

func folder() string {
	if dir := os.Getenv("GAZE_SHARED_DATA"); dir != "" {
		return dir
	}
	_, here, _, _ := runtime.Caller(0) // <clone>/internal/realdata/realdata.go
	return filepath.Join(filepath.Dir(here), "..", "..", "..", "shared", "data")
}
